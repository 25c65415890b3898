"""``voice-agent voices``: a voice of one's own, from recordings to what it speaks after."""

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voice_agent.audio.resample import resample
from voice_agent.events import Phrase, Tone
from voice_agent.speaking.synthesizers.espeak import EspeakSynthesizer

RATE = 48_000
TEXT = (
    "I went to see my sister yesterday, and we talked for a long time about the summer, "
    "and about our old house."
)
TONES = {"neutral": Tone(), "sad": Tone(rate=0.85, pitch_st=-3), "happy": Tone(pitch_st=3)}


@pytest.fixture(scope="module")
def studio(tmp_path_factory) -> Path:
    """Recordings in three emotions, 48 kHz; and some that are no good."""
    folder = tmp_path_factory.mktemp("studio")

    async def record() -> None:
        voice = await EspeakSynthesizer.create(EspeakSynthesizer.Options())
        for emotion, tone in TONES.items():
            pieces = [piece async for piece in voice.synthesize(Phrase(TEXT, tone))]
            speech = resample(np.concatenate([p.samples for p in pieces]), pieces[0].rate, RATE)
            whole = np.pad(0.2 * speech / np.abs(speech).max(), RATE // 2)
            noise = np.random.default_rng(0).normal(0, 3e-4, whole.size)
            soundfile.write(folder / f"{emotion}.wav", whole + noise, RATE)
        await voice.close()

    asyncio.run(record())
    samples, _ = soundfile.read(folder / "neutral.wav")
    bad = folder / "bad"
    bad.mkdir()
    soundfile.write(bad / "sad-short.wav", samples[: 2 * RATE], RATE)
    soundfile.write(bad / "sad-loud.wav", np.clip(20 * samples, -1, 1), RATE)
    soundfile.write(bad / "neutral.wav", samples, RATE)
    return folder


def kept(home: Path) -> set[str]:
    folder = home / "data" / "voice-agent" / "voices"
    return {path.name.split("-")[0] for path in folder.rglob("*") if path.is_file()}


def test_a_voice_from_recordings_to_its_end(voice_agent, studio, home):
    none = voice_agent("voices", "list").stdout
    assert "voices add" in none

    files = (studio / "neutral.wav", studio / "sad.wav")
    made = voice_agent(
        "voices", "add", "anna", *files, "--consent", "--consent-note", "Anna [22]",
        "--licence", "own",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert "happy like neutral" in made.stdout
    assert kept(home) == {"neutral", "sad", "voice.json"}

    listed = voice_agent("voices", "list").stdout.splitlines()[-1].split()
    assert listed[:2] == ["anna", "en"]
    assert listed[-3:] == ["sad,", "neutral", "own"]

    more = voice_agent(
        "voices", "add", "anna", studio / "happy.wav", "--emotion", "joyful", "--consent"
    )
    assert more.returncode == 0, more.stderr

    shown = voice_agent("voices", "show", "anna").stdout
    assert "Anna [22]" in shown
    assert "its owner agreed" in shown
    voice = json.loads(voice_agent("voices", "show", "anna", "--json").stdout)
    assert [clip["emotion"] for clip in voice["clips"]] == ["neutral", "sad", "joyful"]
    assert voice["styles"]["tearful"] == "sad"
    assert voice["styles"]["happy"] == "joyful"
    neutral, sad, joyful = (clip["pitch_hz"] for clip in voice["clips"])
    assert sad < neutral < joyful

    fewer = voice_agent("voices", "remove", "anna", "--emotion", "sad", "--yes")
    assert fewer.stdout == "Removed the clips of sad of anna.\n"
    assert kept(home) == {"neutral", "joyful", "voice.json"}
    declined = voice_agent("voices", "remove", "anna", stdin="n\n")
    assert declined.returncode == 1
    assert "cannot be brought back" in declined.stderr
    assert voice_agent("voices", "remove", "anna", "--yes").stdout == "Removed anna.\n"
    assert kept(home) == set()


def test_without_consent_there_is_no_voice(voice_agent, studio, home):
    declined = voice_agent("voices", "add", "anna", studio / "sad.wav", stdin="n\n")
    assert declined.returncode == 1
    assert "its owner agreed" in declined.stderr
    assert voice_agent("voices", "add", "anna", studio / "sad.wav").returncode == 1
    assert kept(home) == set()

    agreed = voice_agent("voices", "add", "anna", studio / "sad.wav", stdin="y\n")
    assert agreed.returncode == 0, agreed.stderr
    assert "record a clip in your everyday voice" in agreed.stdout
    assert kept(home) == {"sad", "voice.json"}


def test_one_bad_recording_and_nothing_is_added(voice_agent, studio, home):
    done = voice_agent("voices", "add", "anna", "--from", studio / "bad", "--consent")

    assert done.returncode == 1
    refused = done.stderr.splitlines()
    assert any("sad-short.wav" in line and "too short" in line for line in refused)
    assert any("sad-loud.wav" in line and "overdriven" in line for line in refused)
    assert refused[-1] == "voice-agent: nothing was added"
    assert "neutral.wav" not in done.stderr
    assert kept(home) == set()


def test_a_damaged_voice_hides_no_other(voice_agent, studio, home):
    voice_agent("voices", "add", "anna", studio / "sad.wav", "--consent")
    broken = home / "data" / "voice-agent" / "voices" / "eve"
    broken.mkdir()
    (broken / "voice.json").write_text("{}")
    done = voice_agent("voices", "list")
    assert done.returncode == 1
    assert "anna" in done.stdout
    assert "eve" in done.stderr
    assert voice_agent("voices", "remove", "eve", "--yes").returncode == 0


def test_a_voice_speaks_one_language(voice_agent, studio):
    voice_agent("voices", "add", "anna", studio / "sad.wav", "--consent")
    done = voice_agent(
        "voices", "add", "anna", studio / "happy.wav", "--language", "de", "--consent"
    )
    assert done.returncode == 1
    assert "speaks en" in done.stderr


def test_what_is_asked_wrongly_is_said(voice_agent, studio):
    nothing = voice_agent("voices", "add", "anna")
    assert nothing.returncode == 2
    unnamed = voice_agent("voices", "add", "anna", studio / "bad" / "x.wav", "--consent")
    assert unnamed.returncode == 1
    assert "name it after one" in unnamed.stderr
    name = voice_agent("voices", "add", "Anna!", studio / "sad.wav", "--consent")
    assert (name.returncode, name.stdout) == (1, "")
    assert "small letters" in name.stderr
    unknown = voice_agent("voices", "show", "eve")
    assert unknown.returncode == 1
    assert "there is no voice 'eve'" in unknown.stderr


def test_an_actor_becomes_a_voice(voice_agent, data, tmp_path, home):
    folder = tmp_path / "recordings"
    folder.mkdir()
    for path in (data / "speech_emotion" / "ravdess" / "Actor_24").glob("03-01-0[58]-02-*.flac"):
        (folder / path.name).symlink_to(path)

    tried = voice_agent("voices", "pick", "eve", "--from", folder, "--dry-run")
    assert tried.returncode == 0, tried.stderr
    assert kept(home) == set()

    done = voice_agent("voices", "pick", "eve", "--from", folder, "--consent")
    assert done.returncode == 0, done.stderr
    voice = json.loads(voice_agent("voices", "show", "eve", "--json").stdout)
    assert {"angry", "surprised"} <= {clip["emotion"] for clip in voice["clips"]}
    assert all(3 <= clip["seconds"] <= 13 for clip in voice["clips"])


def test_recordings_without_a_clear_emotion_make_no_voice(voice_agent, tmp_path, home):
    (tmp_path / "recordings").mkdir()
    soundfile.write(tmp_path / "recordings" / "silence.wav", np.zeros(RATE), RATE)
    done = voice_agent("voices", "pick", "eve", "--from", "recordings", "--consent")
    assert done.returncode == 1
    assert "silence.wav is not used: no speech is heard" in done.stderr
    assert kept(home) == set()
