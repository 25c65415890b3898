"""People are told over HTTP, never at the price of a reply."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from voice_agent.errors import ConfigError
from voice_agent.handoff import Alert, Handoff
from voice_agent.settings import HandoffWebhook

ALERT = Alert("sess_1", "Ann", "high", "self_harm", ("wish", "voice"), "i want to die")


class Desk:
    """An HTTP server that answers with the given codes in turn, then 204; None never answers."""

    def __init__(self, *codes: int | None) -> None:
        self.codes = list(codes)
        self.requests: list[tuple[dict[str, str], dict]] = []
        self.got = threading.Semaphore(0)
        self.release = threading.Event()
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                desk.requests.append((dict(self.headers), body))
                code = desk.codes.pop(0) if desk.codes else 204
                desk.got.release()
                if code is None:
                    desk.release.wait(10)
                    code = 204
                self.send_response(code)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/danger"

    def wait(self, requests: int = 1) -> None:
        for _ in range(requests):
            assert self.got.acquire(timeout=10)

    def close(self) -> None:
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def desk(request) -> Iterator[Desk]:
    desk = Desk(*getattr(request, "param", ()))
    yield desk
    desk.close()


def handoff(desk: Desk, **options) -> Handoff:
    return Handoff(HandoffWebhook(url=desk.url, **options), retry_after_s=(0.0, 0.0, 0.0))


def test_an_alert_names_signs_and_no_words(desk, caplog):
    caplog.set_level("INFO")
    out = handoff(desk)
    out.notify(ALERT)
    out.close()
    headers, body = desk.requests[0]
    at = body.pop("at")
    assert at.endswith("+00:00")
    assert body == {
        "session": "sess_1",
        "user": "Ann",
        "level": "high",
        "danger": "self_harm",
        "signs": ["wish", "voice"],
    }
    assert "Authorization" not in headers
    assert "want to die" not in caplog.text


def test_words_are_sent_where_the_configuration_says_so(desk):
    out = handoff(desk, include_words=True)
    out.notify(ALERT)
    out.close()
    assert desk.requests[0][1]["words"] == "i want to die"


def test_the_token_comes_from_the_environment(desk, monkeypatch):
    monkeypatch.setenv("DESK_TOKEN", "secret")
    out = handoff(desk, token_env="DESK_TOKEN")
    out.notify(ALERT)
    out.close()
    assert desk.requests[0][0]["Authorization"] == "Bearer secret"


def test_a_token_that_is_not_there_is_told_at_the_start(monkeypatch):
    monkeypatch.delenv("DESK_TOKEN", raising=False)
    with pytest.raises(ConfigError, match="DESK_TOKEN is not set"):
        Handoff(HandoffWebhook(url="http://127.0.0.1:1/", token_env="DESK_TOKEN"))


@pytest.mark.parametrize("desk", [(500, 503)], indirect=True)
def test_what_fails_is_tried_again(desk, caplog):
    caplog.set_level("INFO")
    out = handoff(desk)
    out.notify(ALERT)
    desk.wait(3)
    out.close()
    assert [body["session"] for _, body in desk.requests] == ["sess_1"] * 3
    assert desk.requests[0][1]["at"] == desk.requests[2][1]["at"]
    assert caplog.text.count("handoff failed") == 2
    assert "handoff told" in caplog.text


@pytest.mark.parametrize("desk", [(500,) * 9], indirect=True)
def test_what_fails_for_good_is_given_up_and_logged(desk, caplog):
    out = handoff(desk)
    out.notify(ALERT)
    desk.wait(4)
    out.notify(Alert("sess_2", None, "acute", "harm_done", ("attempt_now",)))
    desk.wait(4)
    out.close()
    assert len(desk.requests) == 8
    assert caplog.text.count("handoff given up") == 2


def test_nobody_there_is_logged_and_harms_nobody(caplog):
    out = Handoff(HandoffWebhook(url="http://127.0.0.1:9/"), retry_after_s=(0.0,))
    out.notify(ALERT)
    out.close()
    assert "handoff given up" in caplog.text


@pytest.mark.parametrize("desk", [(None,)], indirect=True)
def test_telling_never_waits(desk):
    out = handoff(desk)
    began = time.monotonic()
    for _ in range(300):
        out.notify(ALERT)
    assert time.monotonic() - began < 1
    desk.wait()
    desk.release.set()
    out.close()
    assert len(desk.requests) >= 50


def test_after_closing_nothing_is_sent(desk):
    out = handoff(desk)
    out.close()
    out.notify(ALERT)
    assert desk.requests == []
