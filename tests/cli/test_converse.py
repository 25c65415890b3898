"""``voice-agent converse``: recordings in, replies out, never a failure without a clear message."""

import json
import os
import pty
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voice_agent.events import Thought

TURN_KEYS = ["turn", "user", "thinking", "reply", "latency_ms", "engines"]
LATENCY_KEYS = ["endpoint", "asr_final", "first_token", "first_audio", "voice_to_voice"]

pytestmark = pytest.mark.skipif(
    shutil.which("flite") is None, reason="flite makes the test speech; apt-get install flite"
)


@pytest.fixture(scope="module")
def speech(folder) -> Path:
    """Somebody says something sad, 16 kHz mono."""
    path = folder / "sad.wav"
    text = "I lost my job yesterday and I feel so sad about it"
    subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", path], check=True)
    return path


@pytest.fixture(scope="module")
def conversed(shared, folder, speech) -> subprocess.CompletedProcess[str]:
    """A conversation of four files, of which one has no speech and the last is no audio."""
    samples, rate = soundfile.read(speech)
    soundfile.write(folder / "silent.wav", np.zeros(32_000), 16_000)
    fine = np.interp(np.arange(0, len(samples), rate / 96_000), np.arange(len(samples)), samples)
    soundfile.write(folder / "studio.flac", np.stack([fine, fine], axis=1), 96_000, "PCM_24")
    (folder / "letter.wav").write_text("Dear diary, " * 100)
    files = ("sad.wav", "silent.wav", "studio.flac", "letter.wav")
    return shared("converse", *files, "--json", "--fast", "--out", "replies")


def turns(done: subprocess.CompletedProcess[str]) -> list[dict]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_recording_is_heard_thought_about_and_answered(conversed, folder):
    turn = turns(conversed)[0]

    assert list(turn) == TURN_KEYS
    assert turn["turn"] == 1
    assert "job" in turn["user"]["text"]
    assert turn["user"]["paralinguistics"]["manner"]["pitch_hz"] > 50
    assert list(turn["thinking"]) == [each.name for each in fields(Thought)]
    for told in ("linguistic", "paralinguistic", "stage", "strategy", "reason", "reply_emotion"):
        assert turn["thinking"][told]
    assert list(turn["reply"]) == ["text", "emotion", "audio"]
    assert turn["reply"]["emotion"] == turn["thinking"]["reply_emotion"]
    assert list(turn["latency_ms"]) == LATENCY_KEYS
    assert turn["latency_ms"]["voice_to_voice"] > 0
    assert turn["engines"]["recognizer"] == "pocketsphinx"

    assert turn["reply"]["audio"] == "replies/turn-01.wav"
    audio, rate = soundfile.read(folder / "replies" / "turn-01.wav")
    assert rate == 24_000
    assert len(audio) / rate > 0.05 * len(turn["reply"]["text"].split())
    assert np.abs(audio).max() > 0.05


def test_a_file_without_speech_is_no_failure(conversed, folder):
    silent, next_turn = turns(conversed)[1:]

    assert list(silent) == [*TURN_KEYS, "note"]
    assert silent["note"] == "no speech found in silent.wav"
    assert silent["user"] == {"text": "", "paralinguistics": None}
    assert silent["thinking"] is None
    assert silent["reply"] is None
    assert silent["latency_ms"] == dict.fromkeys(LATENCY_KEYS)
    assert next_turn["turn"] == 3
    assert "job" in next_turn["user"]["text"]
    written = sorted(path.name for path in (folder / "replies").iterdir())
    assert written == ["turn-01.wav", "turn-03.wav"]


def test_after_a_bad_file_the_turns_before_it_are_there(conversed):
    assert conversed.returncode == 1
    assert len(turns(conversed)) == 3
    assert conversed.stderr.startswith("voice-agent: letter.wav is not audio that can be read")
    assert "WAV, FLAC and OGG" in conversed.stderr
    assert conversed.stderr.count("\n") == 1


@pytest.mark.usefixtures("conversed")
def test_the_conversation_is_kept(shared):
    (line,) = shared("sessions", "list", "--json").stdout.splitlines()
    kept = json.loads(line)
    assert kept["turns"] == 2
    assert kept["ended"] is not None
    shown = json.loads(shared("sessions", "export", kept["id"]).stdout)
    assert "job" in shown["turns"][0]["user"]["text"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [("missing.wav", None, "no such file"), ("empty.wav", b"", "is empty")],
)
def test_a_bad_first_file_is_one_clear_line(voice_agent, tmp_path, name, content, says):
    if content is not None:
        (tmp_path / name).write_bytes(content)

    done = voice_agent("converse", name, "--json", "--fast")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"voice-agent: {name}")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_people_read_a_page_rather_than_json(voice_agent, speech):
    done = voice_agent("converse", speech, "--fast")

    assert done.returncode == 0
    assert "Turn 1" in done.stdout
    assert "agent" in done.stdout
    assert "job" in done.stdout
    assert "voice to voice" in done.stdout
    assert done.stderr == ""


def test_progress_is_shown_on_a_terminal_only(environment, speech, tmp_path):
    """On a terminal the display goes to stderr, and stdout stays pure JSON."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "voice_agent", "converse", str(speech), "--json", "--fast"],
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
    assert len([json.loads(line) for line in output.splitlines()]) == 1
    assert b"sad.wav" in shown


def test_a_folder_that_cannot_be_made_is_one_clear_line(voice_agent, speech, tmp_path):
    (tmp_path / "taken").touch()

    done = voice_agent("converse", speech, "--fast", "--out", "taken")

    assert done.returncode == 1
    assert done.stderr.startswith("voice-agent: taken cannot be made a folder")
