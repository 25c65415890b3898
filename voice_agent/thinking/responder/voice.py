"""What the sound of a voice suggests: one cue or none; and whether it was spoken of."""

from collections.abc import Iterable, Sequence

from voice_agent.events import Exchange, Manner, Paralinguistics
from voice_agent.thinking.plain_words import plain
from voice_agent.thinking.responder.phrasebook import Cue

AGAINST_WORDS = ("glad", "fine")
"""Pools of lines that notice a voice which contradicts the words."""

_TELLING = ("cry", "scream", "laugh", "sigh")
_BODILY = ("cough", "sneeze")
_EMOTIONS = {"sad": "sad", "anger": "anger", "happy": "happy", "fear": "fear"}
_LEAST_EVENT = 0.6
_LEAST_POSTERIOR = 0.55
_LEAST_SPEECH_S = 0.8


def cue(how: Paralinguistics | None) -> str | None:
    """Name of the cue (a key of ``knowledge/voice.yaml``) that stands out most.

    Sounds count by their confidence and emotions only where the reading is not uncertain; the
    manner counts against the speaker's own baseline, so the first words tell nothing. A cough
    tells of no feeling and counts last; a snore and unknown sounds do not count.
    """
    if how is None:
        return None
    return _event(how, _TELLING) or _feeling(how) or _event(how, _BODILY)


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


def _event(how: Paralinguistics, labels: tuple[str, ...]) -> str | None:
    heard = [event for event in how.events if event.label in labels]
    likeliest = max(heard, key=lambda event: event.confidence, default=None)
    return likeliest.label if likeliest and likeliest.confidence >= _LEAST_EVENT else None


def _feeling(how: Paralinguistics) -> str | None:
    if how.emotion and not how.uncertain:
        label = max(how.emotion, key=lambda key: how.emotion[key])
        if label in _EMOTIONS and how.emotion[label] >= _LEAST_POSTERIOR:
            return _EMOTIONS[label]
    if how.arousal and how.valence and not how.uncertain and how.valence.value < -0.2:
        sure = min(how.arousal.confidence, how.valence.confidence) >= _LEAST_POSTERIOR
        if sure and abs(how.arousal.value) >= 0.4:
            return "tense" if how.arousal.value > 0 else "worn_out"
    return _manner_cue(how.manner) if how.manner.speech_s >= _LEAST_SPEECH_S else None


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
