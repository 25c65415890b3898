"""Logs: machines read JSON, people read lines."""

import json
import logging

import pytest

from voice_agent import logs


@pytest.fixture(autouse=True)
def _logging_as_it_was():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def test_a_server_logs_one_json_object_a_line(capsys):
    logs.configure("info", structured=True)
    log = logging.getLogger("voice_agent.test")

    log.info("session opened", extra={"session": "sess_1", "open": 3})
    log.debug("not shown")
    try:
        raise ValueError("no good")
    except ValueError:
        log.exception("failed")

    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert first["message"] == "session opened"
    assert (first["level"], first["session"], first["open"]) == ("info", "sess_1", 3)
    assert first["time"].endswith("+00:00")
    assert "ValueError: no good" in second["exception"]


def test_what_is_no_json_is_written_as_text(capsys):
    logs.configure("info", structured=True)

    logging.getLogger("voice_agent.test").info("odd", extra={"thing": {1}})

    assert json.loads(capsys.readouterr().err)["thing"] == "{1}"


def test_a_person_reads_plain_lines_without_tracebacks(capsys):
    logs.configure("warning", structured=False)
    log = logging.getLogger("voice_agent.test")

    log.info("not shown")
    log.warning("the file is cut short", extra={"file": "a.wav"}, exc_info=ValueError("x"))

    assert capsys.readouterr().err == "warning: the file is cut short\n"
