"""``voice-agent train risk``: the model that tells a risk of suicide and self-harm in words."""

from pathlib import Path
from typing import Annotated

import typer


def risk(
    utterances: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="JSON lines with text and risk.")
    ],
    base: Annotated[
        Path, typer.Option(metavar="FOLDER", help="all-MiniLM-L6-v2, with its tokenizer.")
    ],
    everyday: Annotated[
        list[Path],
        typer.Option(
            metavar="PATH",
            help="Harmless texts: a file with one a line (GoEmotions' train), or the folder of "
            "EmpatheticDialogues; can be repeated.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Write the model here.")],
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the utterances.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")] = 0,
) -> None:
    """Train the model that the safety gate weighs beside its rules."""
    from rich.console import Console

    from voice_agent.errors import EngineUnavailable

    try:
        from voice_agent.training.risk import Recipe, read_everyday, read_utterances, save, train
    except ImportError as error:
        raise EngineUnavailable(
            f"training needs a package that is not installed ({error.name}): "
            "pip install 'voice-agent[train,transformers]'"
        ) from error
    console = Console(stderr=True, highlight=False)
    labelled = [one for path in utterances for one in read_utterances(path)]
    harmless = [text for path in everyday for text in read_everyday(path)]
    console.print(f"{len(labelled)} utterances, {len(harmless)} everyday texts")
    recipe = Recipe(epochs=epochs, seed=seed)
    network, tokenizer = train(labelled, harmless, base, recipe, console.print)
    texts = [text for text, _ in labelled] + harmless
    save(network, tokenizer, texts, out)
    print(f"{out}: {sum(file.stat().st_size for file in out.iterdir()) / 1e6:.1f} MB")
