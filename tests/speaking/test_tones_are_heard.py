"""The same sentence in two emotions sounds different, all the way through the speaker.

Measured on what would be played: median pitch, length without pauses, and level. The tones are
mild (``speaking/tone.py``), so each is held against the neutral one in the direction it should go.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voice_agent.audio.pcm import HEARING_RATE, SPEAKING_RATE, Samples, level_db
from voice_agent.audio.resample import resample
from voice_agent.evaluation.turns import measure
from voice_agent.events import REPLY_EMOTIONS
from voice_agent.hearing.manner import Speaker as Listener
from voice_agent.hearing.prosody import HOP, PitchTracker
from voice_agent.hearing.vad import VadModel
from voice_agent.speaking.speaker import Speaker
from voice_agent.speaking.synthesizers.espeak import EspeakSynthesizer
from voice_agent.speaking.tone import tone_for
from voice_agent.speaking.voices import Consent, NewClip, VoiceBank

SENTENCE = "I hear you, and that sounds like a really long day for you."
TOLD_ST, TOLD_RATE, TOLD_DB = 1.0, 0.06, 1.0
"""From these shifts on a tone must be heard in pitch, pace and level."""


@dataclass(frozen=True)
class Heard:
    """What is measured: median pitch in semitones, seconds of sound, level of it in dB."""

    pitch_st: float
    seconds: float
    level_db: float


async def spoken(voice: Any, emotion: str) -> Samples:
    async def text() -> AsyncIterator[str]:
        yield SENTENCE

    pieces = [speech.samples async for speech in Speaker(voice, -22).speak(text(), emotion)]
    return resample(np.concatenate(pieces), SPEAKING_RATE, HEARING_RATE)


async def heard(voice: Any, emotion: str) -> Heard:
    await spoken(voice, emotion)  # the first time its level is not known yet
    samples = await spoken(voice, emotion)
    frames = samples[: samples.size // HOP * HOP].reshape(-1, HOP)
    levels = np.array([level_db(frame) for frame in frames])
    sounding = levels > levels.max() - 30
    tracker = PitchTracker()
    pitches = [
        pitch
        for end in range(4 * HOP, samples.size, 2 * HOP)
        for pitch in tracker.pitch(samples[end - 4 * HOP : end])
        if pitch > 0
    ]
    return Heard(
        pitch_st=12 * float(np.log2(np.median(pitches))),
        seconds=float(sounding.sum()) * HOP / HEARING_RATE,
        level_db=level_db(frames[sounding].ravel()),
    )


def expect_tone(emotion: str, told: Heard, neutral: Heard) -> None:
    """Half of what the tone asks for must arrive, where it asks for something."""
    tone = tone_for(emotion)
    if abs(tone.pitch_st) >= TOLD_ST:
        assert (told.pitch_st - neutral.pitch_st) / tone.pitch_st > 0.5
    if abs(tone.rate - 1) >= TOLD_RATE:
        pace = neutral.seconds / told.seconds
        assert (pace - 1) / (tone.rate - 1) > 0.5
    if abs(tone.volume_db) >= TOLD_DB:
        assert (told.level_db - neutral.level_db) / tone.volume_db > 0.5


async def test_the_embedded_voice_has_all_tones() -> None:
    voice = await EspeakSynthesizer.create(EspeakSynthesizer.Options())
    neutral = await heard(voice, "neutral")
    for emotion in REPLY_EMOTIONS:
        expect_tone(emotion, await heard(voice, emotion), neutral)
    await voice.close()


async def test_the_agent_itself_hears_joy_and_sorrow_apart() -> None:
    """By the measurements that it takes of people."""
    voice = await EspeakSynthesizer.create(EspeakSynthesizer.Options())
    vad = VadModel()
    joyful, sad = [
        Listener().manner(measure(await spoken(voice, emotion), vad))
        for emotion in ("joyful", "sad")
    ]
    await voice.close()
    assert joyful.pitch_hz > 1.1 * sad.pitch_hz
    assert joyful.pitch_range_st > sad.pitch_range_st + 2
    assert joyful.syllable_rate > 1.15 * sad.syllable_rate
    assert joyful.level_db > sad.level_db + 3


# --- neural voices --------------------------------------------------------------------------


@pytest.fixture
def neural(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Tiny real models; voices of the user lie in an empty folder."""
    pytest.importorskip("TTS", reason="needs the extra 'neural'")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    import tiny_voices

    return tiny_voices


async def coqui(folder: Path, **more: Any) -> Any:
    from voice_agent.speaking.synthesizers.coqui import CoquiOptions, CoquiSynthesizer

    options = CoquiOptions(model=str(folder), **{"device": "cpu", **more})
    return await CoquiSynthesizer.create(options)


async def test_a_neural_voice_without_styles_is_shaped(neural: Any) -> None:
    voice = await coqui(neural.BUZZING_VITS, voice="calm")
    neutral = await heard(voice, "neutral")
    for emotion in ("joyful", "sad", "comfort", "surprised", "tearful"):
        expect_tone(emotion, await heard(voice, emotion), neutral)
    await voice.close()


async def test_speakers_as_emotions_are_heard(neural: Any) -> None:
    speakers: Mapping[str, str] = {"joyful": "bright", "sad": "low"}
    voice = await coqui(neural.BUZZING_VITS, voice="calm", emotions=speakers)
    neutral, joyful, sad = [await heard(voice, one) for one in ("neutral", "joyful", "sad")]
    await voice.close()
    # The speakers are 200, 250 and 150 Hz high.
    assert joyful.pitch_st - neutral.pitch_st == pytest.approx(12 * np.log2(250 / 200), abs=1)
    assert sad.pitch_st - neutral.pitch_st == pytest.approx(12 * np.log2(150 / 200), abs=1)
    assert 1.05 * joyful.seconds < sad.seconds
    assert joyful.level_db > sad.level_db + 3


async def test_a_recorded_emotion_speaks_after_its_own_recording(
    neural: Any, tmp_path: Path
) -> None:
    """Sadness was recorded, so it is not lowered further; joy was not, so it is raised."""
    rng = np.random.default_rng(0)
    clips = [
        NewClip((0.1 * rng.standard_normal(4 * SPEAKING_RATE)).astype(np.float32), emotion, -20)
        for emotion in ("neutral", "sad")
    ]
    consent = Consent(statement="noise", given="2026-11-21T00:00:00+00:00")
    VoiceBank.open().create("noise", "en", consent, clips)
    with neural.narrow_decoders():
        voice = await coqui(neural.save_xtts(tmp_path / "xtts"), voice="noise")
        neutral, joyful, sad = [await heard(voice, one) for one in ("neutral", "joyful", "sad")]
        await voice.close()
    assert joyful.pitch_st - neutral.pitch_st == pytest.approx(2, abs=0.5)
    assert sad.pitch_st - neutral.pitch_st == pytest.approx(0, abs=0.5)
    assert sad.level_db < neutral.level_db - 1.5 < joyful.level_db
