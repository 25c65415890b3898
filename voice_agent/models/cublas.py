"""cuBLAS for CUDA 12, which CTranslate2 looks for by its name once it computes on a GPU.

The package ``nvidia-cublas-cu12`` brings it to a place where no loader looks, and a torch for CUDA
13 brings another version. What a process has loaded is found by its name from then on. Linux alone;
not verified on a GPU.
"""

import ctypes
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

_LIBRARIES = ("libcublasLt.so.12", "libcublas.so.12")


def ensure() -> bool:
    """Loads it, from its package where that is installed, else from where the system has it.

    Returns:
        Whether it is there; elsewhere than on Linux always True, since nobody knows.
    """
    if sys.platform != "linux":
        return True
    folder = _folder()
    try:
        for name in _LIBRARIES:
            ctypes.CDLL(str(folder / name) if folder else name, mode=ctypes.RTLD_GLOBAL)
    except OSError:
        return False
    return True


def _folder() -> Path | None:
    try:
        package = distribution("nvidia-cublas-cu12")
    except PackageNotFoundError:
        return None
    folder = Path(str(package.locate_file("nvidia/cublas/lib")))
    return folder if folder.is_dir() else None
