"""Tells people of an organisation, by webhook, when a conversation becomes dangerous.

Sending happens on a thread of its own: a reply never waits for it. What cannot be sent at once is
tried again a few times, and what cannot be sent at all is logged.
"""

import logging
import os
import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from voice_agent.errors import ConfigError
from voice_agent.settings import HandoffWebhook

log = logging.getLogger(__name__)

RETRY_AFTER_S = (1.0, 5.0, 20.0, 60.0)
"""Waits between one attempt and the next, in seconds."""

_WAITING = 100
_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Alert:
    """A conversation in danger.

    Attributes:
        session: Which conversation.
        user: Name of the person, where known.
        level: How great the danger is: ``"watch"``, ``"concern"``, ``"high"`` or ``"acute"``.
        danger: What is at stake, such as ``"self_harm"``.
        signs: Kinds of sign that were found, never words of the person.
        words: What the person said; sent only where the configuration says so.
    """

    session: str
    user: str | None
    level: str
    danger: str
    signs: tuple[str, ...]
    words: str = ""


class Handoff:
    """The way to the people of an organisation; one for all conversations.

    ``notify`` may be called from any thread and never waits.

    Args:
        settings: Where to send, and what.
        retry_after_s: Waits between attempts.

    Raises:
        ConfigError: The environment variable of the token is not set.
    """

    def __init__(
        self, settings: HandoffWebhook, retry_after_s: Sequence[float] = RETRY_AFTER_S
    ) -> None:
        if settings.url is None:
            raise ConfigError("safety.handoff.url: no address to tell; set it or build no handoff")
        self._url = str(settings.url)
        self._include_words = settings.include_words
        self._headers = _authorization(settings.token_env)
        self._retry_after_s = tuple(retry_after_s)
        self._waiting: queue.Queue[tuple[Alert, float] | None] = queue.Queue(_WAITING)
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def notify(self, alert: Alert) -> None:
        """Sends an alert, now or as soon as it can be had."""
        if self._closing.is_set():
            return
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="handoff", daemon=True)
                self._thread.start()
        try:
            self._waiting.put_nowait((alert, time.time()))
        except queue.Full:
            log.error("handoff: too many alerts wait", extra={"session": alert.session})

    def close(self, timeout_s: float = 5.0) -> None:
        """Sends what still waits, each once and without a second try, and ends."""
        self._closing.set()
        if self._thread is not None:
            # The thread leaves once nothing waits; a full queue wakes it by itself.
            if not self._waiting.full():
                self._waiting.put_nowait(None)
            self._thread.join(timeout_s)

    def _work(self) -> None:
        with httpx.Client(timeout=_TIMEOUT_S, headers=self._headers) as client:
            while True:
                item = self._waiting.get()
                if item is not None:
                    self._deliver(client, *item)
                if self._closing.is_set() and self._waiting.empty():
                    return

    def _deliver(self, client: httpx.Client, alert: Alert, at: float) -> None:
        told = {"session": alert.session, "level": alert.level}
        for attempt, wait_s in enumerate((*self._retry_after_s, None), 1):
            failure = self._post(client, alert, at)
            if failure is None:
                log.info("handoff told", extra=told)
                return
            log.warning("handoff failed", extra={**told, "attempt": attempt, "reason": failure})
            if wait_s is None or self._closing.is_set():
                break
            self._closing.wait(wait_s)
        log.error("handoff given up", extra=told)

    def _post(self, client: httpx.Client, alert: Alert, at: float) -> str | None:
        """Sends once; returns what went wrong."""
        try:
            response = client.post(self._url, json=self._body(alert, at))
        except httpx.HTTPError as error:
            return type(error).__name__
        return None if response.is_success else f"HTTP {response.status_code}"

    def _body(self, alert: Alert, at: float) -> dict[str, Any]:
        body: dict[str, Any] = {
            "session": alert.session,
            "level": alert.level,
            "danger": alert.danger,
            "signs": list(alert.signs),
            "at": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"),
        }
        if alert.user is not None:
            body["user"] = alert.user
        if self._include_words:
            body["words"] = alert.words
        return body


def _authorization(variable: str | None) -> dict[str, str]:
    if variable is None:
        return {}
    token = os.environ.get(variable)
    if not token:
        raise ConfigError(
            f"safety.handoff.token_env: the environment variable {variable} is not set; "
            "set it to the bearer token, or leave token_env out"
        )
    return {"Authorization": f"Bearer {token}"}
