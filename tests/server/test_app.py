"""What the server answers to plain requests, and how it starts and stops."""

import asyncio
import os
import signal
import socket
from types import SimpleNamespace

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from voice_agent.dialogue.events import ReplyEnded, SpeechIgnored, TurnEnded
from voice_agent.errors import CannotListen, ConfigError
from voice_agent.events import Latency, ReplyStatus, Thought, TurnRecord, UserTurn
from voice_agent.server import app as app_module
from voice_agent.server.access import Secrets
from voice_agent.server.app import create_app, listen, run, serve
from voice_agent.server.metrics import Metrics
from voice_agent.settings import Config, Limits, Server
from voice_agent.starting import Line
from voice_agent.store import Store

RECORD = TurnRecord(
    1,
    UserTurn("hello"),
    Thought(),
    "hi",
    "hi",
    ReplyStatus.COMPLETED,
    Latency(endpoint=310.0, voice_to_voice=420.0),
    {},
)


@pytest.fixture
async def agent(tmp_path):
    store = await Store.open(tmp_path / "conversations.db")
    yield SimpleNamespace(
        config=Config(),
        engines={"recognizer": "ears"},
        started={"recognizer": Line([], "ears (small)", "not big ears: no room")},
        resting={},
        store=store,
        sessions=0,
        is_open=lambda session: session == "sess_open",
    )
    await store.close()


@pytest.fixture
def page(tmp_path, monkeypatch):
    folder = tmp_path / "web"
    folder.mkdir()
    for name in ("index.html", "app.js", "style.css", "icon.svg", "module.mjs"):
        (folder / name).write_text("<!doctype html>" if name == "index.html" else "/* */")
    monkeypatch.setattr(app_module, "shipped", lambda _: folder)
    return folder


def client(agent) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(agent))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765")


async def test_health_tells_what_runs(agent):
    async with client(agent) as http:
        answer = await http.get("/healthz")
    assert answer.json() == {
        "status": "ok",
        "profile": "embedded",
        "engines": {"recognizer": "ears"},
        "started": {"recognizer": {"engine": "ears (small)", "why": "not big ears: no room"}},
        "resting": {},
        "sessions": 0,
    }


async def test_health_names_engines_that_failed(agent):
    agent.resting = {"recognizer": ("ears",)}
    async with client(agent) as http:
        answer = (await http.get("/healthz")).json()
    assert (answer["status"], answer["resting"]) == ("degraded", {"recognizer": ["ears"]})


@pytest.mark.parametrize(
    ("path", "type"),
    [
        ("/", "text/html"),
        ("/index.html", "text/html"),
        ("/app.js", "text/javascript"),
        ("/module.mjs", "text/javascript"),
        ("/style.css", "text/css"),
        ("/icon.svg", "image/svg+xml"),
    ],
)
async def test_the_page_comes_with_types_and_safe_headers(agent, page, path, type):
    async with client(agent) as http:
        answer = await http.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"].partition(";")[0] == type
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "connect-src 'self' ws: wss:" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-cache"
        again = await http.get(path, headers={"if-none-match": answer.headers["etag"]})
        assert again.status_code == 304


@pytest.mark.parametrize("path", ["/nothing.js", "/../pyproject.toml", "/%2e%2e/pyproject.toml"])
async def test_nothing_else_is_served(agent, page, path):
    (page.parent / "pyproject.toml").write_text("secret")
    async with client(agent) as http:
        answer = await http.get(path)
    assert answer.status_code == 404
    assert "content-security-policy" in answer.headers


async def test_a_page_of_another_site_is_refused(agent):
    async with client(agent) as http:
        answer = await http.get("/healthz", headers={"origin": "https://evil.example"})
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "origin_not_allowed"
        metrics = (await http.get("/metrics")).text
    assert 'voice_agent_refused_connections_total{reason="origin_not_allowed"} 1.0' in metrics


async def test_a_listed_site_may_read_the_answers(agent):
    agent.config = Config(server=Server(origins=("https://talk.example.org",)))
    async with client(agent) as http:
        answer = await http.get("/healthz", headers={"origin": "https://talk.example.org"})
    assert answer.headers["access-control-allow-origin"] == "https://talk.example.org"


async def test_a_page_can_ask_why_it_was_refused(agent):
    agent.config = Config(server=Server(token="t"), limits=Limits(sessions=1))
    async with client(agent) as http:
        answer = await http.get("/v1/access")
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        token = {"authorization": "Bearer t"}
        assert (await http.get("/v1/access", headers=token)).status_code == 204
        agent.sessions = 1
        answer = await http.get("/v1/access", headers=token)
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "overloaded"


# --- stored conversations -------------------------------------------------------------------


@pytest.fixture
def secrets(agent):
    return Secrets.beside(agent.store.path)


async def test_a_person_can_take_and_delete_their_conversation(agent, secrets):
    await agent.store.begin("sess_1", None, agent.engines)
    await agent.store.add("sess_1", RECORD)
    bearer = {"authorization": f"Bearer {secrets.of('sess_1')}"}
    async with client(agent) as http:
        exported = await http.get("/v1/conversations/sess_1", headers=bearer)
        assert exported.status_code == 200
        assert "hello" in exported.text
        deleted = await http.delete("/v1/conversations/sess_1", headers=bearer)
        assert deleted.status_code == 204
        gone = await http.get("/v1/conversations/sess_1", headers=bearer)
        assert (gone.status_code, gone.json()["error"]["code"]) == (404, "unknown_conversation")


async def test_a_conversation_under_way_is_deleted_on_its_own_connection(
    agent, secrets, monkeypatch
):
    monkeypatch.setattr(app_module, "PARTING_S", 0)
    await agent.store.begin("sess_open", None, agent.engines)
    bearer = {"authorization": f"Bearer {secrets.of('sess_open')}"}
    async with client(agent) as http:
        answer = await http.delete("/v1/conversations/sess_open", headers=bearer)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conversation_open")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_nobody_else_can(agent, secrets, method):
    await agent.store.begin("sess_1", None, agent.engines)
    async with client(agent) as http:
        for shown in ({}, {"authorization": f"Bearer {secrets.of('sess_2')}"}):
            answer = await http.request(method, "/v1/conversations/sess_1", headers=shown)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_secret")
    assert await agent.store.turns("sess_1") == []


# --- metrics --------------------------------------------------------------------------------


def test_metrics_count_what_happens():
    metrics = Metrics(lambda: 3)
    metrics.on_event(TurnEnded(RECORD))
    metrics.on_event(ReplyEnded("r", "i", ReplyStatus.INTERRUPTED, "", "", 0))
    metrics.on_event(ReplyEnded("r", "i", ReplyStatus.COMPLETED, "", "", 0))
    metrics.on_event(SpeechIgnored("i"))
    metrics.on_error("invalid_json")
    metrics.on_refused("overloaded")
    metrics.on_dropped("slow_client", 2.5)
    lines = metrics.exposition().decode().splitlines()
    for line in (
        "voice_agent_sessions 3.0",
        'voice_agent_turns_total{status="completed"} 1.0',
        "voice_agent_interruptions_total 1.0",
        "voice_agent_ignored_sounds_total 1.0",
        'voice_agent_errors_total{code="invalid_json"} 1.0',
        'voice_agent_refused_connections_total{reason="overloaded"} 1.0',
        'voice_agent_dropped_connections_total{reason="slow_client"} 1.0',
        "voice_agent_dropped_audio_seconds_total 2.5",
        'voice_agent_latency_seconds_bucket{le="0.5",stage="voice_to_voice"} 1.0',
        'voice_agent_latency_seconds_bucket{le="0.3",stage="endpoint"} 0.0',
    ):
        assert line in lines
    assert not [line for line in lines if 'stage="first_token"' in line]


# --- the server itself ----------------------------------------------------------------------


async def started(agent) -> tuple[asyncio.Task, str]:
    listener = listen("127.0.0.1", 0)
    ready = asyncio.Event()
    server = asyncio.create_task(run(agent, listener, ready.set))
    await asyncio.wait_for(ready.wait(), 10)
    return server, f"127.0.0.1:{listener.getsockname()[1]}"


async def test_a_refused_websocket_says_why(agent):
    agent.config = Config(server=Server(token="t"))
    server, address = await started(agent)
    with pytest.raises(InvalidStatus) as caught:
        await connect(f"ws://{address}/v1/realtime")
    assert caught.value.response.status_code == 401
    assert b"invalid_api_key" in caught.value.response.body
    with pytest.raises(InvalidStatus) as caught:
        await connect(f"ws://{address}/v1/realtime", origin="https://evil.example")
    assert caught.value.response.status_code == 403
    with pytest.raises(InvalidStatus) as caught:
        await connect(f"ws://{address}/elsewhere")
    assert caught.value.response.status_code == 404
    server.cancel()
    with pytest.raises(asyncio.CancelledError):
        await server


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_the_server_and_not_the_process(agent, stop):
    server, address = await started(agent)
    os.kill(os.getpid(), stop)
    await asyncio.wait_for(server, 10)
    with pytest.raises(OSError, match=r"refused|failed"):
        await connect(f"ws://{address}/v1/realtime")


async def test_a_port_in_use_is_named_with_advice():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=rf"127\.0\.0\.1 port {port}.*server\.port"):
            listen("127.0.0.1", port)


async def test_an_address_of_another_machine_is_named():
    with pytest.raises(CannotListen, match=r"192\.0\.2\.1"):
        listen("192.0.2.1", 0)


async def test_the_network_is_not_served_without_a_token():
    open_to_all = Config(server=Server(host="0.0.0.0", port=0))
    with pytest.raises(ConfigError, match="token"):
        await serve(open_to_all, lambda *_: None)
