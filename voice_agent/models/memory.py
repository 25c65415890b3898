"""The memory of a device: how much is free, and whether a model fits before it is loaded."""

import os
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from voice_agent.errors import EngineUnavailable

if TYPE_CHECKING:
    from voice_agent.models.devices import DeviceName

_OF_WEIGHTS = (".safetensors", ".bin", ".pth", ".pt", ".onnx")
_CGROUP = Path("/sys/fs/cgroup")
_SMI_TIMEOUT_S = 10


def weights(folder: Path) -> int:
    """Bytes of the weights in a folder: about what a model takes when it is loaded as it is.

    What computing takes on top of it is not counted.
    """
    files = [file for file in folder.iterdir() if file.suffix in _OF_WEIGHTS and file.is_file()]
    # Many folders hold the same weights in an older format, too; only one of them is loaded.
    newest = [file for file in files if file.suffix == ".safetensors"]
    return sum(file.stat().st_size for file in newest or files)


def free(device: "DeviceName") -> int | None:
    """Bytes that a model can have on a device now; None where that cannot be found out.

    Torch is asked about a GPU where it is loaded, since what it holds in reserve counts as free;
    otherwise the driver's ``nvidia-smi`` is.
    """
    return _free_of_processor() if device == "cpu" else _free_of_gpu()


def left(device: "DeviceName") -> int | None:
    """As ``free``, less what engines that are loading now have claimed and not taken yet.

    For what can be larger or smaller: how many conversations are kept, say.
    """
    now = free(device)
    return None if now is None else _budgets[device].left(now)


def require(device: "DeviceName", needed: int, what: str, advice: str) -> None:
    """Checks that a model fits.

    Args:
        device: Where it is to be loaded.
        needed: Bytes that it takes there.
        what: What it is, as a subject of a sentence: ``"the language model"``.
        advice: What to do if it does not.

    Raises:
        EngineUnavailable: It does not fit.
    """
    with claim(device, needed, what, advice):
        pass


@contextmanager
def claim(device: "DeviceName", needed: int, what: str, advice: str) -> Iterator[None]:
    """As ``require``, and keeps the memory for what is loaded within the block.

    Engines load side by side: without this each would take the same bytes for its own.
    """
    budget = _budgets[device]
    budget.claim(needed, free(device) if needed else None, what, device, advice)
    try:
        yield
    except BaseException:
        budget.release(needed)
        raise
    budget.release(0)


class _Budget:
    """What is left of a device's memory while engines load.

    How much of a claim has already been taken cannot be seen from outside. So claims are counted
    from what was free when nothing was being loaded, until nothing is again.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._loading = 0
        self._claimed = 0
        self._at_first: int | None = None

    def left(self, now: int) -> int:
        with self._lock:
            if self._at_first is None:
                return now
            return max(0, min(now, self._at_first - self._claimed))

    def claim(
        self, needed: int, now: int | None, what: str, device: "DeviceName", advice: str
    ) -> None:
        with self._lock:
            if now is not None:
                if self._at_first is None:
                    self._at_first = now + self._claimed
                if needed > (left := self.left(now)):
                    kind = "GPU memory" if device == "cuda" else "memory"
                    self._settle()
                    raise EngineUnavailable(
                        f"{what} needs {in_words(needed)} of {kind}, and {in_words(left)} are free "
                        f"here; {advice}"
                    )
            self._loading += 1
            self._claimed += needed

    def release(self, unused: int) -> None:
        with self._lock:
            self._loading -= 1
            self._claimed -= unused
            self._settle()

    def _settle(self) -> None:
        if not self._loading:
            self._claimed, self._at_first = 0, None


_budgets: defaultdict[str, _Budget] = defaultdict(_Budget)


def in_words(size: int) -> str:
    """A number of bytes for a person, in decimal units: ``"1.5 GB"``."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def _free_of_processor() -> int:
    available: int = psutil.virtual_memory().available
    try:
        # The bound of a container; what files are cached in it is given up when it is needed.
        bound = int((_CGROUP / "memory.max").read_text())
        used = int((_CGROUP / "memory.current").read_text())
        counts = dict(line.split() for line in (_CGROUP / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return available
    return max(0, min(available, bound - used + int(counts.get("inactive_file", 0))))


def _free_of_gpu() -> int | None:
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        unused: int = torch.cuda.mem_get_info()[0]
        kept: int = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
        return unused + kept
    query = ["nvidia-smi", "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    # CUDA counts the devices that it is shown; the driver's tool counts them all.
    if shown := os.environ.get("CUDA_VISIBLE_DEVICES", "").partition(",")[0].strip():
        query.append(f"--id={shown}")
    try:
        told = subprocess.run(
            query, capture_output=True, text=True, timeout=_SMI_TIMEOUT_S, check=True
        )
        return int(told.stdout.splitlines()[0]) << 20
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
