"""A server that speaks what the Hugging Face hub speaks when a model is fetched, and can go wrong.

Large files (``.bin``, ``.safetensors``, ``.pth``) are kept as by Git LFS: their address leads on to
another host, which knows ranges. Archives lie under ``/archives/``.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What the server has, what goes wrong, and what was asked of it.

    Attributes:
        models: Files of models by name and path.
        archives: Zip files by name.
        faults: What goes wrong by file name, one after another: a status, ``truncate``,
            ``corrupt``, ``stall`` or ``no ranges``.
        commits: Those there are; all have the same files.
        token: Without it, models are not given; None for none.
        renamed: New names of models by their old ones.
        requests: Method, path and headers of all requests.
        half_sent: Set when a file has come half before it stalls.
    """

    models: dict[str, dict[str, bytes]] = field(default_factory=dict)
    archives: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, list[int | str]] = field(default_factory=dict)
    token: str | None = None
    licence: str | None = "mit"
    renamed: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    half_sent: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    commits: set[str] = field(default_factory=lambda: {COMMIT})
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def asked(self, name: str) -> list[dict[str, str]]:
        """Headers of the requests for a file's content."""
        content = "/cdn/" if is_large(name) else "/"
        return [
            headers
            for _, path, headers in self.requests
            if path.startswith(content) and path.endswith(f"/{name}")
        ]


def is_large(path: str) -> bool:
    return path.endswith((".bin", ".safetensors", ".pth"))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Clients that hang up are what is tested here."""


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    server = _Server(("127.0.0.1", 0), _handler(hub))
    hub.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        hub.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.requests.append((self.command, path, dict(self.headers)))
            parts = path.strip("/").split("/")
            for old, new in hub.renamed.items():
                if f"/{old}/" in path:
                    self.answer(307, b"", {"Location": self.path.replace(f"/{old}/", f"/{new}/")})
                    return
            if parts[:2] == ["api", "models"]:
                self.about("/".join(parts[2:4]), parts[5] if len(parts) > 5 else "main")
            elif parts[0] == "archives":
                self.content(parts[1], hub.archives.get(parts[1]))
            elif parts[0] == "cdn":
                self.content(parts[-1], hub.models["/".join(parts[1:3])].get("/".join(parts[3:])))
            else:
                self.resolve("/".join(parts[:2]), parts[3], "/".join(parts[4:]))

        def allowed(self) -> bool:
            return hub.token in (
                None,
                self.headers.get("Authorization", "").removeprefix("Bearer "),
            )

        def about(self, name: str, revision: str) -> None:
            fault = self.fault("api")
            if isinstance(fault, int):
                self.answer(fault, b"{}")
            elif not self.allowed():
                self.answer(401, b"{}", {"X-Error-Code": "GatedRepo"})
            elif name not in hub.models:
                self.answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})
            elif revision not in {"main", *hub.commits}:
                self.answer(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
            else:
                siblings = [_sibling(path, data) for path, data in hub.models[name].items()]
                data = {
                    "id": name,
                    "sha": COMMIT if revision == "main" else revision,
                    "siblings": siblings,
                    "tags": [],
                }
                data["cardData"] = {"license": hub.licence}
                self.answer(200, json.dumps(data).encode(), {"Content-Type": "application/json"})

        def resolve(self, name: str, revision: str, path: str) -> None:
            data = hub.models.get(name, {}).get(path)
            if not self.allowed():
                self.answer(401, b"")
            elif data is None or revision not in hub.commits:
                self.answer(404, b"", {"X-Error-Code": "EntryNotFound"})
            elif is_large(path):
                headers = {
                    "Location": f"http://localhost:{hub.port}/cdn/{name}/{path}?signature=secret",
                    "X-Repo-Commit": COMMIT,
                    "X-Linked-Size": str(len(data)),
                    "X-Linked-ETag": f'"{hashlib.sha256(data).hexdigest()}"',
                }
                self.answer(302, b"", headers)
            else:
                self.content(path.rpartition("/")[2], data)

        def content(self, name: str, data: bytes | None) -> None:
            fault = self.fault(name)
            if data is None or isinstance(fault, int):
                self.answer(fault if isinstance(fault, int) else 404, b"")
                return
            start = 0
            asked = self.headers.get("Range", "")
            if asked.startswith("bytes=") and fault != "no ranges":
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                if start >= len(data):
                    self.answer(416, b"")
                    return
            if fault == "corrupt":
                data = data[:-1] + bytes([data[-1] ^ 1])
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            rest = data[start:]
            if fault in ("truncate", "stall"):
                self.wfile.write(rest[: len(rest) // 2])
                self.wfile.flush()
                hub.half_sent.set()
                if fault == "stall":
                    hub.go_on.wait(30)
                self.close_connection = True
                return
            self.wfile.write(rest)

        def fault(self, name: str) -> int | str | None:
            waiting = hub.faults.get(name)
            return waiting.pop(0) if waiting else None

        def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for key, value in (headers or {}).items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    return Handler


def _sibling(path: str, data: bytes) -> dict[str, object]:
    blob = hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()
    sibling: dict[str, object] = {"rfilename": path, "size": len(data), "blobId": blob}
    if is_large(path):
        digest = hashlib.sha256(data).hexdigest()
        sibling["lfs"] = {"sha256": digest, "size": len(data), "pointerSize": 134}
    return sibling
