"""What the words tell of a feeling, what the voice tells, and how far the two disagree.

The two are read apart: "I feel awful" is sad in whatever voice it comes, and a sad voice is sad
over whatever words. Where they disagree, that is all that is said; whether a cheerful sentence in
an angry voice is irony is for the listener to judge.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from voice_agent.events import EMOTIONS, Paralinguistics
from voice_agent.thinking.plain_words import words
from voice_agent.thinking.text_emotion import LABELS, Grouping, carried, grouped

_EMOTION_OF = {
    "sad": "sadness grief disappointment remorse embarrassment",
    "anger": "anger annoyance",
    "happy": "joy amusement excitement gratitude love optimism relief pride admiration",
    "surprise": "surprise",
    "fear": "fear nervousness",
    "disgust": "disgust",
    "neutral": "neutral approval",
}
_NAMED = {name: tuple(line.split()) for name, line in _EMOTION_OF.items()}
_OTHER = tuple(label for label in LABELS if not any(label in group for group in _NAMED.values()))
_GROUPS: Grouping = {name: _NAMED.get(name, _OTHER) for name in EMOTIONS}

_VALENCE_OF_LABEL = dict.fromkeys(_NAMED["happy"], 1.0) | {
    **dict.fromkeys(("approval", "caring", "desire"), 0.5),
    "disapproval": -0.5,
    **dict.fromkeys((*_NAMED["sad"], *_NAMED["anger"], *_NAMED["fear"], *_NAMED["disgust"]), -1.0),
}
_VALENCE = {"happy": 1.0} | dict.fromkeys(("sad", "anger", "fear", "disgust"), -1.0)
_SHOWN = ("sad", "anger", "happy", "surprise", "fear", "disgust")
_LEAST_POSTERIOR = 0.5
_LEAST_VALENCE = 0.2
_UNCERTAIN = 0.5

_WORDS_ARE = {
    "sad": "sad",
    "anger": "angry",
    "happy": "cheerful",
    "surprise": "surprised",
    "fear": "anxious",
    "disgust": "full of disgust",
}
_VOICE_SOUNDS = {
    "sad": "sad",
    "anger": "angry",
    "happy": "happy",
    "fear": "afraid",
    "disgust": "disgusted",
}


@dataclass(frozen=True, slots=True)
class WordsFeeling:
    """The feeling that words tell of, whatever the voice.

    Attributes:
        emotion: Posterior over ``EMOTIONS``; empty without words.
        valence: In [-1, 1].
        uncertain: True where the words are too few, unknown or tell too little.
    """

    emotion: Mapping[str, float] = field(default_factory=dict)
    valence: float = 0.0
    uncertain: bool = True

    @property
    def label(self) -> str:
        """The likeliest emotion; empty where uncertain."""
        return "" if self.uncertain else max(self.emotion, key=lambda key: self.emotion[key])


@dataclass(frozen=True, slots=True)
class Disagreement:
    """How far words and voice tell of different feelings.

    Attributes:
        words, voice: The likeliest emotion of each.
        labels: Probability in [0, 1] that both show an emotion and not the same one. To be neutral
            contradicts nothing.
        valence: Distance of the two valences in [0, 1].
        opposed: One is clearly pleasant, the other clearly unpleasant.
        clause: The same in plain words; empty where they are not opposed.
    """

    words: str
    voice: str
    labels: float
    valence: float
    opposed: bool = False
    clause: str = ""

    @property
    def degree(self) -> float:
        """Both in one, in [0, 1]."""
        return (self.labels + self.valence) / 2


@lru_cache(maxsize=256)
def feeling_in_words(text: str) -> WordsFeeling:
    """The feeling that English words tell of.

    Raises:
        EngineUnavailable: The model of emotion in words is missing or damaged.
    """
    said, model = words(text), carried()
    if not said:
        return WordsFeeling()
    found = model.among_feelings(said)
    emotion = grouped(found, _GROUPS)
    valence = sum(found[label] * value for label, value in _VALENCE_OF_LABEL.items())
    known = any(word in model.known for word in said)
    return WordsFeeling(emotion, valence, not known or max(emotion.values()) < _LEAST_POSTERIOR)


def disagreement(told: WordsFeeling, how: Paralinguistics | None) -> Disagreement | None:
    """How far words and voice disagree; None where one of them is uncertain or shows no such thing.

    Args:
        told: What the words tell.
        how: How they were spoken; None for typed words.
    """
    voice = emotion_in_voice(how)
    if how is None or not voice or told.uncertain or "other" in (told.label, voice):
        return None
    heard = how.emotion
    sounding = sum(heard.get(name, 0.0) * value for name, value in _VALENCE.items())
    both = sum(told.emotion[a] * heard.get(b, 0.0) for a in _SHOWN for b in _SHOWN if a != b)
    clear = min(abs(told.valence), abs(sounding)) >= _LEAST_VALENCE
    opposed = clear and told.valence * sounding < 0 and voice in _VOICE_SOUNDS
    return Disagreement(
        words=told.label,
        voice=voice,
        labels=min(1.0, both),
        valence=min(1.0, abs(told.valence - sounding) / 2),
        opposed=opposed,
        clause=_clause(told, voice) if opposed else "",
    )


def fused(
    told: WordsFeeling, heard: Mapping[str, float], *, certain: bool = True
) -> dict[str, float]:
    """The feeling that words and voice tell of together: shares of ``EMOTIONS`` that sum to 1.

    Each emotion is as likely as that one of the two shows it (a noisy or), each weighted by how
    certain it is; what is left is neutral. So neutral words take nothing from a sad voice, and an
    even voice nothing from sad words.

    Args:
        told: What the words tell.
        heard: Posterior of the voice; empty where there is none.
        certain: The voice can be relied on; by half where it can not.
    """
    words = _UNCERTAIN if told.uncertain else 1.0
    voice = 1.0 if certain else _UNCERTAIN
    shown = {
        label: 1 - (1 - words * told.emotion.get(label, 0.0)) * (1 - voice * heard.get(label, 0.0))
        for label in _SHOWN
    }
    total = sum(shown.values())
    scale = 1 / max(1.0, total)
    shares = dict.fromkeys(EMOTIONS, 0.0) | {name: scale * share for name, share in shown.items()}
    return shares | {"neutral": max(0.0, 1 - scale * total)}


def emotion_in_voice(how: Paralinguistics | None) -> str:
    """The likeliest emotion of the voice; empty where it is uncertain or there is no voice."""
    if how is None or how.uncertain or not how.emotion:
        return ""
    return max(how.emotion, key=lambda key: how.emotion[key])


def _clause(told: WordsFeeling, voice: str) -> str:
    said = _WORDS_ARE.get(told.label, "positive" if told.valence > 0 else "negative")
    return f"the words are {said}, the voice sounds {_VOICE_SOUNDS[voice]}"
