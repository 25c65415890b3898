"""Who a client says its person is, and whether their memory opens to it."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.websockets import WebSocket

from voice_agent.agent import Agent
from voice_agent.person import Person
from voice_agent.transports.realtime.items import Wire
from voice_agent.transports.realtime.protocol import RequestError

KEY_PROTOCOL = "voice-agent-user-key."
"""Browsers cannot set headers on a websocket: the key comes as a sub-protocol of this name."""

KEY_HEADER = "x-voice-agent-user-key"


@dataclass(frozen=True, slots=True)
class Guest:
    """The person at a client.

    Attributes:
        person: Who they are; None for nobody who is remembered.
        locked: They gave a name that is somebody else's, as far as they showed.
    """

    person: Person | None = None
    locked: bool = False

    def wire(self) -> Wire:
        """What the client is told: its part of ``voice_agent.session``."""
        if self.person is None:
            memory = "locked" if self.locked else "session"
            return {"memory": memory, "user": None, "user_key": None}
        return {"memory": "kept", "user": self.person.user, "user_key": self.person.key}


async def admit(websocket: WebSocket, agent: Agent) -> Guest:
    """Finds out who is at a client, by what it gave when it connected.

    Raises:
        RequestError: The name cannot be one.
        StoreError: Memory cannot be read.
    """
    name = websocket.query_params.get("user")
    if name is None:
        return Guest()
    try:
        person = await agent.store.memories.admit(name, _key(websocket))
    except ValueError as error:
        raise RequestError("invalid_user", f"user: {error}", "user") from error
    if not agent.config.memory.enabled:
        return Guest()
    return Guest(person, locked=person is None)


def _key(websocket: WebSocket) -> str | None:
    headers: Mapping[str, str] = websocket.headers
    if KEY_HEADER in headers:
        return headers[KEY_HEADER]
    offered: list[str] = websocket.scope.get("subprotocols", [])
    shown = [name for name in offered if name.startswith(KEY_PROTOCOL)]
    return shown[0].removeprefix(KEY_PROTOCOL) if shown else None
