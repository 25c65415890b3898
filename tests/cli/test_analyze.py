"""``voice-agent analyze``: how recordings are spoken, with a clear word on what cannot be read."""

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

READING_KEYS = [
    "manner",
    "emotion",
    "evidence",
    "calm",
    "valence",
    "arousal",
    "dominance",
    "gender",
    "age",
    "events",
    "uncertain",
]
FILE_KEYS = ["file", "seconds", "speech_s", "turns", "events", "picture"]

pytestmark = pytest.mark.skipif(
    shutil.which("flite") is None, reason="flite makes the test speech; apt-get install flite"
)


@pytest.fixture(scope="module")
def speech(folder) -> Path:
    """The same sentence twice with two seconds between, 44.1 kHz stereo."""
    path = folder / "sentence.wav"
    text = "my sister called me yesterday and told me that she is well"
    subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", path], check=True)
    samples, rate = soundfile.read(path)
    twice = np.concatenate([samples, np.zeros(2 * rate), samples])
    fine = np.interp(np.arange(0, len(twice), rate / 44_100), np.arange(len(twice)), twice)
    soundfile.write(folder / "call.flac", np.stack([fine, fine], axis=1), 44_100)
    return folder / "call.flac"


@pytest.fixture(scope="module")
def analyzed(shared, folder, speech) -> subprocess.CompletedProcess[str]:
    """A recording, one that is missing, one that is no audio, and one in which nobody speaks."""
    (folder / "letter.wav").write_text("Dear diary, " * 100)
    noise = np.random.default_rng(0).normal(0, 0.05, 48_000)
    soundfile.write(folder / "noise.wav", noise, 16_000)
    files = (speech.name, "missing.wav", "letter.wav", "noise.wav")
    return shared("analyze", *files, "--json", "--pictures", "pictures")


def test_a_recording_is_told_turn_by_turn(analyzed):
    document = json.loads(analyzed.stdout)
    entry = document["files"][0]

    assert list(document) == ["engine", "files"]
    assert document["engine"] == "embedded"
    assert list(entry) == FILE_KEYS
    assert entry["file"] == "call.flac"
    first, second = entry["turns"]
    assert 0 <= first["start"] < first["end"] < second["start"] < second["end"] <= entry["seconds"]
    assert second["start"] - first["end"] > 1.5
    for turn in (first, second):
        assert list(turn) == ["start", "end", "final", "readings"]
        assert list(turn["final"]) == READING_KEYS
        assert 100 < turn["final"]["manner"]["pitch_hz"] < 300
        assert turn["final"]["manner"]["syllable_rate"] > 1
        assert len(turn["readings"]) >= 3
        assert list(turn["readings"][0]) == ["at", *READING_KEYS]
        spoken = [reading["manner"]["speech_s"] for reading in turn["readings"]]
        assert spoken == sorted(spoken)
    assert first["final"]["manner"]["level_shift_db"] is None
    assert abs(second["final"]["manner"]["level_shift_db"]) < 1
    total = sum(turn["final"]["manner"]["speech_s"] for turn in entry["turns"])
    assert entry["speech_s"] == pytest.approx(total)


def test_files_that_cannot_be_read_are_told_and_the_others_done(analyzed):
    _, missing, letter, noise = json.loads(analyzed.stdout)["files"]

    assert analyzed.returncode == 1
    for entry, says in ((missing, "no such file"), (letter, "is not audio that can be read")):
        assert list(entry) == ["file", "error"]
        assert entry["error"]["code"] == "invalid_audio"
        assert says in entry["error"]["message"]
        assert f"voice-agent: {entry['error']['message']}" in analyzed.stderr.splitlines()
    assert len(analyzed.stderr.splitlines()) == 2
    assert list(noise) == FILE_KEYS
    assert noise["turns"] == []
    assert noise["seconds"] == 3


def test_each_file_heard_gets_its_picture(analyzed, folder):
    entries = json.loads(analyzed.stdout)["files"]

    assert [entry.get("picture") for entry in entries] == [
        "pictures/call.png", None, None, "pictures/noise.png",
    ]  # fmt: skip
    for name in ("call", "noise"):
        picture = folder / "pictures" / f"{name}.png"
        assert picture.read_bytes().startswith(b"\x89PNG")
    assert len(list((folder / "pictures").iterdir())) == 2


def test_people_read_a_table(shared, folder, speech):
    done = shared("analyze", speech.name, "noise.wav", "--pictures", "others")

    assert (done.returncode, done.stderr) == (0, "")
    assert "2 turns" in done.stdout
    for heading in ("time", "emotion", "valence", "arousal", "pitch", "rate", "level", "events"):
        assert heading in done.stdout
    assert " Hz" in done.stdout
    assert "noise.wav  0:03.0, no speech" in done.stdout
    assert "others/call.png" in done.stdout


def test_files_of_the_same_name_get_pictures_of_their_own(shared, folder):
    (folder / "other").mkdir()
    silence = np.zeros(1_600)
    for name in ("same.wav", "same.flac", "other/same.wav"):
        soundfile.write(folder / name, silence, 16_000)

    done = shared("analyze", "same.wav", "same.flac", "other/same.wav", "--pictures", "p", "--json")

    pictures = [entry["picture"] for entry in json.loads(done.stdout)["files"]]
    assert pictures == ["p/same.png", "p/same-2.png", "p/same-3.png"]
    assert all((folder / picture).is_file() for picture in pictures)


def test_one_picture_is_of_one_file(voice_agent):
    done = voice_agent("analyze", "a.wav", "b.wav", "--picture", "a.png")

    assert done.returncode == 2
    assert "--pictures DIR" in done.stderr


def test_a_picture_that_cannot_be_written_is_said(voice_agent, tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(1_600), 16_000)
    (tmp_path / "taken").touch()

    done = voice_agent("analyze", "a.wav", "--picture", "taken/a.png")

    assert done.returncode == 1
    assert done.stderr.startswith("voice-agent: taken/a.png cannot be written")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--engine", "nobody"), "no paralinguistics engine named 'nobody'; installed: embedded"),
        (("--config", "nowhere"), "no profile and no file named 'nowhere'"),
    ],
)
def test_a_wrong_name_is_one_clear_line(voice_agent, arguments, says):
    done = voice_agent("analyze", "a.wav", *arguments)

    assert (done.returncode, done.stdout) == (1, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_progress_is_shown_on_a_terminal_only(environment, speech, tmp_path):
    """On a terminal the display goes to stderr, and stdout stays pure JSON."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "voice_agent", "analyze", str(speech), "--json"],
        stdout=subprocess.PIPE,
        stderr=follower,
        env={**environment, "TERM": "xterm"},
        cwd=tmp_path,
    )
    os.close(follower)
    shown = bytearray()
    while True:
        try:
            shown += os.read(leader, 4_096)
        except OSError:  # Linux tells the end of a terminal so.
            break
    output, _ = process.communicate(timeout=60)
    os.close(leader)

    assert process.returncode == 0
    assert json.loads(output)["files"][0]["turns"]
    assert b"call.flac" in shown
