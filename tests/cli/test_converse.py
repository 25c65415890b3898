"""``voice-agent converse``: recordings in, replies out, never a failure without a clear message."""

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

TURN_KEYS = ["turn", "user", "thinking", "reply", "latency_ms", "engines"]
LATENCY_KEYS = ["endpoint", "asr_final", "first_token", "first_audio", "voice_to_voice"]

pytestmark = pytest.mark.skipif(
    shutil.which("flite") is None, reason="flite makes the test speech; apt-get install flite"
)


@pytest.fixture(scope="session")
def speech(tmp_path_factory) -> Path:
    """Somebody says something sad, 16 kHz mono."""
    path = tmp_path_factory.mktemp("speech") / "sad.wav"
    text = "I lost my job yesterday and I feel so sad about it"
    subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", path], check=True)
    return path


def turns(done: subprocess.CompletedProcess[str]) -> list[dict]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_recording_is_heard_thought_about_and_answered(voice_agent, speech, tmp_path):
    done = voice_agent("converse", speech, "--json", "--fast", "--out", "replies")

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    (turn,) = turns(done)
    assert list(turn) == TURN_KEYS
    assert turn["turn"] == 1
    assert "job" in turn["user"]["text"]
    assert turn["user"]["paralinguistics"]["manner"]["pitch_hz"] > 50
    assert list(turn["thinking"]) == ["linguistic", "paralinguistic", "strategy", "reply_emotion"]
    assert all(turn["thinking"].values())
    assert list(turn["reply"]) == ["text", "emotion", "audio"]
    assert turn["reply"]["emotion"] == turn["thinking"]["reply_emotion"]
    assert list(turn["latency_ms"]) == LATENCY_KEYS
    assert turn["latency_ms"]["voice_to_voice"] > 0
    assert turn["engines"]["recognizer"] == "pocketsphinx"

    assert turn["reply"]["audio"] == "replies/turn-01.wav"
    audio, rate = soundfile.read(tmp_path / "replies" / "turn-01.wav")
    assert rate == 24_000
    assert len(audio) / rate > 0.05 * len(turn["reply"]["text"].split())
    assert np.abs(audio).max() > 0.05


def test_files_of_every_kind_are_turns_of_one_conversation(voice_agent, speech, tmp_path):
    samples, rate = soundfile.read(speech)
    kinds = {
        "telephone.wav": (8_000, "PCM_16", 1),
        "studio.flac": (96_000, "PCM_24", 2),
        "web.ogg": (48_000, "OPUS", 2),
    }
    for name, (wanted, subtype, channels) in kinds.items():
        positions = np.arange(0, len(samples), rate / wanted)
        there = np.interp(positions, np.arange(len(samples)), samples)
        soundfile.write(tmp_path / name, np.stack([there] * channels, axis=1), wanted, subtype)

    done = voice_agent("converse", *kinds, "--json", "--fast")

    assert done.returncode == 0, done.stderr
    assert [turn["turn"] for turn in turns(done)] == [1, 2, 3]
    for turn in turns(done):
        assert turn["user"]["text"]
        assert turn["reply"]["text"]
        assert turn["reply"]["audio"] is None


def test_a_file_without_speech_is_no_failure(voice_agent, speech, tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(32_000), 16_000)

    done = voice_agent("converse", "silent.wav", speech, "--json", "--fast", "--out", "o")

    assert done.returncode == 0, done.stderr
    silent, spoken = turns(done)
    assert list(silent) == [*TURN_KEYS, "note"]
    assert silent["note"] == "no speech found in silent.wav"
    assert silent["user"] == {"text": "", "paralinguistics": None}
    assert silent["reply"] is None
    assert silent["latency_ms"] == dict.fromkeys(LATENCY_KEYS)
    assert spoken["turn"] == 2
    assert [path.name for path in (tmp_path / "o").iterdir()] == ["turn-02.wav"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("missing.wav", None, "no such file"),
        ("empty.wav", b"", "is empty"),
        ("letter.wav", b"Dear diary, " * 100, "WAV, FLAC and OGG"),
    ],
)
def test_after_a_bad_file_the_turns_before_it_are_there(
    voice_agent, speech, tmp_path, name, content, says
):
    if content is not None:
        (tmp_path / name).write_bytes(content)

    done = voice_agent("converse", speech, name, "--json", "--fast")

    assert done.returncode == 1
    assert len(turns(done)) == 1
    assert done.stderr.startswith(f"voice-agent: {name}")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_of_a_truncated_file_what_is_there_is_answered(voice_agent, speech, tmp_path):
    data = speech.read_bytes()
    (tmp_path / "cut.wav").write_bytes(data[: len(data) * 2 // 3])

    done = voice_agent("converse", "cut.wav", "--json", "--fast")

    assert done.returncode == 0
    assert turns(done)[0]["reply"]["text"]
    assert done.stderr.startswith("warning: cut.wav is truncated")


def test_with_endpointing_one_file_holds_many_turns(voice_agent, speech, tmp_path):
    samples, rate = soundfile.read(speech)
    pause = np.zeros(rate * 15)
    soundfile.write(tmp_path / "two.wav", np.concatenate([samples, pause, samples]), rate)

    done = voice_agent("converse", "two.wav", "--endpointing", "--json", "--fast")

    assert done.returncode == 0, done.stderr
    assert len(turns(done)) == 2
    assert all("note" not in turn for turn in turns(done))


def test_speaking_into_the_reply_cuts_it(voice_agent, speech, tmp_path):
    samples, rate = soundfile.read(speech)
    pause = np.zeros(rate * 2)
    soundfile.write(tmp_path / "rude.wav", np.concatenate([samples, pause, samples]), rate)

    done = voice_agent("converse", "rude.wav", "--endpointing", "--json", "--fast", "--out", "o")

    assert done.returncode == 0, done.stderr
    cut, whole = turns(done)
    assert cut["note"].startswith("interrupted; heard of the reply: ")
    heard = cut["note"].partition(": ")[2].strip("'\"")
    assert cut["reply"]["text"].startswith(heard)
    assert len(heard) < len(cut["reply"]["text"])
    assert soundfile.info(tmp_path / "o" / "turn-01.wav").duration < 2.5
    assert whole["reply"]["text"]


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


def test_the_conversation_is_kept(voice_agent, speech):
    voice_agent("converse", speech, "--fast")

    (line,) = voice_agent("sessions", "list", "--json").stdout.splitlines()
    kept = json.loads(line)
    assert kept["turns"] == 1
    assert kept["ended"] is not None
    shown = json.loads(voice_agent("sessions", "export", kept["id"]).stdout)
    assert "job" in shown["turns"][0]["user"]["text"]
