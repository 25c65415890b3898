"""What the machine has is found out without torch, and a missing GPU is said in time."""

import sys

import pytest

from voice_agent.errors import EngineUnavailable
from voice_agent.models import machine
from voice_agent.models.machine import Gpu

ASKED = "--query-gpu=name,memory.total,memory.free"


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """Installs a tool of the driver that answers with these lines, and notes what it was asked."""
    if sys.platform == "win32":
        pytest.skip("needs a shell")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("ctranslate2.get_cuda_device_count", lambda: 0)

    def install(answer: str, status: int = 0):
        tool = tmp_path / "nvidia-smi"
        asked = tmp_path / "asked"
        tool.write_text(f'#!/bin/sh\necho "$@" > {asked}\nprintf "{answer}"\nexit {status}\n')
        tool.chmod(0o755)
        return asked

    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    machine.gpu.cache_clear()
    yield install
    machine.gpu.cache_clear()


def test_the_driver_tells_name_and_memory(driver):
    asked = driver("NVIDIA GeForce RTX 4090, 24564, 23028\\n")

    assert machine.gpu() == Gpu("NVIDIA GeForce RTX 4090", 24564 << 20, 23028 << 20)
    assert ASKED in asked.read_text()
    assert "--id=0" in asked.read_text()


def test_the_gpu_is_the_one_that_cuda_shows(driver, monkeypatch):
    asked = driver("NVIDIA L4, 23034, 22000\\n")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")

    assert machine.gpu() is not None
    assert "--id=2" in asked.read_text()


@pytest.mark.parametrize("shown", ["", "-1"])
def test_a_hidden_gpu_is_none(driver, monkeypatch, shown):
    driver("NVIDIA L4, 23034, 22000\\n")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", shown)

    assert machine.gpu() is None


@pytest.mark.parametrize(("answer", "status"), [("No devices were found\\n", 6), ("", 0)])
def test_a_driver_without_a_gpu_is_none(driver, answer, status):
    driver(answer, status)

    assert machine.gpu() is None
    with pytest.raises(EngineUnavailable, match=r"no NVIDIA GPU here.*set x\.device to cpu"):
        machine.require_gpu("x.device")


def test_a_gpu_without_the_drivers_tool_is_still_one(driver, monkeypatch):
    driver("", 1)
    monkeypatch.setattr("ctranslate2.get_cuda_device_count", lambda: 1)

    assert machine.gpu() == Gpu("NVIDIA GPU", None, None)
    machine.require_gpu("x.device")


@pytest.mark.parametrize(
    ("cuda", "read"),
    [("cuda: Optional[str] = None", None), ("cuda: Optional[str] = '13.0'", "13.0")],
)
def test_the_build_of_torch_is_read_from_its_files(tmp_path, monkeypatch, cuda, read):
    package = tmp_path / "torch"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "version.py").write_text(
        f"__all__ = ['__version__', 'cuda']\n__version__ = '2.13.0'\ndebug = False\n{cuda}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "torch", raising=False)

    assert machine.torch_build() == ("2.13.0", read)
    if read is None:
        with pytest.raises(EngineUnavailable, match="was built for the processor alone"):
            machine.require_torch_for("cuda", "x.device")
    machine.require_torch_for("cpu", "x.device")


def test_without_torch_there_is_no_build(monkeypatch):
    monkeypatch.setattr(machine, "find_spec", lambda _: None)

    assert machine.torch_build() == (None, None)
    machine.require_torch_for("cuda", "x.device")


def test_cores_memory_and_disk_are_counted(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "not" / "there" / "yet"))

    here = machine.look()

    assert here.cores >= 1
    assert here.disk_free > 0
    assert here.memory_free is None or here.memory_free > 0
