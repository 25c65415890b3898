"""Fetches a file over HTTP, and goes on where it was interrupted.

What has come lies beside the target, with ``.part`` behind its name, until the file is whole and is
what it should be. Servers that know no ranges (RFC 9110, section 14) are read from the start again.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from voice_agent.errors import ModelError
from voice_agent.models import manifest

PAUSES_S = (1.0, 2.0, 4.0, 8.0)
"""Seconds to wait before each new attempt; an attempt that brought something starts them over."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A file to fetch.

    Attributes:
        path: Where it belongs in the model's folder.
        url: Where it is.
        size: Bytes, if they are known.
        sha256: Its SHA-256 in hexadecimal, if it is known.
        git_blob: Its id in git, if it is known.
        headers: To be sent to the first server, and to no other that it sends us on to.
    """

    path: str
    url: str
    size: int | None = None
    sha256: str | None = None
    git_blob: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def client() -> httpx.Client:
    """A client that heeds proxies, and gives up on a server that sends nothing.

    ``HF_HUB_DOWNLOAD_TIMEOUT`` sets after how many seconds, 10 if it is not set.
    """
    from huggingface_hub import constants

    return httpx.Client(follow_redirects=True, timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT)


def fetch(http: httpx.Client, remote: Remote, folder: Path, moved: Callable[[int], None]) -> Path:
    """Fetches a file into a folder, unless it is there already.

    Args:
        http: Of ``client``.
        remote: The file.
        folder: Where it belongs.
        moved: Told the bytes that were gained; negative where a start was of no use.

    Returns:
        The path of the file, which is what it should be as far as is known.

    Raises:
        ModelError: The server does not give it, or what it gave is not what it should be; the part
            that has come is kept in the first case.
    """
    target = folder / remote.path
    if target.is_file():
        moved(target.stat().st_size)
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    before = part.stat().st_size if part.exists() else 0
    moved(before)
    _complete(http, remote, part, moved)
    _check(remote, part)
    part.rename(target)
    return target


def _complete(http: httpx.Client, remote: Remote, part: Path, moved: Callable[[int], None]) -> None:
    """Fetches what is missing, as often as something comes of it."""
    pauses = list(PAUSES_S)
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            _attempt(http, remote, part, moved)
            return
        except _Interrupted as interruption:
            if part.exists() and part.stat().st_size > before:
                pauses = list(PAUSES_S)
            if not pauses:
                raise ModelError(
                    f"{remote.url} cannot be fetched: {interruption}; what has come is kept, so "
                    "try again later"
                ) from interruption
            time.sleep(pauses.pop(0))


class _Interrupted(Exception):
    """An attempt failed in a way that another may not."""


def _attempt(http: httpx.Client, remote: Remote, part: Path, moved: Callable[[int], None]) -> None:
    have = part.stat().st_size if part.exists() else 0
    if remote.size is not None and have >= remote.size > 0:
        return
    headers = {**remote.headers, "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        with http.stream("GET", remote.url, headers=headers) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                _start_over(part, have, moved)
                raise _Interrupted("the server knows no such part of it")
            _refuse(response)
            if not _goes_on(response, have):
                _start_over(part, have, moved)
                have = 0
            whole = _whole(response, have)
            with part.open("ab") as file:
                for piece in response.iter_raw():
                    file.write(piece)
                    moved(len(piece))
                file.flush()
                os.fsync(file.fileno())
    except httpx.TimeoutException as error:
        raise _Interrupted("the server has sent nothing for too long") from error
    except httpx.RequestError as error:
        raise _Interrupted(str(error) or type(error).__name__) from error
    except OSError as error:
        raise ModelError(f"{part} cannot be written: {error.strerror}") from error
    came = part.stat().st_size
    if whole is not None and came < whole:
        raise _Interrupted(f"the connection ended after {came} of {whole} bytes")


def _goes_on(response: httpx.Response, have: int) -> bool:
    """Whether the answer begins where our part ends."""
    if response.status_code != httpx.codes.PARTIAL_CONTENT:
        return have == 0
    return str(response.headers.get("Content-Range", "")).startswith(f"bytes {have}-")


def _whole(response: httpx.Response, have: int) -> int | None:
    """Bytes of the whole file, if the server tells."""
    length = response.headers.get("Content-Length", "")
    return have + int(length) if length.isdigit() else None


def _start_over(part: Path, have: int, moved: Callable[[int], None]) -> None:
    part.unlink(missing_ok=True)
    moved(-have)


def _refuse(response: httpx.Response) -> None:
    code, url = response.status_code, response.request.url.copy_with(query=None)
    if code in (401, 403):
        raise ModelError(
            f"{url} may not be fetched ({code}): agree to its terms on its page if it has any, and "
            "set HF_TOKEN to a token of your account"
        )
    if code in (408, 429) or code >= 500:
        raise _Interrupted(f"the server answers {code}")
    if not response.is_success:
        raise ModelError(f"{url} cannot be fetched: the server answers {code}")


def _check(remote: Remote, part: Path) -> None:
    """Throws away what is not what it should be, so that the next attempt begins anew."""
    size = part.stat().st_size
    if remote.size is not None and size != remote.size:
        wrong = f"has {size} bytes instead of {remote.size}"
    elif remote.sha256 is not None and manifest.sha256(part) != remote.sha256:
        wrong = "has another SHA-256 than it should"
    elif (
        remote.sha256 is None
        and remote.git_blob is not None
        and manifest.git_blob(part) != remote.git_blob
    ):
        wrong = "is not the file that the hub has listed"
    else:
        return
    part.unlink()
    raise ModelError(
        f"what came from {remote.url} {wrong}; it was thrown away. Try again, or from another "
        "server (HF_ENDPOINT)"
    )
