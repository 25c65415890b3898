"""What this machine has for models: cores, memory, disk and a GPU. Torch is not imported for it."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from voice_agent.errors import EngineUnavailable
from voice_agent.models import installed, memory

_SMI_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True)
class Gpu:
    """An NVIDIA GPU; its bytes of memory are None where the driver's tool is missing."""

    name: str
    memory: int | None
    free: int | None


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is; memory and disk in bytes.

    Attributes:
        cores: Processor cores that this process may use.
        memory_free: Memory that models can have now.
        disk_free: Room where pulled models lie.
        gpu: The GPU on which engines run.
        torch: Its version as its build calls it, such as ``2.13.0+cpu``; None if not installed.
        torch_cuda: The CUDA version that torch was built for; None for none.
    """

    cores: int
    memory_free: int | None
    disk_free: int
    gpu: Gpu | None
    torch: str | None
    torch_cuda: str | None


def look() -> Machine:
    """What this machine has now."""
    version, cuda = torch_build()
    return Machine(_cores(), memory.free("cpu"), _room(installed.home()), gpu(), version, cuda)


@cache
def gpu() -> Gpu | None:
    """The first GPU that CUDA shows to this process: the one on which engines run.

    What is free on it is what was free when this was first asked.
    """
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")
    first = shown.partition(",")[0].strip() if shown is not None else "0"
    if first in ("", "-1"):
        return None
    query = "--query-gpu=name,memory.total,memory.free"
    try:
        told = subprocess.run(
            ["nvidia-smi", query, "--format=csv,noheader,nounits", f"--id={first}"],
            capture_output=True,
            text=True,
            timeout=_SMI_TIMEOUT_S,
            check=True,
        ).stdout
        name, total, free = told.splitlines()[0].rsplit(",", 2)
        return Gpu(name.strip(), int(total) << 20, int(free) << 20)
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return _without_tool()


def require_gpu(setting: str) -> None:
    """Sees that there is a GPU.

    Args:
        setting: Where it was asked for, for the error.

    Raises:
        EngineUnavailable: There is none.
    """
    if gpu() is None:
        raise EngineUnavailable(
            f"there is no NVIDIA GPU here, or its driver is not installed; set {setting} to cpu, "
            "or take another profile (`voice-agent doctor` tells what can run)"
        )


def require_torch_for(device: str, setting: str) -> None:
    """Sees that the torch that is installed can use the device; an absent torch is not looked at.

    Raises:
        EngineUnavailable: It was built for the processor alone, and a GPU is asked for.
    """
    version, cuda = torch_build()
    if device == "cuda" and version is not None and cuda is None:
        raise EngineUnavailable(
            f"torch {version} was built for the processor alone; install its build for your GPU "
            f"(https://pytorch.org/get-started/locally), or set {setting} to cpu"
        )


def torch_build() -> tuple[str | None, str | None]:
    """The version of torch and of the CUDA it was built for, read from its files."""
    spec = find_spec("torch")
    if spec is None or not spec.submodule_search_locations:
        return None, None
    try:
        text = (Path(spec.submodule_search_locations[0]) / "version.py").read_text()
    except OSError:
        return None, None
    return _assigned("__version__", text), _assigned("cuda", text)


def _assigned(name: str, text: str) -> str | None:
    found = re.search(rf"^{name}\b[^=\n]*=\s*'([^']*)'", text, re.MULTILINE)
    return found[1] if found else None


def _without_tool() -> Gpu | None:
    """A GPU that only CUDA knows of: containers often lack the driver's tool."""
    import ctranslate2

    return Gpu("NVIDIA GPU", None, None) if ctranslate2.get_cuda_device_count() else None


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _room(folder: Path) -> int:
    there = next(place for place in (folder, *folder.parents) if place.exists())
    return shutil.disk_usage(there).free
