"""``voice-agent train text-emotion``: the model that reads emotion in words."""

from pathlib import Path
from typing import Annotated

import typer


def text_emotion(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="GoEmotions: train.tsv, dev.tsv, test.tsv.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write the model to.")],
) -> None:
    """Train the model that reads emotion in words, and show its figures on the test split."""
    from voice_agent.cli.evaluate.text_emotion import show
    from voice_agent.training.text_emotion import run

    show(run(folder, out))
    print(f"written to {out}")
