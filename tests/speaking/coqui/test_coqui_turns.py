"""Phrases in turns, with steps that are counted instead of computed."""

import asyncio
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from voice_agent.errors import EngineError
from voice_agent.events import Speech
from voice_agent.models.devices import Device
from voice_agent.speaking.synthesizers.coqui.turns import Turns

RATE = 1000


def piece(value: float, seconds: float = 0.1) -> Speech:
    return Speech(np.full(round(seconds * RATE), value, np.float32), RATE)


class Steps:
    """A phrase: some silent steps, then a piece, again and again; tells which steps were made."""

    def __init__(self, name: str, log: list[str], pieces: int = 3, silent: int = 2) -> None:
        self.name, self.log, self.pieces, self.silent = name, log, pieces, silent
        self.closed = threading.Event()

    def __call__(self) -> Iterator[Speech | None]:
        try:
            for at in range(self.pieces):
                for _ in range(self.silent):
                    self.log.append(self.name)
                    yield None
                self.log.append(self.name)
                yield piece(at)
        finally:
            self.closed.set()


@pytest.fixture
def turns() -> Iterator[Turns]:
    made = Turns("test", Device("cpu"))
    yield made
    made.close()
    made.join()


async def collect(turns: Turns, steps: Steps) -> list[float]:
    return [float(speech.samples[0]) async for speech in turns.render(steps)]


async def test_all_pieces_come_in_order(turns: Turns) -> None:
    log: list[str] = []
    assert await collect(turns, Steps("a", log)) == [0, 1, 2]
    assert log == ["a"] * 9


async def test_phrases_take_turns_step_by_step(turns: Turns) -> None:
    log: list[str] = []
    held = threading.Event()

    def begins() -> Iterator[Speech | None]:
        held.wait()  # until both phrases wait for their turn
        yield None

    first = asyncio.ensure_future(anext(turns.render(begins), None))
    both = asyncio.gather(*(collect(turns, Steps(name, log, pieces=1, silent=3)) for name in "ab"))
    await asyncio.sleep(0)
    held.set()
    await both
    await first
    assert log == ["a", "b"] * 4


async def test_who_has_heard_nothing_yet_goes_first(turns: Turns) -> None:
    log: list[str] = []
    reached, held = threading.Event(), threading.Event()

    def long() -> Iterator[Speech | None]:
        yield piece(0)
        reached.set()
        held.wait()  # until the other phrase waits for its turn
        for at in range(1, 9):
            log.append("long")
            yield piece(at, 0.01)

    begun = turns.render(long)
    await anext(begun)
    await asyncio.to_thread(reached.wait, 5)
    other = asyncio.ensure_future(collect(turns, Steps("new", log, pieces=1, silent=5)))
    await asyncio.sleep(0)
    held.set()
    assert await other == [0]
    # The step under way ends, and then it has audio to be taken: the new one passes it.
    assert log[:7] == ["long"] + ["new"] * 6
    assert [float(speech.samples[0]) async for speech in begun] == list(range(1, 9))


async def test_a_slow_listener_is_not_rendered_ahead_without_end(turns: Turns) -> None:
    log: list[str] = []
    slow = turns.render(Steps("slow", log, pieces=1000, silent=0))
    await anext(slow)
    assert await collect(turns, Steps("other", log)) == [0, 1, 2]
    await collect(turns, Steps("other", log))
    assert log.count("slow") <= 17  # one taken, 1.5 s ahead
    await slow.aclose()


async def test_closing_ends_the_work_and_closes_it_in_the_thread(turns: Turns) -> None:
    log: list[str] = []
    steps = Steps("a", log, pieces=1000)
    pieces = turns.render(steps)
    await anext(pieces)
    await pieces.aclose()
    assert await asyncio.to_thread(steps.closed.wait, 5)
    assert len(log) < 100


async def test_a_failing_step_fails_its_phrase_alone(turns: Turns) -> None:
    def fails() -> Iterator[Speech | None]:
        yield piece(0)
        raise RuntimeError("out of memory")

    log: list[str] = []
    bad, good = await asyncio.gather(
        collect(turns, fails),  # type: ignore[arg-type]
        collect(turns, Steps("a", log)),
        return_exceptions=True,
    )
    assert isinstance(bad, EngineError)
    assert "out of memory" in str(bad)
    assert good == [0, 1, 2]


async def test_closing_all_fails_what_is_under_way_and_what_comes(turns: Turns) -> None:
    pieces = turns.render(Steps("a", [], pieces=1000))
    await anext(pieces)
    turns.close()
    with pytest.raises(EngineError, match="closed"):
        async for _ in pieces:
            pass
    with pytest.raises(EngineError, match="closed"):
        await anext(turns.render(Steps("b", [])))


def test_a_loop_that_ends_leaves_the_thread_to_others(turns: Turns) -> None:
    async def begin() -> None:
        await anext(turns.render(Steps("a", [], pieces=1000)))

    asyncio.run(begin())
    assert asyncio.run(collect(turns, Steps("b", []))) == [0, 1, 2]


@pytest.fixture
def shared() -> Iterator[Turns]:
    """Turns of phrases that share their steps."""
    made = Turns("test", Device("cpu"), together=True)
    yield made
    made.close()
    made.join()


async def test_phrases_that_share_their_steps_make_one_each_a_round(shared: Turns) -> None:
    log: list[str] = []
    held = threading.Event()

    def begins() -> Iterator[Speech | None]:
        held.wait()  # until all phrases wait for their turn
        yield None

    first = asyncio.ensure_future(anext(shared.render(begins), None))
    # However much waits of "a": the others share its steps, and gain nothing by going alone.
    steps = [Steps("a", log, pieces=6, silent=0), Steps("b", log, 1, 5), Steps("c", log, 2, 2)]
    everything = asyncio.gather(*(collect(shared, one) for one in steps))
    await asyncio.sleep(0)
    held.set()
    assert await everything == [[0, 1, 2, 3, 4, 5], [0], [0, 1]]
    await first
    assert [set(log[at : at + 3]) for at in range(0, 18, 3)] == [set("abc")] * 6


async def test_of_those_who_share_steps_who_has_heard_nothing_is_served_first(
    shared: Turns,
) -> None:
    log: list[str] = []
    reached, held = threading.Event(), threading.Event()

    def long() -> Iterator[Speech | None]:
        yield piece(0)
        reached.set()
        held.wait()  # until the other phrase waits for its turn
        for at in range(1, 9):
            log.append("long")
            yield piece(at, 0.01)

    begun = shared.render(long)
    await anext(begun)
    await asyncio.to_thread(reached.wait, 5)
    other = asyncio.ensure_future(collect(shared, Steps("new", log, pieces=1, silent=3)))
    await asyncio.sleep(0)
    held.set()
    assert await other == [0]
    assert log[:9] == ["long", *["new", "long"] * 4]
    assert [float(speech.samples[0]) async for speech in begun] == list(range(1, 9))


async def test_who_shares_steps_and_listens_slowly_sits_out(shared: Turns) -> None:
    log: list[str] = []
    slow = shared.render(Steps("slow", log, pieces=1000, silent=0))
    await anext(slow)
    for _ in range(3):
        assert await collect(shared, Steps("other", log, pieces=9)) == list(range(9))
    assert log.count("slow") <= 17  # one taken, 1.5 s ahead
    await slow.aclose()


async def test_who_stops_listening_within_a_round_has_no_further_step_in_it(shared: Turns) -> None:
    log: list[str] = []
    reached, held = threading.Event(), threading.Event()

    def new() -> Iterator[Speech | None]:
        reached.set()
        held.wait()
        yield piece(0)

    given_up = asyncio.ensure_future(collect(shared, Steps("given up", log, silent=10**9)))
    await asyncio.sleep(0)
    begun = shared.render(new)
    first = asyncio.ensure_future(anext(begun))
    await asyncio.to_thread(reached.wait, 5)
    # The new one goes first in its round; before it is the other's turn, nobody wants that.
    before = log.count("given up")
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    held.set()
    await first
    assert log.count("given up") == before
    await begun.aclose()
