"""What all commands have in common: quick help, exit codes, one clear line for an error."""

import subprocess
import sys
import time

import pytest

COMMANDS = ("serve", "converse", "chat", "doctor", "config", "sessions")


def test_the_help_names_all_commands(voice_agent):
    done = voice_agent("--help")

    assert done.returncode == 0
    for command in COMMANDS:
        assert command in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(voice_agent, command):
    done = voice_agent(command, "--help")

    assert done.returncode == 0
    assert "Usage" in done.stdout


def test_the_help_comes_at_once():
    """It loads nothing heavy, and needs little more time than the interpreter itself."""
    code = (
        "import sys; sys.argv = ['voice-agent', '--help']\n"
        "from voice_agent.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'soundfile', 'pydantic', 'onnxruntime', 'yaml', 'starlette'}\n"
        "print('LOADED', sorted(heavy & sys.modules.keys()))"
    )
    began = time.process_time()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert time.process_time() - began < 1
    assert "LOADED []" in done.stdout


def test_the_version_is_told(voice_agent):
    done = voice_agent("--version")

    assert done.returncode == 0
    assert done.stdout.startswith("voice-agent 0.")


def test_wrong_usage_is_exit_code_2(voice_agent):
    for arguments in (("converse",), ("nonsense",), ("serve", "--port", "99999")):
        done = voice_agent(*arguments)
        assert done.returncode == 2, arguments
        assert done.stderr


@pytest.mark.parametrize(
    "arguments",
    [("serve",), ("chat",), ("converse", "a.wav"), ("config",), ("sessions", "list")],
    ids=" ".join,
)
def test_a_mistake_in_the_configuration_is_one_clear_line(voice_agent, tmp_path, arguments):
    (tmp_path / "mine.yaml").write_text("server: {prot: 9000}\n")

    done = voice_agent(*arguments, "--config", "mine.yaml")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "voice-agent: mine.yaml: server.prot: there is no such setting\n"


def test_the_configuration_in_force_is_printed(voice_agent):
    done = voice_agent("config")

    assert done.returncode == 0
    assert "  # Port to listen on; 0 for any free one\n  port: 8765\n" in done.stdout
