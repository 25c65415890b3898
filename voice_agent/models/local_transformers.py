"""What models of the transformers library need to run; imports torch only when asked to."""

import os

from voice_agent.errors import EngineUnavailable
from voice_agent.models import torchaudio_import
from voice_agent.packages import install_command


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
