"""``voice-agent serve``: says where it is and what it runs, and ends cleanly."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest


@pytest.fixture
def server(environment, tmp_path) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(
        [sys.executable, "-m", "voice_agent", "serve", "--port", "0"],
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
    with urllib.request.urlopen(address, timeout=10) as answer:
        assert b"<html" in answer.read()

    server.send_signal(signal.SIGINT)
    _, errors = server.communicate(timeout=30)
    assert server.returncode == 0
    for line in errors.splitlines():
        assert json.loads(line)["level"] == "info"


def test_a_port_in_use_is_one_clear_line(voice_agent):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = voice_agent("serve", "--port", port, "--log-level", "warning")

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"port {port}" in done.stderr
    assert "in use" in done.stderr
