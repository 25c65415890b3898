"""A turn in its conversation: what goes on from earlier turns, and what is new."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from voice_agent.events import Exchange, Paralinguistics, UserTurn
from voice_agent.thinking.responder.meaning import Need
from voice_agent.thinking.responder.phrasebook import Cue, Feeling, Phrasebook, Topic
from voice_agent.thinking.responder.understanding import NAMED, Reader, Reading
from voice_agent.thinking.responder.voice import (
    AGAINST_WORDS,
    Suggestion,
    change_since,
    heard_emotion,
    spoken_of,
    suggestion,
)
from voice_agent.thinking.words_and_voice import disagreement, feeling_in_words, fused

_MOOD_TURNS = 5
_VOICE_FEELINGS = {
    "sad": "sad",
    "cry": "sad",
    "anger": "angry",
    "happy": "happy",
    "laugh": "amused",
    "fear": "anxious",
    "surprise": "surprised",
    "disgust": "disgusted",
}
_EMOTION_OF_CUE = {"cry": "sad", "laugh": "happy"}
_LEAST_VALENCE = 0.2
_TEARS = re.compile(r"\b(cried|crying|cry|wept|weeping|tears?|teared up)\b(?! (myself|alone|all))")
_INVITES = re.compile(
    r"(?i)\?$|\b(tell me|go on|listening|i'm here|ears|say (a|as|what|it)|own words|your time)\b"
)


@dataclass(frozen=True, slots=True)
class Situation:
    """A turn with what went before it.

    Attributes:
        now: What the turn says.
        past: What the earlier turns said, oldest first.
        history: The conversation.
        feeling: The person's feeling; one told of shortly before goes on in turns that name none.
        named: The feeling is this turn's own.
        voiced: It is the voice that tells of it; the words do not.
        need: What the person seems to need from the answer.
        how: The sound of the turn; None for typed words, and where it must not be used.
        reflects: Feelings may be spoken of, and the voice be used as a sign of them.
        cue: What the sound of the voice suggests.
        sure: It is clear enough to be spoken of; else it may colour the answer and no more.
        change: How the voice differs from that of the last turns; empty where it does not.
        opposed: The voice contradicts the words; neither counts for more.
        noticed: That was noticed once in this conversation, and is left alone from then on.
        contrast: The same in words, where the emotion of the voice is clear.
        earlier: What they spoke of before, in words that fit after "about".
        trouble: The same, if it was something bad.
    """

    now: Reading
    past: tuple[Reading, ...]
    history: tuple[Exchange, ...]
    feeling: Feeling | None
    named: bool
    voiced: bool
    need: Need
    how: Paralinguistics | None
    reflects: bool
    cue: Cue | None
    sure: bool
    change: str
    opposed: bool
    noticed: bool
    contrast: str
    earlier: str
    trouble: str

    @property
    def valence(self) -> str:
        """Name of the general pools that fit."""
        value = self.feeling.valence if self.feeling else 0.0
        return "negative" if value < 0 else "positive" if value > 0.2 else "neutral"

    @property
    def last_reply(self) -> str:
        """What the agent said last."""
        return self.history[-1].reply if self.history else ""

    @property
    def new_topic(self) -> bool:
        """Whether the topic comes up for the first time."""
        return self.now.topic is not None and all(p.topic != self.now.topic for p in self.past)

    @property
    def new_feeling(self) -> bool:
        """Whether the feeling was not spoken of in the last turns."""
        return all(p.feeling != self.feeling for p in self.past[-_MOOD_TURNS:])

    @property
    def last_topic(self) -> Topic | None:
        """The topic that a turn without one of its own goes on with."""
        topic = next((past.topic for past in reversed(self.past[-2:]) if past.topic), None)
        # A person that was mentioned is soon left behind; an event stays the matter.
        return topic if topic is not None and topic.feeling != "neutral" else None

    @property
    def fresh_mood(self) -> bool:
        """Whether the feeling was spoken of just now or in the turn before."""
        return self.named or any(p.feeling == self.feeling for p in self.past[-2:])

    @property
    def grieving(self) -> bool:
        """Whether a loss was spoken of."""
        return any(one.feeling and one.feeling.name == "grief" for one in self.past)

    @property
    def troubled_turns(self) -> int:
        """Turns since the trouble began, up to the last good one."""
        turns = 0
        for reading in reversed(self.past):
            if reading.valence > 0.2 and reading.tells:
                break
            turns += reading.tells
        began = any(reading.valence < 0 for reading in self.past[len(self.past) - turns :])
        return turns if began else 0


def see(
    turn: UserTurn,
    history: tuple[Exchange, ...],
    reader: Reader,
    book: Phrasebook,
    *,
    reflects: bool = True,
) -> Situation:
    """Reads a turn and what went before it.

    Args:
        turn: The turn.
        history: What went before, oldest first.
        reader: Reads turns.
        book: The feelings and cues there are.
        reflects: Use the voice as a sign of feelings; without it the sound of the turn is unheard.
    """
    past: list[Reading] = []
    asked = False
    for exchange in history:
        if exchange.user is not None:
            past.append(reader.read(exchange.user, asked))
        asked = bool(_INVITES.search(exchange.reply.rstrip()[-60:]))
    now = reader.read(turn, asked)
    how = turn.how if reflects else None
    heard = suggestion(how)
    told = feeling_in_words(turn.text)
    differing = disagreement(told, how)
    noticed = spoken_of(book.cues.values(), history, AGAINST_WORDS)
    feeling = _of_joy(now, past) or now.feeling
    words = feeling.valence if feeling else 0.0 if told.uncertain else told.valence
    cue = book.cues[heard.cue] if heard else None
    sounding = heard is not None and heard.sure and heard.cue in _VOICE_FEELINGS
    against = sounding and cue is not None and words * cue.valence < 0
    opposed = against and abs(words) >= _LEAST_VALENCE
    voiced = False
    if heard and sounding and not opposed and not noticed:
        likely = book.feelings[_VOICE_FEELINGS[heard.cue]]
        voiced = feeling is None
        if feeling is None or _sounds_rather(likely, heard, now, turn, how):
            feeling = likely
    named = feeling is not None
    mood = _mood(past)
    if mood is not None and _goes_on(mood, now, feeling, past):
        feeling, named, voiced = mood, False, False
    return Situation(
        now=now,
        past=tuple(past),
        history=history,
        feeling=feeling,
        named=named,
        voiced=voiced,
        need=reader.meaning.need(
            now.said, now.appraisal, feeling, cue if heard and heard.sure else None
        ),
        how=how,
        reflects=reflects,
        cue=cue,
        sure=heard is not None and heard.sure,
        change=change_since(how, [one.user.how for one in history if one.user and one.user.how]),
        opposed=opposed,
        noticed=noticed,
        contrast=differing.clause if differing else "",
        earlier=_earlier(now, past),
        trouble=_earlier(now, [p for p in past if p.valence < 0]),
    )


def _sounds_rather(
    likely: Feeling, heard: Suggestion, now: Reading, turn: UserTurn, how: Paralinguistics | None
) -> bool:
    """Whether a feeling that the words do not name is rather the one heard in the voice."""
    if now.feeling is None or how is None or now.strength >= NAMED:
        return False
    emotion = _EMOTION_OF_CUE.get(heard.cue, heard.cue)
    both = fused(feeling_in_words(turn.text), heard_emotion(how), certain=not how.uncertain)
    same_side = likely.valence * now.feeling.valence > 0
    return same_side and max(both, key=lambda label: both[label]) == emotion


def _of_joy(now: Reading, past: Sequence[Reading]) -> Feeling | None:
    """The joy that tears are of, where there was one just before and nothing else speaks."""
    glad = [one.feeling for one in past[-2:] if one.valence > _LEAST_VALENCE and one.tells]
    if not glad or now.feeling is None or now.feeling.name != "sad" or now.topic is not None:
        return None
    return glad[-1] if _TEARS.search(now.said) else None


def _mood(past: Sequence[Reading]) -> Feeling | None:
    """The feeling last told of; a trouble stays on the mind longer than a laugh."""
    for ago, reading in enumerate(reversed(past[-_MOOD_TURNS:])):
        if reading.feeling and reading.tells:
            return reading.feeling if reading.valence < 0 or ago == 0 else None
    return None


def _goes_on(mood: Feeling, now: Reading, feeling: Feeling | None, past: Sequence[Reading]) -> bool:
    """Whether a mood goes on in this turn: it does not end because a sentence does not name it."""
    if not now.tells:
        return True
    if feeling is None:
        turned = mood.valence > 0 and re.search(r"^but\b|\b(not|never|no one|nobody)\b", now.said)
        return not turned and (now.topic is None or now.topic.feeling == "neutral")
    same_side = feeling.valence * mood.valence > 0
    new_topic = now.topic is not None and all(p.topic != now.topic for p in past)
    return same_side and now.strength < NAMED and not new_topic


def _earlier(now: Reading, past: Sequence[Reading]) -> str:
    """What was told before that weighed most lately, if it is not what is told now."""
    told = [p for p in past if p.thing and p.thing.startswith("your ") and p.thing != now.thing]
    weighty = [p for p in told if p.topic and p.topic.feeling != "neutral"] or told
    return weighty[-1].thing if told else ""
