"""Whether a recording is good enough for a voice to speak after, and what to do if it is not."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voice_agent.audio.pcm import Samples
from voice_agent.errors import VoiceError
from voice_agent.hearing.vad import VadModel
from voice_agent.voice_making.recording import Recording, Take, joined

SHORTEST_S, LONGEST_S = 3.0, 30.0
"""Length of a clip after silence at its ends is cut off."""

GOOD_S = 6.0
"""From here on a voice has enough to speak after."""

LOWEST_RATE, GOOD_RATE = 16_000, 22_050
_MOST_CLIPPED = 1e-3
_SOFTEST_DB, _SOFT_DB = -50.0, -36.0
_NOISIEST_DB, _NOISY_DB = 12.0, 25.0
_LONG_PAUSE_S = 1.5


@dataclass(frozen=True, slots=True)
class Examined:
    """A recording that will do.

    Attributes:
        take: What was measured of its speech.
        samples: Its speech, mono float32 at ``SPEAKING_RATE``.
        warnings: What would make it better.
    """

    take: Take
    samples: Samples
    warnings: tuple[str, ...]


def examine(path: Path, vad: VadModel) -> Examined:
    """Reads a recording, cuts off the silence at its ends and judges it.

    Raises:
        AudioError: It is no audio that can be read.
        VoiceError: It will not do; says why and what to record instead.
    """
    recording = Recording.read(path, vad)
    span = recording.whole()
    if span is None:
        raise VoiceError(f"{path}: no speech is heard in it; record a few spoken sentences")
    take = recording.take(*span, vad)
    refusals = (*_length_refusals(take), *quality_refusals(take))
    if refusals:
        raise VoiceError(f"{path}: {'; '.join(refusals)}")
    return Examined(take, joined([recording.audio(take)]), _warnings(take))


def _length_refusals(take: Take) -> Sequence[str]:
    if take.seconds < SHORTEST_S:
        return (
            f"{take.seconds:.1f} s of speech are too short; record {GOOD_S:.0f} to 12 s, "
            f"{SHORTEST_S:.0f} at least",
        )
    if take.seconds > LONGEST_S:
        return (
            f"{take.seconds:.0f} s are too long; cut it to {LONGEST_S:.0f} s, or let "
            "`voice-agent voices pick` find good stretches",
        )
    return ()


def quality_refusals(take: Take) -> Sequence[str]:
    """What makes a take useless, whatever its length."""
    found = []
    if take.rate < LOWEST_RATE:
        found.append(
            f"{take.rate} Hz is a telephone's sound; record at {GOOD_RATE} Hz or more "
            "(48000 Hz is usual)"
        )
    if take.clipped_share > _MOST_CLIPPED:
        found.append(
            f"it is overdriven ({take.clipped_share:.1%} of it is cut off); turn the microphone "
            "down until the loudest words stay below full scale"
        )
    if take.level_db < _SOFTEST_DB:
        found.append(
            f"it is too soft ({take.level_db:.0f} dB); go nearer to the microphone or turn it up"
        )
    if take.snr_db < _NOISIEST_DB:
        found.append(
            f"it is too noisy (the speech stands {take.snr_db:.0f} dB above the noise); record in "
            "a quiet room, close windows, switch off fans"
        )
    return found


def _warnings(take: Take) -> tuple[str, ...]:
    found = []
    if take.seconds < GOOD_S:
        found.append(f"{take.seconds:.1f} s are short; {GOOD_S:.0f} to 12 s sound better")
    if take.rate < GOOD_RATE:
        found.append(f"{take.rate} Hz sound dull; record at {GOOD_RATE} Hz or more")
    if take.clipped_share > 0:
        found.append("a few peaks are cut off; turn the microphone down a little")
    if take.level_db < _SOFT_DB:
        found.append(f"it is soft ({take.level_db:.0f} dB); go nearer to the microphone")
    if take.snr_db < _NOISY_DB:
        found.append(f"it is noisy ({take.snr_db:.0f} dB above the noise); find a quieter room")
    if take.longest_pause_s > _LONG_PAUSE_S:
        found.append(f"it has a pause of {take.longest_pause_s:.1f} s, which the voice may take on")
    return tuple(found)
