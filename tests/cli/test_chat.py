"""``voice-agent chat``: the same agent in writing."""

import json
import os
import pty
import subprocess
import sys

import soundfile

LINES = "i lost my job yesterday\n\n  i am so happy, i found a new job!  \n"


def test_each_line_is_a_turn(voice_agent):
    done = voice_agent("chat", "--json", stdin=LINES)

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["turn"], second["turn"]) == (1, 2)
    assert first["user"] == {"text": "i lost my job yesterday", "paralinguistics": None}
    assert second["user"]["text"] == "i am so happy, i found a new job!"
    assert first["reply"]["text"]
    assert first["reply"]["audio"] is None
    assert first["thinking"]["linguistic"]
    assert first["reply"]["emotion"] != second["reply"]["emotion"]


def test_replies_are_spoken_on_request(voice_agent, tmp_path):
    done = voice_agent("chat", "--json", "--out", "spoken", stdin=LINES)

    assert done.returncode == 0, done.stderr
    for turn in map(json.loads, done.stdout.splitlines()):
        info = soundfile.info(tmp_path / turn["reply"]["audio"])
        assert info.samplerate == 24_000
        assert info.duration > 0.5


def test_nothing_said_is_nothing_answered(voice_agent):
    done = voice_agent("chat", stdin="")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_somebody_at_a_terminal_gets_a_prompt_and_the_disclosure(environment, tmp_path):
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "voice_agent", "chat"],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={**environment, "TERM": "xterm"},
        cwd=tmp_path,
    )
    os.close(follower)
    shown = bytearray()
    while not shown.endswith(b"> "):
        shown += os.read(leader, 4_096)
    assert b"You are talking to a machine" in shown
    os.write(leader, b"i feel great\n")
    shown.clear()
    while not shown.endswith(b"> "):
        shown += os.read(leader, 4_096)
    assert b"Turn 1" in shown
    os.write(leader, b"\x04")
    while True:
        try:
            if not os.read(leader, 4_096):
                break
        except OSError:  # Linux tells the end of a terminal so.
            break
    assert process.wait(timeout=30) == 0
    os.close(leader)
