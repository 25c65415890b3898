"""Work of many conversations goes to one worker in batches."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.batching import Batcher
from voice_agent.errors import EngineError
from voice_agent.workers import Worker


class Bench:
    """A worker that doubles numbers, keeps the batches it was given, and can be held up."""

    def __init__(self) -> None:
        self.worker = Worker.thread("bench")
        self.batches: list[tuple[str, list[int]]] = []
        self.begun = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def work(self, key: str, items: list[int]) -> list[int]:
        self.batches.append((key, items))
        self.begun.set()
        assert self.gate.wait(30)
        if any(item < 0 for item in items):
            raise ValueError("negative")
        return [2 * item for item in items if item != 13]

    async def busy(self, batcher: Batcher[str, int, int]) -> asyncio.Task[int]:
        """Keeps the worker busy until the gate is opened."""
        self.gate.clear()
        task = asyncio.create_task(batcher.submit("busy", 0))
        await asyncio.to_thread(self.begun.wait, 30)
        self.batches.clear()
        return task


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.gate.set()
    bench.worker.close()


@pytest.fixture
async def later(monkeypatch) -> Callable[[float], None]:
    """Lets time pass on the event loop without waiting for it."""
    loop = asyncio.get_running_loop()
    real, passed = loop.time, [0.0]

    def let_pass(seconds: float) -> None:
        passed[0] += seconds

    monkeypatch.setattr(loop, "time", lambda: real() + passed[0])
    return let_pass


def submit_all(batcher: Batcher[str, int, int], *items: tuple) -> list[asyncio.Task[int]]:
    return [asyncio.create_task(batcher.submit(*item)) for item in items]


async def turns_of_the_loop() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_waits_when_the_worker_becomes_free_makes_a_batch(bench):
    batcher: Batcher[str, int, int] = Batcher(bench.worker, bench.work, most=3)
    busy = await bench.busy(batcher)
    tasks = submit_all(batcher, ("a", 1), ("b", 2), ("a", 3), ("a", 4), ("a", 5))
    await turns_of_the_loop()
    assert batcher.waiting == 5
    bench.gate.set()

    assert await asyncio.gather(*tasks) == [2, 4, 6, 8, 10]
    assert bench.batches == [("a", [1, 3, 4]), ("b", [2]), ("a", [5])]
    assert await busy == 0
    assert batcher.waiting == 0


@given(
    jobs=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9))),
    most=st.integers(1, 4),
)
def test_everybody_gets_the_result_of_their_own(jobs, most):
    async def run() -> None:
        bench = Bench()
        batcher: Batcher[str, int, int] = Batcher(bench.worker, bench.work, most)
        try:
            assert await asyncio.gather(*(batcher.submit(*job) for job in jobs)) == [
                2 * item for _, item in jobs
            ]
        finally:
            bench.worker.close()
        assert all(len(items) <= most for _, items in bench.batches)
        for key in "abc":
            done = [item for of, items in bench.batches if of == key for item in items]
            assert done == [item for of, item in jobs if of == key]

    asyncio.run(run())


async def test_nothing_waits_for_a_batch_to_fill_unless_told(bench):
    batcher: Batcher[str, int, int] = Batcher(bench.worker, bench.work, most=8)

    assert await batcher.submit("a", 1) == 2
    assert await batcher.submit("a", 2) == 4
    assert bench.batches == [("a", [1]), ("a", [2])]


async def test_a_batch_that_is_full_does_not_linger(bench):
    batcher: Batcher[str, int, int] = Batcher(bench.worker, bench.work, most=3, linger_s=3600)
    tasks = submit_all(batcher, ("a", 1), ("a", 2))
    await turns_of_the_loop()
    assert bench.batches == []
    tasks += submit_all(batcher, ("a", 3))

    assert await asyncio.gather(*tasks) == [2, 4, 6]
    assert bench.batches == [("a", [1, 2, 3])]


async def test_no_item_lingers_longer_than_it_may(bench, later):
    batcher: Batcher[str, int, int] = Batcher(bench.worker, bench.work, most=8, linger_s=3600)
    first = submit_all(batcher, ("a", 1))
    await turns_of_the_loop()
    later(3000)
    second = submit_all(batcher, ("a", 2))
    await turns_of_the_loop()
    assert bench.batches == []
    later(700)

    assert await asyncio.gather(*first, *second) == [2, 4]
    assert bench.batches == [("a", [1, 2])]


async def test_time_spent_waiting_for_the_worker_counts(bench, later):
    batcher: Batcher[str, int, int] = Batcher(bench.worker, bench.work, most=8, linger_s=3600)
    busy = submit_all(batcher, ("busy", 0))
    bench.gate.clear()
    await turns_of_the_loop()
    later(3601)
    await asyncio.to_thread(bench.begun.wait, 30)
    bench.batches.clear()
    tasks = submit_all(batcher, ("a", 1))
    await turns_of_the_loop()
    later(3601)
    bench.gate.set()  # An hour more would have to pass if its time began only now.

    assert await asyncio.gather(*busy, *tasks) == [0, 2]
    assert bench.batches == [("a", [1])]


async def test_who_gives_up_while_it_lingers_is_left_out(bench):
    batcher: Batcher[str, int, int] = Batcher(bench.worker, bench.work, most=2, linger_s=3600)
    (dropped,) = submit_all(batcher, ("a", 1))
    await turns_of_the_loop()
    dropped.cancel()
    await asyncio.wait([dropped])
    assert batcher.waiting == 0

    assert await asyncio.gather(*submit_all(batcher, ("a", 2), ("a", 3))) == [4, 6]
    assert bench.batches == [("a", [2, 3])]


async def test_closing_refuses_what_lingers_and_what_comes(bench):
    batcher: Batcher[str, int, int] = Batcher(bench.worker, bench.work, most=2, linger_s=3600)
    (waiting,) = submit_all(batcher, ("a", 1))
    await turns_of_the_loop()
    batcher.close()

    with pytest.raises(EngineError, match="closed"):
        await waiting
    with pytest.raises(EngineError, match="closed"):
        await batcher.submit("a", 2)
    await turns_of_the_loop()
    assert len(asyncio.all_tasks()) == 1
    assert bench.batches == []


@pytest.mark.parametrize("bad", [-1, 13], ids=["it raises", "a result is missing"])
async def test_failed_work_fails_for_its_batch_alone(bench, bad):
    batcher: Batcher[str, int, int] = Batcher(bench.worker, bench.work, most=2)
    await bench.busy(batcher)
    tasks = submit_all(batcher, ("a", 1), ("a", bad), ("a", 3))
    await turns_of_the_loop()
    bench.gate.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [EngineError, EngineError, int]
    assert outcomes[0] is not outcomes[1]
    assert await batcher.submit("a", 4) == 8
