"""``voice-agent train strategy``: the model that chooses strategies of support."""

from pathlib import Path
from typing import Annotated

import typer

from voice_agent.cli.evaluate.strategy import Data, Seed


def strategy(
    data: Data,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder to write the model to.")],
    seed: Seed = 0,
) -> None:
    """Train the model of strategies, and show how well its like does on dialogues left out."""
    from voice_agent.cli.evaluate.strategy import show
    from voice_agent.evaluation.strategy import cross_validate
    from voice_agent.evaluation.strategy_dialogues import read
    from voice_agent.training.strategy import run, train

    run(data, out, seed)
    show(cross_validate(read(data), train, seed=seed))
    print(f"written to {out}")
