"""Who may use the model next, seen with work that only notes its steps."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from voice_agent.errors import EngineError
from voice_agent.thinking.models.transformers.turns import STAND_BACK, Rank, Turns
from voice_agent.workers import Worker


class Noting:
    """Work of some steps; changes its rank to a reply's when so many are left."""

    def __init__(
        self, name: str, steps: int, rank: Rank = Rank.FIRST_SENTENCE, *, fails_at: int = -1
    ) -> None:
        self.name = name
        self.left = steps
        self.rank = rank
        self.fails_at = fails_at
        self.closed = 0

    @property
    def over(self) -> bool:
        return self.left == 0

    def close(self) -> None:
        self.closed += 1


class Model:
    """Notes who went together in each step, and waits at ``gate`` before each."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.under_way = threading.Event()

    def step(self, works: Sequence[Noting]) -> list[Any]:
        self.under_way.set()
        assert self.gate.wait(10)
        self.steps.append("".join(work.name for work in works))
        outcomes: list[Any] = []
        for work in works:
            work.left -= 1
            failed = work.left == work.fails_at
            outcomes.append(ValueError("out of order") if failed else [f"{work.name}{work.left}"])
        return outcomes


Start = Callable[..., Turns]


@pytest.fixture
async def model() -> Model:
    return Model()


@pytest.fixture
async def start(model) -> AsyncIterator[Start]:
    started = []

    def new(step=model.step, **options: Any) -> Turns:
        worker = Worker.thread("test")
        started.append((Turns(worker, step, **options), worker))
        return started[-1][0]

    yield new
    for turns, worker in started:
        await turns.close()
        worker.close()


async def all_of(job) -> list[str]:
    brought = []
    while (piece := await job.next()) is not None:
        brought.append(piece)
    return brought


async def held(model: Model, turns: Turns) -> None:
    """Has the model stand still in a step, so that what is handed in now comes together."""
    model.gate.clear()
    turns.submit(Noting("-", 1), "")
    await asyncio.to_thread(model.under_way.wait, 10)


async def steps(model: Model, turns: Turns, works: Sequence[Noting]) -> list[str]:
    """Who went together, of works that come at the same moment."""
    await held(model, turns)
    jobs = [turns.submit(work, "") for work in works]
    model.gate.set()
    for job in jobs:
        await all_of(job)
    return model.steps[1:]


async def test_works_of_one_rank_go_together_and_leave_when_they_end(start, model):
    works = [Noting(name, count) for name, count in (("a", 3), ("b", 1), ("c", 2))]

    together = await steps(model, start(), works)

    assert [sorted(step) for step in together] == [list("abc"), list("ac"), ["a"]]


async def test_each_gets_what_is_its_own_in_order(start, model):
    turns = start()
    jobs = [turns.submit(Noting(name, 3), "") for name in "ab"]

    assert [await all_of(job) for job in jobs] == [["a2", "a1", "a0"], ["b2", "b1", "b0"]]
    assert turns.open == 0


async def test_new_work_joins_between_two_steps(start, model):
    turns = start()
    await held(model, turns)
    first = turns.submit(Noting("a", 2), "")
    second = turns.submit(Noting("b", 1), "")
    model.gate.set()

    await all_of(first)
    await all_of(second)

    assert sorted(model.steps[1]) == ["a", "b"]


async def test_later_ranks_stand_back_and_are_never_stopped(start, model):
    works = [Noting(rank.name[0], 64, rank) for rank in Rank]

    together = await steps(model, start(), works)

    while_first = together[:64]
    assert all("F" in step for step in while_first)
    for rank in Rank:
        share = sum(rank.name[0] in step for step in while_first) / 64
        assert share == pytest.approx(1 / STAND_BACK[rank], rel=0.1)


async def test_where_rows_cost_nothing_nobody_stands_back(start, model):
    works = [Noting(rank.name[0], 5, rank) for rank in Rank]

    together = await steps(model, start(stand_back=dict.fromkeys(Rank, 1)), works)

    assert together == ["FRTP"] * 5


async def test_a_reply_whose_first_sentence_is_out_stands_back_behind_others(start, model):
    speaking, waiting = Noting("s", 8, Rank.REPLY), Noting("w", 4, Rank.FIRST_SENTENCE)

    together = await steps(model, start(), [speaking, waiting])

    assert together[:4] == ["w", "ws", "w", "ws"]
    assert together[4:] == ["s"] * 6


async def test_work_without_a_share_in_a_step_has_its_turn_sooner(start, model):
    """As prompts that are read one after another."""
    shares = []

    def one_alone(works: Sequence[Noting]) -> list[Any]:
        if len(works) == 3:
            shares.append(works[0].name)
            works[0].left -= 1
            return [(), None, None]
        return model.step(works)

    turns = start(one_alone)
    await held(model, turns)
    jobs = [turns.submit(Noting(name, 3), "") for name in "abc"]
    model.gate.set()
    for job in jobs:
        await all_of(job)

    assert shares[:3] == ["a", "b", "c"]


async def test_dropped_work_is_closed_and_makes_no_step_more(start, model):
    turns = start()
    work = Noting("a", 1000)
    job = turns.submit(work, "")
    await held(model, turns)

    job.drop()
    job.drop()
    taken = len(model.steps) + 1
    model.gate.set()
    await all_of(turns.submit(Noting("b", 1), ""))

    assert work.closed == 1
    assert not any("a" in step for step in model.steps[taken:])


async def test_work_that_fails_tells_so_and_disturbs_no_other(start, model):
    turns = start()
    failing = Noting("a", 3, fails_at=1)
    jobs = [turns.submit(work, "") for work in (failing, Noting("b", 3))]

    assert await jobs[0].next() == "a2"
    with pytest.raises(EngineError, match="out of order"):
        await jobs[0].next()
    assert failing.closed == 1
    assert await all_of(jobs[1]) == ["b2", "b1", "b0"]


async def test_a_step_that_fails_ends_those_that_took_part(start):
    def fail(works: Sequence[Noting]) -> list[Any]:
        raise RuntimeError("out of memory")

    turns = start(fail)
    works = [Noting(name, 3) for name in "ab"]
    for job in [turns.submit(work, "") for work in works]:
        with pytest.raises(EngineError, match="out of memory"):
            await job.next()

    assert [work.closed for work in works] == [1, 1]
    assert turns.open == 0


async def test_new_work_ends_the_preparation_of_its_conversation_alone(start, model):
    turns = start()
    works = {session: Noting(session, 50, Rank.PREPARATION) for session in "ab"}
    await held(model, turns)
    jobs = {session: turns.submit(work, session) for session, work in works.items()}

    reply = turns.submit(Noting("r", 1), "a")
    model.gate.set()
    await all_of(reply)
    for job in jobs.values():
        await all_of(job)

    assert sum("a" in step for step in model.steps) == 0
    assert sum("b" in step for step in model.steps) == 50
    assert works["a"].closed == works["b"].closed == 1


async def test_something_can_be_done_between_two_steps(start, model):
    turns = start()
    job = turns.submit(Noting("a", 1000), "")
    await job.next()

    assert await turns.between(lambda value: (value, threading.current_thread().name), 5) == (
        5,
        "test_0",
    )
    with pytest.raises(ZeroDivisionError):
        await turns.between(lambda: 1 / 0)
    assert await job.next() is not None
    job.drop()
    assert await turns.between(lambda: "idle, too") == "idle, too"


async def test_closing_ends_all_with_an_error(start, model):
    turns = start()
    works = [Noting(name, 100_000) for name in "ab"]
    jobs = [turns.submit(work, "") for work in works]
    await jobs[0].next()

    await turns.close()

    for job in jobs:
        with pytest.raises(EngineError, match="closed"):
            await all_of(job)
    assert [work.closed for work in works] == [1, 1]
    with pytest.raises(EngineError, match="closed"):
        turns.submit(Noting("c", 1), "")
    with pytest.raises(EngineError, match="closed"):
        await turns.between(print)
