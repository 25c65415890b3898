"""What models of the transformers library need to run; imports torch only when asked to."""

import os
from importlib.util import find_spec

from voice_agent.errors import EngineUnavailable
from voice_agent.models import machine, torchaudio_import
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
        raise _missing(error.name) from error


def check(device: str, setting: str) -> None:
    """Tells, without importing them, whether torch and transformers are there.

    Args:
        device: ``"auto"``, ``"cuda"`` or ``"cpu"``: what torch must have been built for.
        setting: Where that was set, for the error.

    Raises:
        EngineUnavailable: One of them is not installed, or torch was not built for that device.
    """
    for package in ("torch", "transformers"):
        if find_spec(package) is None:
            raise _missing(package)
    machine.require_torch_for(device, setting)


def _missing(package: str | None) -> EngineUnavailable:
    return EngineUnavailable(
        f"{package} is not installed; it comes with: {install_command('transformers')}"
    )


def use_threads(threads: int | None) -> None:
    """Sets how many threads torch computes with; None for half of the cores.

    The recognizer and the voice need the other half.
    """
    import torch

    torch.set_num_threads(threads or max(1, (os.cpu_count() or 1) // 2))
