"""The progress of a file that is played to the agent; only on a terminal, on stderr."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from voice_agent.audio.files import describe


class Playing:
    """Shows how much of a file has been played."""

    def __init__(self, path: Path, then: str = "the agent answers") -> None:
        """Prepares the display.

        Args:
            path: The file.
            then: What happens once all of it has been played.

        Raises:
            AudioError: The file is no audio.
        """
        console = Console(stderr=True)
        self._seconds = describe(path).seconds
        self._then = then
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]left[/]"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            redirect_stdout=False,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task(path.name, total=self._seconds)

    def update(self, seconds: float) -> None:
        """Tells how many seconds have been played."""
        over = self._seconds is not None and seconds >= self._seconds
        self._progress.update(
            self._task,
            completed=seconds,
            description=self._then if over else None,
        )

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Takes the display away while something else is printed."""
        self._progress.stop()
        yield
        self._progress.start()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()
