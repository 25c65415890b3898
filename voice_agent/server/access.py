"""Who may talk to the server."""

import hashlib
import hmac
import ipaddress
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import Self
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voice_agent.errors import ConfigError, StoreError
from voice_agent.settings import Server

_TOKEN_PROTOCOL = "openai-insecure-api-key."
"""Browsers cannot set headers on a websocket: the token comes as a sub-protocol of this name."""

_GUARDED = ("/v1/realtime", "/v1/access", "/v1/memory", "/metrics")
"""What needs the token, where there is one. Stored conversations have secrets of their own."""

_KEY_BYTES = 32

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; object-src 'none'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def is_loopback(host: str) -> bool:
    """Whether an address or a name can only mean this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def check_address(server: Server) -> None:
    """Refuses to open the agent to a network without a token. There is no way around it.

    Raises:
        ConfigError: The address can be reached from elsewhere, and no token is set.
    """
    if server.token == "":
        raise ConfigError("server.token: must not be empty; leave it out for none")
    if not is_loopback(server.host) and server.token is None:
        raise ConfigError(
            f"server.host: {server.host} can be reached from other machines, so a token is "
            "needed; set server.token to a long random text, or listen on 127.0.0.1"
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is turned away: HTTP status, code for programs, message for people."""

    status: int
    code: str
    message: str

    def response(self) -> JSONResponse:
        """The answer to the request, or to a websocket's handshake."""
        body = {"type": "invalid_request_error", "code": self.code, "message": self.message}
        headers = {"WWW-Authenticate": "Bearer"} if self.status == 401 else None
        return JSONResponse({"error": body}, self.status, headers)


class Access:
    """Decides on requests by what their headers say."""

    def __init__(self, server: Server) -> None:
        self._token = server.token
        self._origins = {origin.rstrip("/").lower() for origin in server.origins}
        names = {urlsplit(origin).hostname for origin in self._origins}
        # On loopback a page of another site could reach the agent by a name of its own that
        # resolves to this machine; the Host header still tells that name.
        self._hosts = names if is_loopback(server.host) else None

    def refusal(self, path: str, headers: Headers) -> Refusal | None:
        """Why this request is turned away; None where it is welcome."""
        host = headers.get("host", "")
        name = _name(host)
        if self._hosts is not None and not is_loopback(name) and name not in self._hosts:
            message = (
                f"this server answers to localhost, not to {name[:200]!r}; behind a proxy, list "
                "its address in server.origins"
            )
            return Refusal(403, "host_not_allowed", message)
        origin = headers.get("origin")
        if origin is not None and not self._is_ours(origin, host):
            message = f"pages of {origin[:200]!r} may not connect; list it in server.origins"
            return Refusal(403, "origin_not_allowed", message)
        if self._token is not None and _is_guarded(path) and not self._shown(headers):
            return Refusal(401, "invalid_api_key", "the server's token is needed as Bearer token")
        return None

    def _is_ours(self, origin: str, host: str) -> bool:
        origin = origin.lower()
        return origin in self._origins or urlsplit(origin).netloc == host.lower() != ""

    def _shown(self, headers: Headers) -> bool:
        assert self._token is not None
        offered = ",".join(headers.getlist("sec-websocket-protocol")).split(",")
        tokens = [
            name.strip().removeprefix(_TOKEN_PROTOCOL)
            for name in offered
            if name.strip().startswith(_TOKEN_PROTOCOL)
        ]
        shown = bearer(headers)
        return any(_same(token, self._token) for token in [*tokens, shown] if token is not None)


def _is_guarded(path: str) -> bool:
    return any(path == guarded or path.startswith(f"{guarded}/") for guarded in _GUARDED)


def bearer(headers: Headers) -> str | None:
    """What the Authorization header shows."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _name(host: str) -> str:
    """The host without its port and brackets, in small letters."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _same(shown: str, known: str) -> bool:
    return hmac.compare_digest(shown.encode(), known.encode())


class Secrets:
    """The secrets that give people access to their stored conversations.

    They are derived from one key, so nothing has to be kept for each of them.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def beside(cls, store: Path) -> Self:
        """Secrets that live as long as the store: their key lies beside its file.

        Raises:
            StoreError: The key cannot be read or written.
        """
        path = store.with_name(store.name + ".key")
        try:
            with suppress(FileExistsError):
                descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(token_bytes(_KEY_BYTES))
            key = path.read_bytes()
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror or error}") from error
        if len(key) != _KEY_BYTES:
            raise StoreError(f"{path} is damaged; delete it, and a new one is made")
        return cls(key)

    def of(self, session: str) -> str:
        """The secret of a conversation."""
        return hmac.new(self._key, session.encode(), hashlib.sha256).hexdigest()

    def opens(self, session: str, shown: str | None) -> bool:
        """Whether what was shown is the secret of that conversation."""
        return shown is not None and _same(shown, self.of(session))


class Guard:
    """Turns away what may not come in, and adds the security headers to all answers."""

    def __init__(self, app: ASGIApp, access: Access, on_refused: Callable[[str], None]) -> None:
        self._app = app
        self._access = access
        self._on_refused = on_refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request or websocket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._access.refusal(scope["path"], Headers(scope=scope))
        if refusal is None:
            await self._app(scope, receive, send_guarded)
            return
        self._on_refused(refusal.code)
        await refusal.response()(scope, receive, send_guarded)
