"""Models of the transformers library on this machine: where they lie, and on what they run.

Nothing is fetched, and torch is imported only when a model is about to be loaded.
"""

import os
from pathlib import Path

from voice_agent.checkup import install_command
from voice_agent.errors import EngineUnavailable
from voice_agent.models import hub, torchaudio_import
from voice_agent.models.catalogue import catalogue


def find(model: str) -> Path:
    """The folder of a model.

    Args:
        model: A folder, or a name on the Hugging Face hub.

    Raises:
        EngineUnavailable: It is not on this machine; says how to get it.
    """
    folder = Path(model).expanduser()
    if (folder / "config.json").is_file():
        return folder
    found = hub.find(model)
    if found is None:
        known = next((entry for entry in catalogue() if entry.hub == model), None)
        about = f" ({known.megabytes} MB, licence {known.licence})" if known else ""
        raise EngineUnavailable(
            f"there is no model {model!r} here: looked for a folder with a config.json, for a "
            f"pulled one in {hub.pulled(model)}, and in the cache of the Hugging Face hub; get it "
            f"with: hf download {model}{about}"
        )
    return found


def ensure() -> None:
    """Imports torch and transformers.

    Raises:
        EngineUnavailable: One of them is not installed.
    """
    try:
        import torch  # noqa: F401

        torchaudio_import.ensure()
        import transformers  # noqa: F401
    except ImportError as error:
        raise EngineUnavailable(
            f"{error.name} is not installed; it comes with: {install_command('transformers')}"
        ) from error


def use_threads(threads: int | None) -> None:
    """Sets how many threads torch computes with; None for half of the cores.

    The recognizer and the voice need the other half.
    """
    import torch

    torch.set_num_threads(threads or max(1, (os.cpu_count() or 1) // 2))
