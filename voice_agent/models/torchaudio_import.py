"""Makes torchaudio importable where its compiled part is not.

The torchaudio on PyPI is built for CUDA: beside a torch built for the processor alone, importing it
fails, and with it every import of audio models from transformers, which looks whether it is there.
Its compiled part serves a few functions that the agent does not use.
"""

import sys
from collections.abc import Callable
from importlib.util import find_spec
from types import ModuleType
from typing import TypeVar

Function = TypeVar("Function", bound=Callable[..., object])


def ensure() -> None:
    """Imports torchaudio if it is installed, if need be without its compiled part."""
    if "torchaudio" in sys.modules or find_spec("torchaudio") is None:
        return
    try:
        import torchaudio
    except OSError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchaudio"]:
            del sys.modules[name]
        sys.modules["torchaudio._extension"] = _without_extension()
        import torchaudio  # noqa: F401


def _without_extension() -> ModuleType:
    """What torchaudio's Python part asks of the module that loads the compiled part."""
    module = ModuleType("torchaudio._extension")
    module.__dict__.update(_IS_TORCHAUDIO_EXT_AVAILABLE=False, fail_if_no_align=_as_it_is)
    return module


def _as_it_is(function: Function) -> Function:
    return function
