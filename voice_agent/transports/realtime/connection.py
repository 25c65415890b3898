"""One websocket: bytes in and out, its bounds and its end. What is said is the call's matter."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

from pydantic_core import to_json
from starlette.websockets import WebSocket, WebSocketDisconnect

from voice_agent.agent import Agent
from voice_agent.dialogue.events import SessionEvent, SessionFailed
from voice_agent.errors import Overloaded, VoiceAgentError
from voice_agent.transports.realtime.call import Call
from voice_agent.transports.realtime.guest import admit
from voice_agent.transports.realtime.items import Wire
from voice_agent.transports.realtime.outbox import Outbox
from voice_agent.transports.realtime.protocol import RequestError, parse
from voice_agent.transports.realtime.translation import error

log = logging.getLogger(__name__)

SUBPROTOCOL = "realtime"

WRITE_TIMEOUT_S = 30.0
"""A client that takes longer to accept one message is gone."""

FAREWELL_S = 2.0
"""Time to write what waits before the connection is closed."""


class Observer(Protocol):
    """Who counts what happens on connections."""

    def on_event(self, event: SessionEvent) -> None:
        """Something happened in a session."""
        ...

    def on_error(self, code: str) -> None:
        """A client was sent an error."""
        ...

    def on_refused(self, reason: str) -> None:
        """A client was turned away."""
        ...

    def on_dropped(self, reason: str, audio_s: float) -> None:
        """A connection was cut, with so many seconds of reply audio unsent."""
        ...


@dataclass(frozen=True, slots=True)
class _Ending:
    """Why the server ends a connection; without a ``farewell`` the client does not read."""

    close_code: int
    reason: str
    farewell: bool = True


class Connection:
    """Serves one client from its acceptance to its end."""

    def __init__(
        self,
        websocket: WebSocket,
        agent: Agent,
        observer: Observer,
        secret: Callable[[str], str],
    ) -> None:
        """Takes over a websocket that was not accepted yet.

        Args:
            websocket: The websocket.
            agent: Who is talked to.
            observer: Who counts.
            secret: The secret that gives access to a stored conversation.
        """
        self._websocket = websocket
        self._agent = agent
        self._observer = observer
        self._outbox = Outbox()
        self._ending: asyncio.Future[_Ending] = asyncio.get_running_loop().create_future()
        self._secret = secret

    async def run(self) -> None:
        """Serves the client until it leaves, or has to."""
        offered = self._websocket.scope.get("subprotocols", [])
        try:
            await self._websocket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        except WebSocketDisconnect:
            return
        writer = asyncio.create_task(self._outbox.pump(self._write))
        try:
            ending = await self._serve(writer)
            if ending is not None:
                await self._end(ending)
        finally:
            await _stop(writer)

    async def _serve(self, writer: asyncio.Task[None]) -> _Ending | None:
        """Opens the call, handles messages, closes it; returns how to end, None if all is over."""
        try:
            guest = await admit(self._websocket, self._agent)
            call = await Call.open(self._agent, self._tell, self._on_event, self._secret, guest)
        except RequestError as refusal:
            self._observer.on_refused(refusal.code)
            self._tell(error("invalid_request_error", refusal.code, refusal.message, refusal.param))
            return _Ending(1008, refusal.code)
        except VoiceAgentError as failure:
            self._observer.on_refused(failure.code)
            self._tell(error("server_error", failure.code, str(failure)))
            return _Ending(1013 if isinstance(failure, Overloaded) else 1011, failure.code)
        reader = asyncio.create_task(self._read(call))
        try:
            watched: set[asyncio.Future[Any]] = {reader, writer, self._ending}
            await asyncio.wait(
                watched,
                timeout=self._agent.config.limits.session_minutes * 60,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if self._ending.done():
                return self._ending.result()
            if reader.done() or writer.done():
                return None
            minutes = self._agent.config.limits.session_minutes
            message = f"a conversation may last {minutes:g} minutes; connect again for a new one"
            self._tell(error("invalid_request_error", "session_expired", message))
            return _Ending(1000, "session_expired")
        finally:
            await _stop(reader)
            await call.close()

    # --- in -------------------------------------------------------------------------------------

    async def _read(self, call: Call) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                code = message.get("code")
                log.info("client left", extra={"session": call.session.id, "close_code": code})
                return
            await self._handle(call, message.get("text"))
            # Messages may lie ready in great number; the other connections get their turn.
            await asyncio.sleep(0)

    async def _handle(self, call: Call, text: str | None) -> None:
        """Follows one message. Whatever is wrong with it is answered and does no harm."""
        event_id = None
        try:
            if text is None:
                raise RequestError("invalid_message", "binary messages are not used; send JSON")
            event = parse(text)
            event_id = event.event_id
            await call.handle(event)
        except RequestError as refusal:
            self._tell(
                error(
                    "invalid_request_error",
                    refusal.code,
                    refusal.message,
                    refusal.param,
                    refusal.event_id or event_id,
                )
            )
        except Overloaded as failure:
            self._tell(error("server_error", failure.code, str(failure), event_id=event_id))
            self._finish(_Ending(1013, failure.code))
        except VoiceAgentError as failure:
            self._tell(error("server_error", failure.code, str(failure), event_id=event_id))
        except Exception:
            log.exception("a message could not be handled")
            message = "the agent failed to handle this; the conversation goes on"
            self._tell(error("server_error", "internal_error", message, event_id=event_id))

    def _on_event(self, event: SessionEvent) -> None:
        self._observer.on_event(event)
        if isinstance(event, SessionFailed) and event.fatal:
            self._finish(_Ending(1011, event.code))

    # --- out ------------------------------------------------------------------------------------

    def _tell(self, event: Wire, audio_s: float = 0.0) -> None:
        if event["type"] == "error":
            self._observer.on_error(str(event["error"]["code"]))  # type: ignore[index]
        message = {"type": event["type"], "event_id": f"event_{uuid4().hex[:20]}"} | event
        text = to_json(message, inf_nan_mode="null", fallback=float).decode()
        if not self._outbox.put(text, audio_s):
            self._finish(_Ending(1008, "slow_client", farewell=False))

    async def _write(self, text: str) -> None:
        try:
            async with asyncio.timeout(WRITE_TIMEOUT_S):
                await self._websocket.send({"type": "websocket.send", "text": text})
        except TimeoutError:
            self._finish(_Ending(1008, "slow_client", farewell=False))
            raise

    # --- the end --------------------------------------------------------------------------------

    def _finish(self, ending: _Ending) -> None:
        if not self._ending.done():
            self._ending.set_result(ending)

    async def _end(self, ending: _Ending) -> None:
        if not ending.farewell:
            self._observer.on_dropped(ending.reason, self._outbox.audio_s)
            log.warning("connection dropped", extra={"reason": ending.reason})
            return
        try:
            async with asyncio.timeout(FAREWELL_S):
                await self._outbox.written()
                await self._websocket.close(ending.close_code, ending.reason)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            log.info("client left before the farewell", extra={"reason": ending.reason})


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    try:
        await task
    except (asyncio.CancelledError, WebSocketDisconnect, TimeoutError):
        pass
    except Exception:
        log.exception("a connection failed")
