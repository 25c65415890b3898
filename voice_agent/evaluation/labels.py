"""The names that corpora give to emotions, genders, ages and sounds, and what we call them."""

from collections.abc import Callable

CALM = "calm"
"""Class of its own where a corpus has it; elsewhere a part of ``neutral``."""

_EMOTIONS = {
    "sad": "sad sadness trauer traurig",
    "anger": "anger angry ang wut ärger rage",
    "neutral": "neutral neu",
    "happy": "happy happiness hap joy joyful freude excited excitement exc amusement amused",
    "surprise": "surprise surprised sur pleasant_surprise pleasant_surprised ps",
    "fear": "fear fearful fea angst afraid anxious anxiety",
    "disgust": "disgust disgusted dis ekel",
    "other": "other oth boredom bored langeweile contempt frustration frustrated fru confused",
    CALM: "calm",
}
_GENDERS = {
    "female": "female f woman w weiblich",
    "male": "male m man männlich",
}
_AGES = {
    "child": "child children kid",
    "adult": "adult teens twenties thirties forties fourties fifties",
    "old": "old elderly senior sixties seventies eighties nineties",
}
_SOUNDS = {
    "laugh": "laugh laughing laughter",
    "cough": "cough coughing",
    "cry": "cry crying crying_baby sob sobbing",
    "scream": "scream screaming",
    "sigh": "sigh sighing breath breathing",
    "throat clearing": "throat_clearing throat_clear throatclearing",
    "sneeze": "sneeze sneezing",
    "snore": "snore snoring",
}

NO_EVENT = "other"
"""Class of all recordings without a vocal event."""

OLD_FROM, ADULT_FROM = 60, 13
"""Years of age from which one counts as old, and as adult."""


def _turned(names: dict[str, str]) -> dict[str, str]:
    return {name: ours for ours, theirs in names.items() for name in theirs.split()}


def _lookup(names: dict[str, str]) -> Callable[[str], str | None]:
    table = _turned(names)
    return lambda name: table.get(_plain(name))


def _plain(name: str) -> str:
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


emotion = _lookup(_EMOTIONS)
"""Our name for an emotion, or ``CALM``; None where the name is not known."""

gender = _lookup(_GENDERS)
"""``female`` or ``male``; None where the name is not known."""

_age_name = _lookup(_AGES)
_sound = _lookup(_SOUNDS)


def age(name: str) -> str | None:
    """``child`` (under 13), ``adult`` or ``old`` (60 and over), out of years or of a word."""
    try:
        years = float(name)
    except ValueError:
        return _age_name(name)
    if not 0 <= years < 130:
        return None
    return "child" if years < ADULT_FROM else "adult" if years < OLD_FROM else "old"


def event(name: str) -> str:
    """One of ``VOCAL_EVENTS``; ``NO_EVENT`` for every other sound."""
    return _sound(name) or NO_EVENT
