"""Memory over the network: a name, the key that proves it, and what its owner may do."""

from types import SimpleNamespace

import httpx
import pytest

from voice_agent.events import Memory
from voice_agent.memory_tables import Noticed
from voice_agent.person import Person
from voice_agent.server.app import create_app
from voice_agent.settings import Config, Server
from voice_agent.store import Store

KEY = "X-Voice-Agent-User-Key"


@pytest.fixture
async def agent(tmp_path):
    store = await Store.open(tmp_path / "conversations.db")
    yield SimpleNamespace(
        config=Config(), engines={}, store=store, sessions=0, is_open=lambda _: False
    )
    await store.close()


def client(agent) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(agent))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765")


async def remember(agent, name, *texts) -> tuple[str, list[str]]:
    """Remembers something of somebody who came over the network: their key, and its ids."""
    person = await agent.store.memories.admit(name, None)
    noticed = [Noticed(Memory("fact", text, "home", at=1.7e9, valence=0.5), text) for text in texts]
    return person.key, await agent.store.memories.keep(person, "sess_1", noticed)


async def test_the_owner_reads_and_exports_all(agent):
    key, (ref,) = await remember(agent, "Ada", "you live in Leeds")
    async with client(agent) as http:
        answer = await http.get("/v1/memory", params={"user": "ADA"}, headers={KEY: key})

    assert answer.status_code == 200
    assert answer.json() == {
        "user": "ada",
        "memories": [
            {
                "id": ref,
                "kind": "fact",
                "about": "home",
                "text": "you live in Leeds",
                "at": "2023-11-14T22:13:20+00:00",
                "valence": 0.5,
                "arousal": 0.0,
                "session_id": "sess_1",
            }
        ],
    }


async def test_the_owner_erases_one_or_all(agent):
    key, (leeds, cat) = await remember(agent, "Ada", "you live in Leeds", "you have a cat")
    headers = {KEY: key}
    async with client(agent) as http:
        assert (await http.delete(f"/v1/memory/{leeds}?user=ada", headers=headers)).is_success
        again = await http.delete(f"/v1/memory/{leeds}?user=ada", headers=headers)
        assert (again.status_code, again.json()["error"]["code"]) == (404, "unknown_memory")
        left = (await http.get("/v1/memory?user=ada", headers=headers)).json()["memories"]
        assert [memory["id"] for memory in left] == [cat]
        assert (await http.delete("/v1/memory?user=ada", headers=headers)).status_code == 204
        assert (await http.get("/v1/memory?user=ada", headers=headers)).json()["memories"] == []

    for file in agent.store.path.parent.glob("conversations.db*"):
        assert b"Leeds" not in file.read_bytes()


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/memory"), ("DELETE", "/v1/memory"), ("DELETE", "/v1/memory/{ref}")],
)
@pytest.mark.parametrize("shown", [None, "", "0" * 64, "eve's", "ünïcode"])
async def test_nobody_else_does(agent, method, path, shown):
    _, (ref,) = await remember(agent, "Ada", "you live in Leeds")
    eves, _ = await remember(agent, "Eve", "you live in York")
    shown = eves if shown == "eve's" else shown
    headers = {} if shown is None else {KEY: shown.encode()}
    async with client(agent) as http:
        answer = await http.request(
            method, path.format(ref=ref), params={"user": "Ada"}, headers=headers
        )
        theirs = await http.request(
            method, path.format(ref=ref), params={"user": "Eve"}, headers={KEY: eves}
        )

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_user_key"
    assert "Leeds" not in answer.text + theirs.text
    assert len(await agent.store.memories.newest(Person.here("Ada"))) == 1


async def test_of_a_free_name_there_is_nothing(agent):
    async with client(agent) as http:
        assert (await http.get("/v1/memory?user=Ada")).json() == {"user": "ada", "memories": []}
        assert (await http.delete("/v1/memory/mem_1?user=Ada")).status_code == 404
        for name in ("", "%20", "a" * 101):
            answer = await http.get(f"/v1/memory?user={name}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_user")


async def test_the_servers_token_is_needed_too(agent):
    key, (ref,) = await remember(agent, "Ada", "you live in Leeds")
    agent.config = Config(server=Server(token="t"))
    async with client(agent) as http:
        for path in ("/v1/memory?user=Ada", f"/v1/memory/{ref}?user=Ada"):
            answer = await http.delete(path, headers={KEY: key})
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
        headers = {KEY: key, "Authorization": "Bearer t"}
        assert (await http.get("/v1/memory?user=Ada", headers=headers)).status_code == 200


async def test_a_listed_site_may_show_the_key(agent):
    origin = "https://talk.example.org"
    agent.config = Config(server=Server(origins=(origin,)))
    asked = {
        "origin": origin,
        "access-control-request-method": "DELETE",
        "access-control-request-headers": KEY,
    }
    async with client(agent) as http:
        answer = await http.options("/v1/memory", headers=asked)
    assert answer.status_code == 200
    assert KEY.lower() in answer.headers["access-control-allow-headers"].lower()
