"""Sentences in which people say how they feel.

Comments on the web are about others; "I feel awful" says something else of a cake than of oneself.
"""

from collections.abc import Iterator

from voice_agent.evaluation.text_emotion import Comment

_FEELINGS = {
    "joy": "happy, glad, cheerful, delighted, wonderful, fantastic, in a good mood, over the moon",
    "excitement": "excited, thrilled, eager",
    "relief": "relieved, at ease",
    "gratitude": "grateful, thankful",
    "pride": "proud, proud of myself",
    "optimism": "hopeful, optimistic, confident",
    "approval": "fine, ok, all right, quite well, good",
    "sadness": "sad, unhappy, down, low, awful, terrible, horrible, dreadful, miserable, lonely, "
    "alone, depressed, hopeless, empty, heartbroken, gloomy, lousy, bad, hurt, worthless, "
    "close to tears, like crying",
    "disappointment": "disappointed, let down",
    "remorse": "guilty, ashamed, sorry about it",
    "embarrassment": "embarrassed, humiliated",
    "anger": "angry, furious, mad, livid, outraged",
    "annoyance": "annoyed, irritated, frustrated, fed up",
    "fear": "afraid, scared, frightened, terrified",
    "nervousness": "nervous, anxious, worried, tense, stressed, uneasy, overwhelmed, panicky",
    "disgust": "disgusted, revolted, grossed out",
    "surprise": "surprised, shocked, stunned, astonished",
    "confusion": "confused, puzzled, unsure, torn",
    "neutral": "at home, at work, on my way, back, here, busy, in the kitchen, from berlin",
}
_FRAMES = (
    "i feel {}",
    "i am {}",
    "i am so {}",
    "i am feeling {} today",
    "i feel really {}",
    "i am a bit {}",
    "i have been {} lately",
    "i was {} yesterday",
)
_EVENTS = {
    "grief": "my {} died, my {} passed away, i lost my {} last year, we buried my {}",
    "fear": "my {} is very ill, something could happen to my {}",
    "sadness": "my {} left me, i miss my {}, i had to say goodbye to my {}",
    "anger": "my {} lied to me, my {} yelled at me, my {} treats me badly",
    "joy": "i had a lovely day with my {}, my {} is getting better, i laughed a lot with my {}",
    "neutral": "i went out with my {}, my {} is at home, i talked to my {}, my {} came by",
}
_ONES = "mother father grandmother dog cat brother sister friend wife husband".split()
_TURNS = {
    "excitement": "i got the job, i passed the exam, we are having a baby, we are getting married",
    "disappointment": "i did not get the job, i failed the exam, they turned me down",
    "sadness": "i lost my job, i broke up with him, i broke up with her, i cried all night",
    "nervousness": "i have an exam tomorrow, i have an interview tomorrow",
}


def self_reports() -> Iterator[Comment]:
    """The sentences, each with its label."""
    for label, line in _FEELINGS.items():
        for word in line.split(", "):
            yield from (Comment(frame.format(word), frozenset([label])) for frame in _FRAMES)
    for label, line in _EVENTS.items():
        for event in line.split(", "):
            yield from (Comment(event.format(one), frozenset([label])) for one in _ONES)
    for label, line in _TURNS.items():
        yield from (Comment(turn, frozenset([label])) for turn in line.split(", "))
