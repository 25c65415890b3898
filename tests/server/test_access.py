"""Who may talk to the server."""

import pytest
from starlette.datastructures import Headers

from voice_agent.errors import ConfigError, StoreError
from voice_agent.server.access import Access, Secrets, check_address, is_loopback
from voice_agent.settings import Server

TOKEN = "correct horse battery staple"


def refused(server: Server, path: str = "/v1/realtime", **headers: str) -> str | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    refusal = Access(server).refusal(path, Headers({"host": "127.0.0.1:8765"} | named))
    return refusal.code if refusal else None


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost", True),
        ("agent.localhost", True),
        ("0.0.0.0", False),
        ("192.168.1.4", False),
        ("::", False),
        ("example.org", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_what_loopback_is(host, loopback):
    assert is_loopback(host) is loopback


def test_other_machines_need_a_token():
    check_address(Server())
    check_address(Server(host="0.0.0.0", token=TOKEN))
    with pytest.raises(ConfigError, match=r"server\.token"):
        check_address(Server(host="0.0.0.0"))
    with pytest.raises(ConfigError, match="empty"):
        check_address(Server(host="0.0.0.0", token=""))


def test_programs_need_no_origin():
    assert refused(Server()) is None


@pytest.mark.parametrize(
    ("origin", "code"),
    [
        ("http://127.0.0.1:8765", None),
        ("https://127.0.0.1:8765", None),
        ("http://127.0.0.1:9999", "origin_not_allowed"),
        ("http://localhost:8765", "origin_not_allowed"),
        ("https://evil.example", "origin_not_allowed"),
        ("null", "origin_not_allowed"),
        ("", "origin_not_allowed"),
        ("https://talk.example.org", None),
        ("https://TALK.example.org", None),
        ("http://talk.example.org", "origin_not_allowed"),
    ],
)
def test_pages_must_be_the_servers_own_or_listed(origin, code):
    assert refused(Server(origins=("https://talk.example.org/",)), origin=origin) == code


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("127.0.0.1:8765", None),
        ("localhost", None),
        ("[::1]:8765", None),
        ("rebound.example:8765", "host_not_allowed"),
        ("127.0.0.1.example", "host_not_allowed"),
        ("", "host_not_allowed"),
        ("[", "host_not_allowed"),
        ("talk.example.org", None),
    ],
)
def test_on_loopback_the_host_must_be_this_machine_or_listed(host, code):
    assert refused(Server(origins=("https://talk.example.org",)), host=host) == code


def test_a_rebound_name_does_not_help_a_page():
    evil = {"host": "rebound.example:8765", "origin": "http://rebound.example:8765"}
    assert refused(Server(), **evil) == "host_not_allowed"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "invalid_api_key"),
        ({"authorization": f"Bearer {TOKEN}"}, None),
        ({"authorization": f"bearer {TOKEN}"}, None),
        ({"authorization": f"Basic {TOKEN}"}, "invalid_api_key"),
        ({"authorization": "Bearer wrong"}, "invalid_api_key"),
        ({"authorization": "Bearer "}, "invalid_api_key"),
        ({"authorization": "Bearer ünïcode"}, "invalid_api_key"),
        ({"sec_websocket_protocol": f"realtime, openai-insecure-api-key.{TOKEN}"}, None),
        ({"sec_websocket_protocol": "realtime, openai-insecure-api-key.x"}, "invalid_api_key"),
        ({"sec_websocket_protocol": TOKEN}, "invalid_api_key"),
    ],
)
def test_the_token_comes_as_header_or_subprotocol(headers, code):
    assert refused(Server(host="0.0.0.0", token=TOKEN), **headers) == code


@pytest.mark.parametrize("path", ["/", "/app.js", "/healthz", "/v1/conversations/sess_1"])
def test_the_page_comes_without_the_token(path):
    assert refused(Server(token=TOKEN), path) is None


def test_a_secret_opens_its_own_conversation_only(tmp_path):
    secrets = Secrets.beside(tmp_path / "a.db")
    assert secrets.opens("sess_1", secrets.of("sess_1"))
    assert not secrets.opens("sess_2", secrets.of("sess_1"))
    assert not secrets.opens("sess_1", None)
    assert not secrets.opens("sess_1", "")
    assert not Secrets.beside(tmp_path / "b.db").opens("sess_1", secrets.of("sess_1"))


def test_secrets_outlive_the_process(tmp_path):
    store = tmp_path / "a.db"
    secret = Secrets.beside(store).of("sess_1")
    assert Secrets.beside(store).opens("sess_1", secret)
    assert (tmp_path / "a.db.key").stat().st_mode & 0o077 == 0


def test_a_damaged_key_is_named(tmp_path):
    (tmp_path / "a.db.key").write_bytes(b"short")
    with pytest.raises(StoreError, match=r"a\.db\.key.*delete it"):
        Secrets.beside(tmp_path / "a.db")
    with pytest.raises(StoreError, match="nowhere"):
        Secrets.beside(tmp_path / "nowhere" / "a.db")
