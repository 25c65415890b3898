"""cuBLAS is loaded from its package before CTranslate2 asks for it by name."""

import ctypes
import subprocess
import sys
from types import SimpleNamespace

import pytest

from voice_agent.models import cublas


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """What was loaded, on a Linux that has it all."""
    names: list[str] = []
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name, mode: names.append(name))
    return names


def packaged(monkeypatch, folder) -> None:
    monkeypatch.setattr(
        cublas, "distribution", lambda _: SimpleNamespace(locate_file=lambda path: folder / path)
    )


def test_the_package_comes_before_the_system(asked, monkeypatch, tmp_path):
    folder = tmp_path / "nvidia" / "cublas" / "lib"
    folder.mkdir(parents=True)
    packaged(monkeypatch, tmp_path)

    assert cublas.ensure()
    # The second needs the first, and would not find it where it lies.
    assert asked == [str(folder / "libcublasLt.so.12"), str(folder / "libcublas.so.12")]


def test_without_the_package_the_system_is_asked(asked, monkeypatch, tmp_path):
    packaged(monkeypatch, tmp_path)

    assert cublas.ensure()
    assert asked == ["libcublasLt.so.12", "libcublas.so.12"]


def test_a_machine_without_it_is_told_from_one_with_it(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "linux")
    folder = tmp_path / "nvidia" / "cublas" / "lib"
    folder.mkdir(parents=True)
    (folder / "libcublasLt.so.12").write_bytes(b"no library")
    packaged(monkeypatch, tmp_path)

    assert not cublas.ensure()


def test_nothing_is_loaded_where_no_gpu_is_asked_for():
    code = (
        "import sys, voice_agent.agent;"
        "print(any('cublas' in line for line in open('/proc/self/maps')))"
    )
    if sys.platform != "linux":
        pytest.skip("/proc is Linux's")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
