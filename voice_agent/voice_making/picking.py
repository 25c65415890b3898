"""Picks style clips: the agent listens to recordings of one person and keeps what it hears clearly.

The recordings are heard twice: first to learn the person's usual voice, then each against that.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.engines import ParalinguisticAnalyzer, ParalinguisticStream
from voice_agent.errors import AudioError, VoiceError
from voice_agent.events import REPLY_EMOTIONS, Paralinguistics
from voice_agent.hearing.manner import Speaker
from voice_agent.hearing.vad import VadModel
from voice_agent.voice_making.examination import SHORTEST_S, quality_refusals
from voice_agent.voice_making.recording import Recording, Take, joined
from voice_agent.voice_making.sources import AS_REPLY

LONGEST_S = 12.0
"""Length of a picked clip at most, and of a stretch of speech that is judged at once."""

_ENOUGH_S = 8.0
_LEAST_S = 1.0
_LEAST_SHARE = 0.5
_ALMOST = 0.85
_CLEAR_DB = 20.0
_SAME_LEVEL_DB = 9.0
_CALM_SHARE = 0.6
_JOYFUL_AROUSAL = 0.4

_FINER = {"joyful": "happy", "comfort": "neutral", "tearful": "sad"}
"""Emotions that are told apart by more than the label: arousal, calm, crying."""


@dataclass(frozen=True, slots=True)
class HeardTake:
    """A take and what it sounds like.

    Attributes:
        take: Where it is.
        emotion: One of ``events.REPLY_EMOTIONS``.
        share: The analyzer's posterior of that, in [0, 1].
    """

    take: Take
    emotion: str
    share: float


@dataclass(frozen=True, slots=True)
class Picked:
    """A clip for an emotion, made of one take or of several short ones.

    Attributes:
        emotion: One of ``events.REPLY_EMOTIONS``.
        samples: Mono float32 at ``SPEAKING_RATE``.
        takes: What it was made of, the surest first.
    """

    emotion: str
    samples: Samples
    takes: tuple[HeardTake, ...]


@dataclass(frozen=True, slots=True)
class Picking:
    """What was found in the recordings.

    Attributes:
        clips: One for each emotion that was heard clearly and long enough.
        unused: Recordings of which nothing could be used, and why.
        too_little: Seconds of emotions that were heard clearly, but for less than a clip needs.
    """

    clips: tuple[Picked, ...]
    unused: tuple[tuple[Path, str], ...]
    too_little: tuple[tuple[str, float], ...]


async def pick(
    paths: Sequence[Path],
    analyzer: ParalinguisticAnalyzer,
    vad: VadModel,
    progress: Callable[[], None] = lambda: None,
) -> Picking:
    """Chooses a clip for each emotion that is heard clearly in recordings of one person.

    Args:
        paths: The recordings, of any length; nobody else should speak in them.
        analyzer: What hears emotion.
        vad: What tells speech.
        progress: Told after each recording, twice for each.

    Raises:
        EngineError: The analyzer failed.
    """
    takes: list[Take] = []
    unused: list[tuple[Path, str]] = []
    usual = Speaker()
    async with _stream(analyzer) as stream:
        for path in paths:
            try:
                found = _usable(Recording.read(path, vad), vad)
            except (AudioError, VoiceError) as error:
                unused.append((path, str(error).removeprefix(f"{path}").lstrip(": ")))
                found = []
            else:
                if isinstance(found, str):
                    unused.append((path, found))
                    found = []
            for take, samples in found:
                usual.learn(take.prosody)
                await stream.learn(samples)
                takes.append(take)
            progress()
        heard = []
        for path in paths:
            own = [take for take in takes if take.path == path]
            if own:
                heard += await _heard(own, Recording.read(path, vad), stream, usual)
            progress()
    clips, too_little = [], []
    for emotion, takes_of_it in _by_emotion(heard).items():
        chosen = _best(takes_of_it)
        seconds = sum(one.take.seconds for one in chosen)
        if seconds >= SHORTEST_S:
            clips.append(Picked(emotion, _samples(chosen, vad), tuple(chosen)))
        elif chosen:
            too_little.append((emotion, seconds))
    return Picking(tuple(clips), tuple(unused), tuple(too_little))


@asynccontextmanager
async def _stream(analyzer: ParalinguisticAnalyzer) -> AsyncIterator[ParalinguisticStream]:
    stream = await analyzer.open()
    try:
        yield stream
    finally:
        await stream.close()


def _usable(recording: Recording, vad: VadModel) -> list[tuple[Take, Samples]] | str:
    """The good takes of a recording, each with its samples at ``HEARING_RATE``; or why none is."""
    takes = [recording.take(*span, vad) for span in recording.stretches(LONGEST_S)]
    if not takes:
        return "no speech is heard in it"
    long_enough = [take for take in takes if _LEAST_S <= take.seconds <= LONGEST_S]
    if not long_enough:
        return f"no stretch of {_LEAST_S:.0f} to {LONGEST_S:.0f} s of speech"
    good = [take for take in long_enough if not _faults(take)]
    if not good:
        return "; ".join(_faults(long_enough[0]))
    return [(take, _cut(recording, take)) for take in good]


def _faults(take: Take) -> Sequence[str]:
    if refusals := quality_refusals(take):
        return refusals
    if take.snr_db < _CLEAR_DB:
        return (f"it is noisy (the speech stands {take.snr_db:.0f} dB above the noise)",)
    return ()


def _cut(recording: Recording, take: Take) -> Samples:
    return recording.heard[round(take.start * HEARING_RATE) : round(take.end * HEARING_RATE)]


async def _heard(
    takes: Sequence[Take], recording: Recording, stream: ParalinguisticStream, usual: Speaker
) -> list[HeardTake]:
    """The takes in which an emotion is heard clearly."""
    found = []
    for take in takes:
        how = await stream.analyze(_cut(recording, take), usual.manner(take.prosody))
        reading = _as_reply(how)
        if reading is not None and not how.uncertain:
            found.append(HeardTake(take, *reading))
    return found


def _as_reply(how: Paralinguistics) -> tuple[str, float] | None:
    """The reply emotion that sounds like this, with the posterior of what was heard."""
    if not how.emotion:
        return None
    heard = max(how.emotion, key=lambda label: how.emotion[label])
    share = how.emotion[heard]
    if heard not in AS_REPLY or share < _LEAST_SHARE:
        return None
    if heard == "neutral" and how.calm >= _CALM_SHARE * share:
        return "comfort", share
    if heard == "sad" and any(event.label == "cry" for event in how.events):
        return "tearful", share
    if heard == "happy" and how.arousal is not None and how.arousal.value >= _JOYFUL_AROUSAL:
        return "joyful", share
    return AS_REPLY[heard], share


def _by_emotion(heard: Sequence[HeardTake]) -> dict[str, list[HeardTake]]:
    """The takes of each emotion; of a finer one that is too rare, with those of its kind."""
    found = {name: [one for one in heard if one.emotion == name] for name in REPLY_EMOTIONS}
    for finer, coarser in _FINER.items():
        if sum(one.take.seconds for one in found[finer]) < SHORTEST_S:
            found[coarser] += found.pop(finer)
    return found


def _best(heard: Sequence[HeardTake]) -> list[HeardTake]:
    """The surest takes, as many as make a clip.

    All are as loud as the surest, as from one distance; and almost as sure, where that is enough.
    """
    chosen: list[HeardTake] = []
    length = 0.0
    for one in sorted(heard, key=lambda one: one.share, reverse=True):
        if length >= _ENOUGH_S:
            break
        if length >= SHORTEST_S and one.share < _ALMOST * chosen[0].share:
            break
        if length + one.take.seconds > LONGEST_S:
            continue
        if chosen and abs(one.take.level_db - chosen[0].take.level_db) > _SAME_LEVEL_DB:
            continue
        chosen.append(one)
        length += one.take.seconds
    return chosen


def _samples(chosen: Sequence[HeardTake], vad: VadModel) -> Samples:
    return joined([Recording.read(one.take.path, vad).audio(one.take) for one in chosen])
