"""Recordings for a voice: what is taken, what is refused, and what the person is told to do."""

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from voice_agent.audio.pcm import SPEAKING_RATE, level_db
from voice_agent.errors import AudioError, VoiceError
from voice_agent.hearing.vad import VadModel
from voice_agent.voice_making.examination import examine
from voice_agent.voice_making.recording import Recording, clipped_share

Recorder = Callable[..., Path]


def test_a_good_recording_is_cut_to_its_speech_and_measured(
    sentences: np.ndarray, record: Recorder, vad: VadModel
) -> None:
    examined = examine(record(sentences, rate=48_000), vad)

    length = sentences.size / SPEAKING_RATE
    assert examined.samples.size / SPEAKING_RATE == pytest.approx(length, abs=0.5)
    assert examined.take.start == pytest.approx(0.85, abs=0.15)
    assert examined.take.snr_db > 35
    assert -35 < examined.take.level_db < -15
    assert 60 < (examined.take.manner.pitch_hz or 0) < 300
    assert examined.warnings == ()
    # Silence begins and ends it, so that nothing clicks where clips meet.
    assert abs(examined.samples[0]) < 1e-3
    assert abs(examined.samples[-1]) < 1e-3


@pytest.mark.parametrize(
    ("changed", "reason", "advice"),
    [
        ({"seconds": 1.5}, "too short", "record 6 to 12 s"),
        ({"rate": 8_000}, "8000 Hz is a telephone's sound", "48000 Hz is usual"),
        ({"gain": 12.0}, "overdriven", "turn the microphone down"),
        ({"gain": 0.02, "noise_db": -95}, "too soft", "nearer to the microphone"),
        ({"noise_db": -28}, "too noisy", "quiet room"),
    ],
)
def test_a_bad_recording_is_refused_with_what_to_do(
    sentences: np.ndarray,
    record: Recorder,
    vad: VadModel,
    changed: dict[str, float],
    reason: str,
    advice: str,
) -> None:
    seconds = changed.pop("seconds", 60)
    path = record(sentences[: round(seconds * SPEAKING_RATE)], **changed)
    with pytest.raises(VoiceError, match=reason) as refusal:
        examine(path, vad)
    assert advice in str(refusal.value)
    assert str(path) in str(refusal.value)


def test_loud_and_soft_recordings_make_clips_of_one_level(
    sentences: np.ndarray, record: Recorder, vad: VadModel
) -> None:
    loud = examine(record(sentences, "loud.wav", gain=2.5), vad)
    soft = examine(record(sentences, "soft.wav", gain=0.2, noise_db=-90), vad)
    assert loud.take.level_db - soft.take.level_db == pytest.approx(22, abs=1)
    assert level_db(loud.samples) == pytest.approx(level_db(soft.samples), abs=1)
    assert -30 < level_db(soft.samples) < -20
    assert np.abs(soft.samples).max() <= 0.95


def test_speech_that_goes_on_too_long_is_refused(
    sentences: np.ndarray, record: Recorder, vad: VadModel
) -> None:
    with pytest.raises(VoiceError, match="voices pick"):
        examine(record(np.tile(sentences, 5)), vad)


def test_what_holds_no_speech_is_refused(record: Recorder, vad: VadModel, tmp_path: Path) -> None:
    with pytest.raises(VoiceError, match="no speech is heard"):
        examine(record(np.zeros(5 * SPEAKING_RATE), noise_db=-30), vad)
    with pytest.raises(AudioError, match="no such file"):
        examine(tmp_path / "missing.wav", vad)


@pytest.mark.parametrize(
    ("changed", "warning"),
    [
        ({"seconds": 4.5}, "6 to 12 s sound better"),
        ({"rate": 16_000}, "sound dull"),
        ({"gain": 0.12, "noise_db": -85}, "it is soft"),
        ({"noise_db": -46}, "it is noisy"),
        ({"pause": 2.0}, "a pause of 2"),
    ],
)
def test_what_could_be_better_is_told(
    sentences: np.ndarray,
    record: Recorder,
    vad: VadModel,
    changed: dict[str, float],
    warning: str,
) -> None:
    samples = sentences[: round(changed.pop("seconds", 60) * SPEAKING_RATE)]
    pause = np.zeros(round(changed.pop("pause", 0) * SPEAKING_RATE))
    examined = examine(record(np.concatenate([samples, pause, samples]), **changed), vad) if (
        pause.size
    ) else examine(record(samples, **changed), vad)  # fmt: skip
    assert any(warning in told for told in examined.warnings), examined.warnings


def test_clipping_is_seen_at_any_level() -> None:
    tone = np.sin(np.arange(24_000) / 30).astype(np.float32)
    assert clipped_share(0.9 * tone) == 0
    assert clipped_share(np.clip(3 * tone, -1, 1)) > 0.5
    assert clipped_share(0.7 * np.clip(3 * tone, -1, 1)) > 0.5
    assert clipped_share(np.zeros(100, np.float32)) == 0


def test_long_speech_is_cut_at_its_pauses(
    sentences: np.ndarray, record: Recorder, vad: VadModel
) -> None:
    pause = np.zeros(SPEAKING_RATE)
    path = record(np.concatenate([sentences, pause, sentences, pause, sentences[: 2 * 24_000]]))
    stretches = Recording.read(path, vad).stretches(longest_s=12)
    length = sentences.size / SPEAKING_RATE
    assert next(round(end - start) for start, end in stretches) == round(length + 0.3)
    assert all(end - start <= 12 for start, end in stretches)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(stretches))
    assert len(stretches) == 2
