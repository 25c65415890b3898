"""The bank of voices: what it keeps, what it finds for an emotion; nothing is half done."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voice_agent.audio.pcm import SPEAKING_RATE
from voice_agent.errors import UnknownVoice, VoiceError
from voice_agent.events import REPLY_EMOTIONS
from voice_agent.speaking.voices import RELATED, Consent, NewClip, VoiceBank

CONSENT = Consent(statement="my own voice", given="2026-11-21T12:00:00+00:00", note="Anna")


def clip(emotion: str, seconds: float = 4.0, pitch: float = 200.0) -> NewClip:
    time = np.arange(round(seconds * SPEAKING_RATE)) / SPEAKING_RATE
    samples = (0.2 * np.sin(2 * np.pi * pitch * time)).astype(np.float32)
    return NewClip(samples, emotion, -17.0, pitch, 40.0, f"{emotion}.wav")


@pytest.fixture
def bank(tmp_path: Path) -> VoiceBank:
    return VoiceBank.open(tmp_path / "voices")


def files(bank: VoiceBank) -> set[str]:
    return {path.name for path in bank.folder.rglob("*") if path.is_file()}


def test_a_voice_is_kept_with_all_that_is_known_of_it(bank: VoiceBank) -> None:
    bank.create("anna", "en-GB", CONSENT, [clip("neutral"), clip("sad", 5, 180)], "CC BY 4.0")

    voice = VoiceBank.open(bank.folder).voice("anna")
    assert bank.names == ("anna",)
    assert (voice.name, voice.language) == ("anna", "en-GB")
    assert (voice.contents.licence, voice.contents.consent) == ("CC BY 4.0", CONSENT)
    assert voice.emotions == ("sad", "neutral")
    (path,) = voice.clips("sad")
    samples, rate = soundfile.read(path, dtype="float32")
    assert (rate, samples.ndim) == (SPEAKING_RATE, 1)
    np.testing.assert_allclose(samples, clip("sad", 5, 180).samples, atol=1e-4)
    kept = json.loads((voice.folder / "voice.json").read_text())
    assert kept["clips"][1] == {
        "file": path.name,
        "emotion": "sad",
        "seconds": 5.0,
        "level_db": -17.0,
        "pitch_hz": 180.0,
        "snr_db": 40.0,
        "sha256": voice.all_clips[1].sha256,
        "source": "sad.wav",
    }


def test_the_user_has_a_bank_of_their_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert VoiceBank.open().folder.name == "voices"
    assert VoiceBank.open().folder.parent.name == "voice-agent"
    assert VoiceBank.open().names == ()


@pytest.mark.parametrize(
    ("has", "wanted", "used"),
    [
        ("neutral sad tearful", "sad", "sad"),
        ("neutral sad sorry", "tearful", "sad"),
        ("neutral sorry", "tearful", "sorry"),
        ("neutral happy", "joyful", "happy"),
        ("neutral sad", "comfort", "neutral"),
        ("neutral happy", "sad", "neutral"),
        ("neutral angry", "disgusted", "angry"),
        ("neutral", "surprised", "neutral"),
        ("happy comfort", "neutral", "comfort"),
        ("happy", "sad", "happy"),
        ("angry", "neutral", "angry"),
        ("neutral sad", "no such emotion", "neutral"),
    ],
)
def test_an_emotion_without_clips_falls_back_to_the_nearest(
    bank: VoiceBank, has: str, wanted: str, used: str
) -> None:
    voice = bank.create("anna", "en", CONSENT, [clip(emotion) for emotion in has.split()])
    assert voice.style(wanted) == used
    assert [path.name.partition("-")[0] for path in voice.clips(wanted)] == [used]


def test_every_emotion_of_a_reply_has_its_order() -> None:
    assert set(RELATED) == set(REPLY_EMOTIONS)
    assert all(set(near) <= set(REPLY_EMOTIONS) - {emotion} for emotion, near in RELATED.items())


def test_all_clips_of_an_emotion_are_given_in_their_order(bank: VoiceBank) -> None:
    bank.create("anna", "en", CONSENT, [clip("sad", 3), clip("neutral"), clip("sad", 5)])
    voice = bank.add("anna", [clip("sad", 4)])
    lengths = [soundfile.info(path).duration for path in voice.clips("sad")]
    assert lengths == [3, 5, 4]


def test_the_same_recording_is_kept_once(bank: VoiceBank) -> None:
    bank.create("anna", "en", CONSENT, [clip("sad")])
    assert len(bank.add("anna", [clip("sad"), clip("sad")]).all_clips) == 1


def test_clips_of_an_emotion_can_be_removed_and_the_voice(bank: VoiceBank) -> None:
    bank.create("anna", "en", CONSENT, [clip("sad"), clip("neutral")])
    bank.remove("anna", "sad")
    assert bank.voice("anna").emotions == ("neutral",)
    assert len(files(bank)) == 2
    with pytest.raises(VoiceError, match="no clips of the emotion 'sad'"):
        bank.remove("anna", "sad")
    with pytest.raises(VoiceError, match="alone; remove the whole voice"):
        bank.remove("anna", "neutral")
    bank.remove("anna")
    assert (bank.names, files(bank)) == ((), set())
    with pytest.raises(UnknownVoice):
        bank.remove("anna")


@pytest.mark.parametrize("name", ["", "..", "a/b", "Anna", "anna voice", "x" * 41, ".new-a", "-a"])
def test_names_that_make_no_folder_are_refused(bank: VoiceBank, name: str) -> None:
    with pytest.raises(VoiceError, match="small letters"):
        bank.create(name, "en", CONSENT, [clip("sad")])
    with pytest.raises(UnknownVoice):
        bank.voice(name)


def test_what_cannot_be_a_voice_is_refused_and_leaves_nothing(bank: VoiceBank) -> None:
    with pytest.raises(VoiceError, match="at least one"):
        bank.create("anna", "en", CONSENT, [])
    with pytest.raises(VoiceError, match="'grumpy' is no emotion"):
        bank.create("anna", "en", CONSENT, [clip("sad"), clip("grumpy")])
    assert files(bank) == set()
    bank.create("anna", "en", CONSENT, [clip("sad")])
    with pytest.raises(VoiceError, match="already"):
        bank.create("anna", "en", CONSENT, [clip("happy")])


@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_a_voice_is_never_half_changed(
    bank: VoiceBank, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    """Whichever file the disk has no room for: the voice is as it was before."""
    bank.create("anna", "en", CONSENT, [clip("neutral")])
    before, calls = files(bank), 0
    real = os.replace

    def replace(*paths: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == fails_at:
            raise OSError(28, "No space left on device")
        real(*paths)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", replace)
        with pytest.raises(VoiceError, match="No space left"):
            bank.add("anna", [clip("sad"), clip("happy")])
    assert files(bank) == before
    assert bank.voice("anna").emotions == ("neutral",)


def test_what_an_end_by_force_left_behind_is_swept(bank: VoiceBank) -> None:
    voice = bank.create("anna", "en", CONSENT, [clip("neutral")])
    (voice.folder / ".new-abc").write_bytes(b"half")
    (voice.folder / "sad-0123456789ab.flac").write_bytes(b"half")
    (voice.folder / "my notes.txt").write_text("mine")
    bank.add("anna", [clip("happy")])
    left = {path.name for path in voice.folder.iterdir()}
    assert {"my notes.txt", "voice.json"} <= left
    assert len(left) == 4


def test_a_folder_without_a_description_is_no_voice(bank: VoiceBank) -> None:
    (bank.folder / "anna").mkdir(parents=True)
    assert bank.names == ()
    with pytest.raises(UnknownVoice, match="voices add"):
        bank.voice("anna")


def test_damage_is_told(bank: VoiceBank) -> None:
    voice = bank.create("anna", "en", CONSENT, [clip("sad"), clip("neutral")])
    (path,) = voice.clips("sad")
    assert voice.changed() == ()
    path.write_bytes(b"something else")
    assert [clip.file for clip in voice.changed()] == [path.name]
    path.unlink()
    with pytest.raises(VoiceError, match=path.name):
        bank.voice("anna")
    (voice.folder / "voice.json").write_text('{"name": "anna"}')
    with pytest.raises(VoiceError, match="language"):
        bank.voice("anna")
    bank.remove("anna")
    assert bank.names == ()
