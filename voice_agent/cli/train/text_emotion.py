"""``voice-agent train text-emotion``: the model that reads emotions in words."""

from pathlib import Path
from typing import Annotated

import typer


def text_emotion(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="GoEmotions: train.tsv, dev.tsv, labels.txt.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write the model to.")],
) -> None:
    """Train the model that reads emotions in words."""
    from voice_agent.training.text_emotion import run

    run(folder, out)
