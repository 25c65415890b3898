"""``voice-agent train paralinguistics``: the models that hear how something is said."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from voice_agent.cli.options import Logging, LogLevel, rows_by_column


class Model(StrEnum):
    """What can be trained."""

    VOICE = "voice"
    VOCAL_EVENTS = "vocal_events"


class Device(StrEnum):
    """Where to train."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


def paralinguistics(
    manifests: Annotated[
        list[Path], typer.Argument(metavar="MANIFEST…", help="CSVs of labelled recordings.")
    ],
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Write each model to a folder in this one.")
    ],
    only: Annotated[Model | None, typer.Option(help="Train one model instead of both.")] = None,
    leave: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=VALUE[,VALUE]", help="Leave such rows out; repeatable."),
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Settings; the shipped ones without it.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the recipe's.")] = None,
    device: Annotated[Device, typer.Option(help="Where to train.")] = Device.AUTO,
    log_level: Logging = LogLevel.WARNING,
) -> None:
    """Train the models of the voice (emotion, gender) and of vocal events.

    A manifest has the column path and any of emotion, gender, label (a sound), speaker and split;
    see docs/paralinguistics.md. Rows whose split is test are never trained on.
    """
    from voice_agent import logs
    from voice_agent.errors import EngineUnavailable
    from voice_agent.training.paralinguistics.recipe import Recipe

    logs.configure(log_level.value, structured=False)
    leaving = rows_by_column(leave or [], "--leave")
    settings = Recipe.load(recipe)
    if seed is not None:
        settings = settings.model_copy(update={"seed": seed})
    try:
        from voice_agent.training.paralinguistics import run
    except ImportError as error:
        raise EngineUnavailable(
            f"training needs a package that is not installed ({error.name}): "
            "pip install 'voice-agent[train]'"
        ) from error
    models = run.MODELS if only is None else (only.value,)
    with _progress() as tell:
        results = run.run(manifests, out, settings, models, leaving, device.value, tell)
    for result in results:
        score = (
            "nothing was kept aside" if result.uar is None else f"UAR {result.uar:.3f} kept aside"
        )
        print(f"{result.folder}: {score}")
        for picture in result.pictures:
            print(f"  {picture}")


@contextmanager
def _progress() -> Iterator[Callable[[str, float], None]]:
    """A bar on stderr that says what is under way; without a terminal, a line for each step."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda text, _: console.print(text, highlight=False, soft_wrap=True)
        return
    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=1.0)

        def tell(text: str, done: float) -> None:
            progress.update(task, description=text, completed=done % 1.0 or float(done > 0))

        yield tell
