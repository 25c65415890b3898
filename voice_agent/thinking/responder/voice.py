"""What the sound of a voice suggests: one cue or none; and whether it was spoken of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from voice_agent.events import Estimate, Exchange, Manner, Paralinguistics
from voice_agent.thinking.plain_words import plain
from voice_agent.thinking.responder.phrasebook import Cue

AGAINST_WORDS = ("glad", "fine")
"""Pools of lines that notice a voice which contradicts the words."""

_TELLING = ("cry", "scream", "laugh", "sigh")
_BODILY = ("cough", "sneeze")
_EMOTIONS = ("sad", "anger", "happy", "fear", "surprise", "disgust")
_LEAST_EVENT = 0.6
_LEAST_POSTERIOR = 0.55
_LEAST_LEANING = 0.16
_PLAIN_LEANING = 0.35
_STIRRED = 2.5  # the emotions together, against neutral
_LEAST_SPEECH_S = 0.8
_RECENT_TURNS = 3
# How far a voice has to be from its usual one to be heard afresh, whatever was heard before.
_CHANGED_ST, _CHANGED_DB, _CHANGED_RATE = 6.0, 8.0, 1.6


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Name of a cue (a key of ``knowledge/voice.yaml``), and whether it may be spoken of."""

    cue: str
    sure: bool


def cue(how: Paralinguistics | None) -> str | None:
    """Name of the cue that surely stands out most."""
    found = suggestion(how)
    return found.cue if found is not None and found.sure else None


def suggestion(how: Paralinguistics | None) -> Suggestion | None:
    """The cue that stands out most.

    Sounds count by their confidence, emotions by their posterior: one that leads without being
    sure may colour the answer, and is not spoken of. The manner counts against the speaker's own
    baseline, so the first words tell nothing by it. A cough tells of no feeling and counts last; a
    snore and unknown sounds do not count.
    """
    if how is None:
        return None
    manner = _manner_cue(how.manner) if how.manner.speech_s >= _LEAST_SPEECH_S else None
    leaning, share = _leaning(how)
    if share >= _PLAIN_LEANING:
        manner = None  # what is heard of the feeling itself tells more than pace and pitch
    if sure := _event(how, _TELLING) or _feeling(how) or manner or _event(how, _BODILY):
        return Suggestion(sure, True)
    return Suggestion(leaning, False) if leaning else None


def heard_emotion(how: Paralinguistics) -> Mapping[str, float]:
    """The posterior over emotions to answer to.

    What was heard before weighs in, except where voice and usual voice have measurably come apart:
    a feeling is slow to change, but this one has. There this speech counts as far as it changed.
    """
    if not how.evidence or not how.emotion:
        return how.emotion
    fresh = _change(how.manner)
    return {
        label: (1 - fresh) * share + fresh * how.evidence.get(label, 0.0)
        for label, share in how.emotion.items()
    }


def change_since(how: Paralinguistics | None, before: Sequence[Paralinguistics]) -> str:
    """How a voice differs from that of the turns before, in words; empty where it does not."""
    if how is None or not before:
        return ""
    manner = how.manner
    changes = [
        _compared(manner.level_shift_db, 5.0, "louder than usual", "quieter than usual"),
        _compared(manner.pitch_shift_st, 2.5, "higher than usual", "lower than usual"),
        _compared(_per_cent(manner.rate_shift), 22.0, "faster than usual", "slower than usual"),
    ]
    earlier = before[-_RECENT_TURNS:]
    brighter = _difference([one.valence for one in earlier], how.valence)
    livelier = _difference([one.arousal for one in earlier], how.arousal)
    changes += [
        _compared(brighter, 0.3, "brighter than before", "darker than before"),
        _compared(livelier, 0.35, "more stirred up than before", "calmer than before"),
    ]
    return " and ".join(change for change in changes if change)


def spoken_of(
    cues: Iterable[Cue],
    history: Sequence[Exchange],
    pools: Sequence[str] = ("say", *AGAINST_WORDS),
) -> bool:
    """Whether one of the agent's lines about these cues was heard."""
    replies = " ".join(plain(past.reply) for past in history)
    return any(
        plain(line.say) in replies
        for cue in cues
        for pool in pools
        for line in cue.lines.get(pool, ())
    )


def _compared(value: float | None, least: float, above: str, below: str) -> str:
    if value is None or abs(value) < least:
        return ""
    return above if value > 0 else below


def _per_cent(rate: float | None) -> float | None:
    return None if rate is None else 100 * (rate - 1)


def _difference(before: Sequence[Estimate | None], now: Estimate | None) -> float | None:
    known = [one.value for one in before if one is not None]
    return now.value - sum(known) / len(known) if now is not None and known else None


def _event(how: Paralinguistics, labels: tuple[str, ...]) -> str | None:
    heard = [event for event in how.events if event.label in labels]
    likeliest = max(heard, key=lambda event: event.confidence, default=None)
    return likeliest.label if likeliest and likeliest.confidence >= _LEAST_EVENT else None


def _feeling(how: Paralinguistics) -> str | None:
    emotion = heard_emotion(how)
    if emotion and (not how.uncertain or emotion is not how.emotion):
        label = max(emotion, key=lambda key: emotion[key])
        if label in _EMOTIONS and emotion[label] >= _LEAST_POSTERIOR:
            return label
    if how.arousal and how.valence and not how.uncertain and how.valence.value < -0.2:
        sure = min(how.arousal.confidence, how.valence.confidence) >= _LEAST_POSTERIOR
        if sure and abs(how.arousal.value) >= 0.4:
            return "tense" if how.arousal.value > 0 else "worn_out"
    return None


def _leaning(how: Paralinguistics) -> tuple[str, float]:
    """The first emotion and its share, where it leads or the voice is anything but neutral."""
    emotion = heard_emotion(how)
    shown = {label: emotion.get(label, 0.0) for label in _EMOTIONS}
    label = max(shown, key=lambda key: shown[key])
    leads = shown[label] >= max(emotion.values(), default=1.0)
    stirred = sum(shown.values()) >= _STIRRED * emotion.get("neutral", 0.0)
    if shown[label] < _LEAST_LEANING or not (leads or stirred):
        return "", 0.0
    return label, shown[label]


def _change(manner: Manner) -> float:
    """How far the voice is from the speaker's usual one, in [0, 1]."""
    shifts = (
        abs(manner.pitch_shift_st or 0.0) / _CHANGED_ST,
        abs(manner.level_shift_db or 0.0) / _CHANGED_DB,
        max(manner.rate_shift or 1.0, 1 / (manner.rate_shift or 1.0)) - 1,
    )
    pitch, level, rate = shifts
    return min(1.0, max(pitch, level, rate / (_CHANGED_RATE - 1)))


def _manner_cue(manner: Manner) -> str | None:
    rate = manner.rate_shift if manner.rate_shift is not None else 1.0
    level = manner.level_shift_db if manner.level_shift_db is not None else 0.0
    pitch = manner.pitch_shift_st if manner.pitch_shift_st is not None else 0.0
    spread = manner.pitch_range_st
    flat = spread is not None and spread <= 2.5
    wide = spread is not None and spread >= 7.0
    if rate <= 0.85 and (level <= -3 or pitch <= -1.5 or flat):
        return "worn_out"
    if rate >= 1.2 and (level >= 3 or pitch >= 2):
        return "tense"
    if wide and pitch >= 1.5 and level >= 0:
        return "lively"
    return "quiet" if level <= -6 else None
