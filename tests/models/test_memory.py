"""How much memory a device has left, and whether a model fits before it is loaded."""

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.errors import EngineUnavailable
from voice_agent.models import memory


class Machine:
    """A device of which memory is free, and engines take it."""

    def __init__(self, free: int) -> None:
        self.free = free

    def __call__(self) -> int:
        return self.free


@pytest.fixture
def ram(monkeypatch) -> Machine:
    machine = Machine(1000)
    monkeypatch.setattr(memory, "_free_of_processor", machine)
    return machine


def claim(needed: int):
    return memory.claim("cpu", needed, "the model", "buy more")


def test_the_weights_are_those_that_are_loaded(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"x": 1}))
    assert memory.weights(tmp_path) == 0
    (tmp_path / "pytorch_model.bin").write_bytes(bytes(10))
    (tmp_path / "speakers.pth").write_bytes(bytes(5))
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "model.onnx").write_bytes(bytes(100))
    assert memory.weights(tmp_path) == 15
    (tmp_path / "model-00001-of-00002.safetensors").write_bytes(bytes(4))
    (tmp_path / "model-00002-of-00002.safetensors").write_bytes(bytes(3))
    assert memory.weights(tmp_path) == 7


def test_a_pulled_model_behind_links_is_weighed(tmp_path):
    (tmp_path / "blob").write_bytes(bytes(8))
    (tmp_path / "snapshot").mkdir()
    (tmp_path / "snapshot" / "model.bin").symlink_to(tmp_path / "blob")

    assert memory.weights(tmp_path / "snapshot") == 8


def test_what_does_not_fit_is_refused_with_what_to_do(ram):
    ram.free = 1_500_000_000
    with pytest.raises(EngineUnavailable) as error:
        memory.require("cpu", 2_000_000_000, "the language model", "choose a smaller one")

    assert str(error.value) == (
        "the language model needs 2.0 GB of memory, and 1.5 GB are free here; choose a smaller one"
    )
    memory.require("cpu", 1_500_000_000, "the language model", "choose a smaller one")


def test_what_is_not_known_is_not_refused(monkeypatch):
    monkeypatch.setattr(memory, "free", lambda _: None)

    memory.require("cuda", 10**15, "the model", "buy more")


def test_memory_is_kept_for_what_is_being_loaded(ram):
    with claim(600):
        with pytest.raises(EngineUnavailable):
            memory.require("cpu", 600, "the model", "buy more")
        memory.require("cpu", 400, "the model", "buy more")
    memory.require("cpu", 600, "the model", "buy more")


def test_what_has_been_loaded_already_is_not_counted_twice(ram):
    with claim(600):
        ram.free -= 500
        memory.require("cpu", 400, "the model", "buy more")
        with pytest.raises(EngineUnavailable):
            memory.require("cpu", 401, "the model", "buy more")


def test_what_another_program_took_meanwhile_is_gone(ram):
    with claim(100):
        ram.free = 300
        with pytest.raises(EngineUnavailable):
            memory.require("cpu", 301, "the model", "buy more")


def test_what_failed_to_load_gives_its_memory_back(ram):
    with claim(100):
        with pytest.raises(ZeroDivisionError), claim(900):
            1 / 0  # noqa: B018
        memory.require("cpu", 900, "the model", "buy more")


def test_an_engine_may_ask_for_more_while_it_loads(ram):
    with claim(600):
        ram.free -= 600
        with claim(300):
            ram.free -= 300
            with pytest.raises(EngineUnavailable):
                memory.require("cpu", 200, "the model", "buy more")


def test_what_is_left_is_what_nobody_has_claimed(ram):
    assert memory.left("cpu") == 1000
    with claim(600), claim(100):
        ram.free -= 500
        assert memory.left("cpu") == 300
        ram.free -= 300
        assert memory.left("cpu") == 200
    assert memory.left("cpu") == 200
    with pytest.raises(EngineUnavailable):
        memory.require("cpu", 201, "the model", "buy more")
    ram.free = 900
    assert memory.left("cpu") == 900


def test_one_that_does_not_know_what_it_needs_hinders_nobody(ram):
    with claim(0):
        ram.free -= 200
        with claim(800), pytest.raises(EngineUnavailable):
            memory.require("cpu", 1, "the model", "buy more")


@given(
    free=st.integers(0, 2000),
    sizes=st.lists(st.integers(1, 800), min_size=1, max_size=6),
    loaded=st.lists(st.floats(0, 1), min_size=6, max_size=6),
)
def test_never_more_is_claimed_than_there_is(free, sizes, loaded):
    """However far each engine has loaded when the next asks, those admitted fit together."""
    machine = Machine(free)
    original, memory._free_of_processor = memory._free_of_processor, machine
    try:
        admitted, claims = [], []
        for size, share in zip(sizes, loaded, strict=False):
            one = claim(size)
            try:
                one.__enter__()
            except EngineUnavailable:
                assert sum(admitted) + size > free
                continue
            admitted.append(size)
            claims.append(one)
            machine.free -= int(size * share)
        for one in claims:
            one.__exit__(None, None, None)
        assert sum(admitted) <= free
    finally:
        memory._free_of_processor = original


def test_threads_do_not_share_what_is_there_once(ram):
    together = threading.Barrier(8, timeout=30)

    def load() -> bool:
        together.wait()
        try:
            with claim(300):
                together.wait()
        except EngineUnavailable:
            together.wait()
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        outcomes = [future.result(30) for future in [pool.submit(load) for _ in range(8)]]

    assert sum(outcomes) == 3


def test_what_is_free_of_the_processor_is_what_the_system_says(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)

    free = memory.free("cpu")

    assert free is not None
    assert free == pytest.approx(psutil.virtual_memory().available, rel=0.2)


@pytest.mark.parametrize(
    ("bound", "left"), [("300000000", 250_000_000), ("100000000", 50_000_000), ("1000", 0)]
)
def test_the_bound_of_a_container_counts(monkeypatch, tmp_path, bound, left):
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    monkeypatch.setattr(
        psutil, "virtual_memory", lambda: type("Memory", (), {"available": 10**12})()
    )
    (tmp_path / "memory.max").write_text(f"{bound}\n")
    (tmp_path / "memory.current").write_text("80000000\n")
    (tmp_path / "memory.stat").write_text("anon 50000000\ninactive_file 30000000\n")

    assert memory.free("cpu") == left


def test_a_container_without_a_bound(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    monkeypatch.setattr(
        psutil, "virtual_memory", lambda: type("Memory", (), {"available": 10**12})()
    )
    (tmp_path / "memory.max").write_text("max\n")

    assert memory.free("cpu") == 10**12


@pytest.fixture
def nvidia_smi(monkeypatch, tmp_path) -> Path:
    """Puts a program of that name on the path that says 4096 MiB, and writes down its arguments."""
    asked = tmp_path / "asked"
    program = tmp_path / "nvidia-smi"
    program.write_text(f'#!/bin/sh\necho "$@" > {asked}\necho 4096\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    return asked


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for the program")
def test_without_torch_the_driver_tells_what_is_free_of_a_gpu(nvidia_smi, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert memory.free("cuda") == 4 << 30
    assert "--id" not in nvidia_smi.read_text()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,0")
    assert memory.free("cuda") == 4 << 30
    assert "--id=2" in nvidia_smi.read_text()


def test_without_a_driver_nothing_is_known_of_a_gpu(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delitem(sys.modules, "torch", raising=False)

    assert memory.free("cuda") is None


def test_memory_that_torch_holds_in_reserve_is_free(monkeypatch):
    class Cuda:
        is_available = staticmethod(lambda: True)
        mem_get_info = staticmethod(lambda: (100, 1000))
        memory_reserved = staticmethod(lambda: 50)
        memory_allocated = staticmethod(lambda: 20)

    monkeypatch.setitem(sys.modules, "torch", type("Torch", (), {"cuda": Cuda}))

    assert memory.free("cuda") == 130


def test_asking_needs_no_torch():
    script = (
        "import sys; from voice_agent.models import devices, memory; "
        "memory.free('cpu'); memory.free('cuda'); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
