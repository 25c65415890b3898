"""``voice-agent serve``: says where it is and what it runs, and ends cleanly."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest


@pytest.fixture(params=["embedded"])
def server(request, environment, tmp_path) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(
        [sys.executable, "-m", "voice_agent", "serve", "--port", "0", "-c", request.param],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=tmp_path,
    )
    yield process
    process.kill()
    process.communicate()


def test_the_address_and_the_engines_are_told(server):
    first = server.stdout.readline()
    address = next(word for word in first.split() if word.startswith("http://127.0.0.1:"))
    told = [server.stdout.readline() for _ in range(6)]

    assert "embedded" in told[0]
    assert any("pocketsphinx" in line for line in told)
    assert any("espeak" in line for line in told)
    with urllib.request.urlopen(f"{address}/healthz", timeout=10) as answer:
        health = json.load(answer)
    assert health["engines"]["recognizer"] == "pocketsphinx"
    assert health["started"]["recognizer"] == {"engine": "pocketsphinx", "why": ""}
    with urllib.request.urlopen(address, timeout=10) as answer:
        assert b"<html" in answer.read()

    server.send_signal(signal.SIGINT)
    _, errors = server.communicate(timeout=30)
    assert server.returncode == 0
    for line in errors.splitlines():
        assert json.loads(line)["level"] == "info"


@pytest.mark.parametrize("server", ["auto"], indirect=True)
def test_auto_tells_what_it_took_and_why_nothing_better(server):
    address = next(word for word in server.stdout.readline().split() if word.startswith("http"))
    told = [server.stdout.readline().strip() for _ in range(3)]

    assert told[0] == "Profile auto with"
    assert told[1].split() == ["recognizer", "pocketsphinx"]
    assert "not faster_whisper (" in told[2]
    with urllib.request.urlopen(f"{address}/healthz", timeout=10) as answer:
        health = json.load(answer)
    assert health["profile"] == "auto"
    assert health["started"]["recognizer"]["why"] == told[2]
    chosen = json.loads(next(line for line in server.stderr if "engines chosen" in line))
    assert chosen["engines"]["recognizer"] == "pocketsphinx"
    assert chosen["why"]["recognizer"] == told[2]


def test_a_port_in_use_is_one_clear_line(voice_agent):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = voice_agent("serve", "--port", port, "--log-level", "warning")

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"port {port}" in done.stderr
    assert "in use" in done.stderr
