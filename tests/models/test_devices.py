"""Who goes first on a device, and on which one a model is put."""

import logging
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_agent.errors import EngineUnavailable
from voice_agent.models import devices, memory
from voice_agent.models.devices import PATIENCE_S, Device, Rank, device

ENDLESS = {rank: 600.0 if rank else 0.0 for rank in Rank}
"""Patience that no test sees the end of; the voice has none, as always."""

SHORT = dict.fromkeys(Rank, 0.001)

GB = 10**9


class Steps:
    """Steps of threads on a device that begin as it lets them and end when they are told."""

    def __init__(self, on: Device) -> None:
        self.device = on
        self._pool = ThreadPoolExecutor(32)
        self._begun: list[threading.Event] = []
        self._ends: list[threading.Event] = []
        self._done: list[Future[None]] = []
        self.ranks: list[Rank] = []
        self.order: list[int] = []

    def begin(self, rank: Rank) -> int:
        """A step asks for its turn; returns its number once it has begun or is held back."""
        number, held_back = len(self.ranks), self.device.waiting
        self.ranks.append(rank)
        self._begun.append(threading.Event())
        self._ends.append(threading.Event())
        self._done.append(self._pool.submit(self._step, number))
        until(lambda: self._begun[number].is_set() or self.device.waiting > held_back)
        return number

    def end(self, number: int) -> None:
        self._ends[number].set()
        self._done[number].result(30)

    def has_begun(self, number: int) -> bool:
        return self._begun[number].is_set()

    def wait_for(self, number: int) -> None:
        assert self._begun[number].wait(30)

    def close(self) -> None:
        for end in self._ends:
            end.set()
        self._pool.shutdown()

    def _step(self, number: int) -> None:
        with self.device.turn(self.ranks[number]):
            self.order.append(number)
            self._begun[number].set()
            assert self._ends[number].wait(60)


def until(condition: Callable[[], bool]) -> None:
    """Lets other threads run until something is so."""
    pause = threading.Event()
    for _ in range(30_000):
        if condition():
            return
        pause.wait(0.001)
    pytest.fail("it did not come about")


@pytest.fixture
def steps():
    steps = Steps(Device("cpu", ENDLESS))
    yield steps
    steps.close()


def test_there_is_one_device_of_a_name():
    assert device("cpu") is device("cpu")
    assert device("cpu") is not device("cuda")


def test_what_waits_goes_in_the_order_of_rank(steps):
    voice = steps.begin(Rank.VOICE)
    late_ones = [steps.begin(rank) for rank in sorted(Rank, reverse=True) if rank]
    assert steps.order == [voice]
    for number in [voice, *reversed(late_ones)]:
        steps.wait_for(number)
        steps.end(number)

    assert steps.order == [voice, *reversed(late_ones)]


def test_steps_of_one_rank_go_on_side_by_side(steps):
    numbers = [steps.begin(Rank.REPLY) for _ in range(4)]

    for number in numbers:
        steps.wait_for(number)


def test_a_step_that_failed_makes_room():
    on = Device("cpu", ENDLESS)
    with pytest.raises(ZeroDivisionError), on.turn(Rank.VOICE):
        1 / 0  # noqa: B018
    with on.turn(Rank.PREPARATION):
        assert on.waiting == 0


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_step_is_held_back_by_those_before_it_and_by_nothing_else(data):
    """Without an end of patience: nobody goes while one before it waits or works, the voice never
    waits, and where only one rank is left it goes.
    """
    steps = Steps(Device("cpu", ENDLESS))
    present: list[int] = []  # What has asked and has not ended, in the order in which it asked.
    begun: set[int] = set()
    try:
        for _ in range(data.draw(st.integers(1, 12))):
            if begun and data.draw(st.booleans()):
                ended = data.draw(st.sampled_from(sorted(begun)))
                steps.end(ended)
                begun.remove(ended)
                present.remove(ended)
            else:
                present.append(steps.begin(data.draw(st.sampled_from(Rank))))
            first = min((steps.ranks[number] for number in present), default=None)
            for number in present:
                if steps.ranks[number] == first:
                    steps.wait_for(number)
                    begun.add(number)
            assert {number for number in present if steps.has_begun(number)} == begun
            assert steps.device.waiting == len(present) - len(begun)
    finally:
        steps.close()


@settings(max_examples=20, deadline=None)
@given(crowd=st.lists(st.sampled_from(Rank), max_size=6), last=st.sampled_from(Rank))
def test_no_rank_starves_however_long_others_work(crowd, last):
    steps = Steps(Device("cpu", SHORT))
    try:
        for rank in crowd:
            steps.begin(rank)
        steps.wait_for(steps.begin(last))
    finally:
        steps.close()


def test_the_voice_has_no_patience_and_each_rank_more_than_the_one_before():
    waits = [PATIENCE_S[rank] for rank in Rank]

    assert waits[0] == 0
    assert waits == sorted(set(waits))
    assert waits[-1] <= 0.1


class Cuda(SimpleNamespace):
    """What ``Device`` asks of torch about a GPU, written down."""

    def __init__(self, free: int = 0, in_use: bool = True) -> None:
        super().__init__(calls=[], free=free, in_use=in_use)
        self.cuda = self

    def is_available(self) -> bool:
        return True

    def is_initialized(self) -> bool:
        return self.in_use

    def mem_get_info(self) -> tuple[int, int]:
        return self.free, 2 * self.free

    def memory_reserved(self) -> int:
        return 0

    memory_allocated = memory_reserved

    def synchronize(self) -> None:
        self.calls.append((threading.get_ident(), "synchronize"))

    def Stream(self, priority: int) -> int:  # noqa: N802
        return priority

    def set_stream(self, stream: int) -> None:
        self.calls.append((threading.get_ident(), stream))


@pytest.mark.parametrize("rank", Rank)
def test_on_a_gpu_a_thread_keeps_the_stream_of_its_first_turn(monkeypatch, rank):
    torch = Cuda()
    monkeypatch.setitem(sys.modules, "torch", torch)
    on = Device("cuda")

    def engine() -> int:
        for one in (rank, Rank.VOICE, Rank.PREPARATION):
            with on.turn(one):
                pass
        return threading.get_ident()

    with ThreadPoolExecutor(1) as pool:
        thread = pool.submit(engine).result(30)

    priority = -1 if rank in (Rank.VOICE, Rank.EAR) else 0
    assert torch.calls == [(thread, "synchronize"), (thread, priority)]


def test_two_engines_on_a_gpu_have_streams_of_their_own(monkeypatch):
    torch = Cuda()
    monkeypatch.setitem(sys.modules, "torch", torch)
    on, both = Device("cuda"), threading.Barrier(2, timeout=30)

    def engine(rank: Rank) -> int:
        both.wait()
        with on.turn(rank):
            both.wait()
        return threading.get_ident()

    with ThreadPoolExecutor(2) as pool:
        voice, thought = pool.map(engine, (Rank.VOICE, Rank.VOICE))

    assert sorted(torch.calls, key=str) == sorted(
        [(thread, did) for thread in (voice, thought) for did in ("synchronize", -1)], key=str
    )


def test_an_engine_of_another_library_does_not_make_torch_use_the_gpu(monkeypatch):
    torch = Cuda(in_use=False)
    monkeypatch.setitem(sys.modules, "torch", torch)
    with Device("cuda").turn(Rank.EAR):
        pass

    assert torch.calls == []


def test_the_processor_needs_no_torch(monkeypatch):
    torch = Cuda()
    monkeypatch.setitem(sys.modules, "torch", torch)
    with Device("cpu").turn(Rank.VOICE):
        pass

    assert torch.calls == []


@pytest.fixture
def gpu(monkeypatch) -> Callable[[int], None]:
    """Puts a GPU with so many bytes free into the machine."""

    def there_is(free: int) -> None:
        monkeypatch.setitem(sys.modules, "torch", Cuda(free))

    return there_is


@pytest.fixture(autouse=True)
def processor(monkeypatch) -> Callable[[int], None]:
    """Gives the processor so many bytes of free memory."""

    def has(free: int) -> None:
        monkeypatch.setattr(memory, "_free_of_processor", lambda: free)

    has(100 * GB)
    return has


def test_auto_takes_the_gpu_where_the_model_fits(gpu, caplog):
    gpu(8 * GB)

    assert devices.choose("auto", "x.device", 8 * GB) == "cuda"
    assert devices.choose("auto", "x.device") == "cuda"
    assert devices.choose("cpu", "x.device", 8 * GB) == "cpu"
    assert caplog.records == []


def test_auto_falls_back_to_the_processor_and_says_why(gpu, caplog):
    gpu(8 * GB)
    with caplog.at_level(logging.WARNING):
        chosen = devices.choose("auto", "x.device", 9 * GB, "the language model")

    assert chosen == "cpu"
    (record,) = caplog.records
    said = record.getMessage()
    assert "the language model runs on the processor" in said
    assert "9.0 GB of GPU memory" in said
    assert "8.0 GB are free" in said


def test_a_gpu_that_was_asked_for_is_not_replaced(gpu):
    gpu(8 * GB)

    with pytest.raises(EngineUnavailable, match=r"9\.0 GB.*8\.0 GB.*set x\.device to cpu"):
        devices.choose("cuda", "x.device", 9 * GB, "the language model")


def test_what_fits_nowhere_is_refused(gpu, processor):
    gpu(2 * GB)
    processor(3 * GB)

    with pytest.raises(EngineUnavailable, match=r"4\.0 GB of memory, and 3\.0 GB are free"):
        devices.choose("auto", "x.device", 4 * GB)


def test_a_model_may_take_less_on_a_gpu(gpu, processor):
    gpu(2 * GB)
    processor(3 * GB)

    assert devices.choose("auto", "x.device", {"cuda": 2 * GB, "cpu": 4 * GB}) == "cuda"


def test_engines_that_load_side_by_side_do_not_count_on_the_same_memory(gpu):
    gpu(8 * GB)
    with (
        devices.reserve("auto", "a.device", 5 * GB) as first,
        devices.reserve("auto", "b.device", 5 * GB) as second,
        devices.reserve("auto", "c.device", 3 * GB) as third,
    ):
        assert (first, second, third) == ("cuda", "cpu", "cuda")


@pytest.mark.parametrize("library", ["torch", "ctranslate2"])
def test_no_gpu_at_all(monkeypatch, library):
    pytest.importorskip(library)
    monkeypatch.setattr(devices, "_has_gpu", lambda _: False)

    assert devices.choose("auto", "x.device", 9 * GB, library=library) == "cpu"
    with pytest.raises(EngineUnavailable, match=rf"{library} finds no CUDA device.*x\.device"):
        devices.choose("cuda", "x.device", library=library)


def test_a_gpu_counts_only_for_a_library_that_was_built_for_it(gpu, monkeypatch):
    ctranslate2 = pytest.importorskip("ctranslate2")
    gpu(8 * GB)
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 0)

    assert devices.choose("auto", "x.device", library="ctranslate2") == "cpu"
    assert devices.choose("auto", "x.device", library="torch") == "cuda"
