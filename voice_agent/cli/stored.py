"""What is kept, for commands that show it or hand it over."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from voice_agent.store import Store

T = TypeVar("T")

Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Write there instead of to stdout.")]


def with_store(source: str, work: "Callable[[Store], Awaitable[T]]") -> T:
    """What some work with the store of a configuration gives.

    Raises:
        StoreError: The store cannot be used.
    """
    import asyncio

    from voice_agent.config import read
    from voice_agent.store import Store

    async def run() -> T:
        store = await Store.open(read(source).store.path)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())


def hand_over(data: Any, out: Path | None) -> None:
    """Writes an export as JSON into a file, or to stdout.

    Raises:
        StoreError: The file cannot be written.
    """
    import json

    from voice_agent.errors import StoreError

    text = json.dumps(data, ensure_ascii=False, indent=2)
    if out is None:
        print(text)
        return
    try:
        out.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{out} cannot be written: {error.strerror}") from error
