"""Who may use the model next, seen with work that only notes its steps."""

from collections.abc import AsyncIterator

import pytest

from voice_agent.errors import EngineError
from voice_agent.thinking.models.transformers.turns import Rank, Turns
from voice_agent.workers import Worker


class Noting:
    """Work of some steps, which notes each in a list that all share."""

    def __init__(self, name: str, steps: int, notes: list[str], fails_at: int = -1) -> None:
        self._name = name
        self._left = steps
        self._notes = notes
        self._fails_at = fails_at
        self.closed = 0

    @property
    def over(self) -> bool:
        return self._left == 0

    def step(self) -> list[str]:
        self._left -= 1
        self._notes.append(self._name)
        if self._left == self._fails_at:
            raise ValueError("out of order")
        return [f"{self._name}{self._left}"]

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
async def turns() -> AsyncIterator[Turns]:
    worker = Worker.thread("test")
    turns = Turns(worker)
    yield turns
    await turns.close()
    worker.close()


async def all_of(job) -> list[str]:
    brought = []
    while (piece := await job.next()) is not None:
        brought.append(piece)
    return brought


async def test_work_of_one_rank_takes_turns_step_by_step(turns):
    notes = []
    jobs = [turns.submit(Noting(name, 3, notes), Rank.REPLY, "") for name in "abc"]

    assert [await all_of(job) for job in jobs] == [
        ["a2", "a1", "a0"],
        ["b2", "b1", "b0"],
        ["c2", "c1", "c0"],
    ]
    assert "".join(notes) == "abcabcabc"


async def test_replies_go_before_thoughts_and_thoughts_before_preparations(turns):
    notes = []
    jobs = [
        turns.submit(Noting(rank.name[0], 2, notes), rank, "")
        for rank in (Rank.PREPARATION, Rank.THOUGHT, Rank.REPLY)
    ]
    for job in jobs:
        await all_of(job)

    assert "".join(notes) == "RRTTPP"


async def test_a_reply_that_comes_later_has_the_very_next_step(turns):
    notes = []
    thought = turns.submit(Noting("t", 20, notes), Rank.THOUGHT, "")
    await thought.next()

    reply = turns.submit(Noting("r", 3, notes), Rank.REPLY, "")
    await all_of(reply)

    assert "rrr" in "".join(notes)
    assert len(notes) <= 1 + 1 + 3 + 1
    await all_of(thought)


async def test_dropped_work_is_closed_and_makes_no_step_more(turns):
    notes = []
    work = Noting("a", 1000, notes)
    job = turns.submit(work, Rank.REPLY, "")
    await job.next()

    job.drop()
    job.drop()
    steps = len(notes)
    await all_of(turns.submit(Noting("b", 1, notes), Rank.REPLY, ""))

    assert work.closed == 1
    assert notes.count("a") <= steps + 1
    assert turns.open == 0


async def test_work_that_fails_tells_so_and_disturbs_no_other(turns):
    notes = []
    failing = Noting("a", 3, notes, fails_at=1)
    jobs = [turns.submit(work, Rank.REPLY, "") for work in (failing, Noting("b", 3, notes))]

    assert await jobs[0].next() == "a2"
    with pytest.raises(EngineError, match="out of order"):
        await jobs[0].next()
    assert failing.closed == 1
    assert await all_of(jobs[1]) == ["b2", "b1", "b0"]


async def test_new_work_ends_the_preparation_of_its_conversation_alone(turns):
    notes = []
    works = {session: Noting(session, 50, notes) for session in "ab"}
    jobs = {
        session: turns.submit(work, Rank.PREPARATION, session) for session, work in works.items()
    }
    await jobs["a"].next()

    await all_of(turns.submit(Noting("r", 1, notes), Rank.REPLY, "a"))
    for job in jobs.values():
        await all_of(job)

    assert notes.count("a") < 50
    assert notes.count("b") == 50
    assert works["a"].closed == works["b"].closed == 1


async def test_closing_ends_all_with_an_error(turns):
    notes = []
    works = [Noting(name, 1000, notes) for name in "ab"]
    jobs = [turns.submit(work, Rank.REPLY, "") for work in works]
    await jobs[0].next()

    await turns.close()

    for job in jobs:
        with pytest.raises(EngineError, match="closed"):
            await all_of(job)
    assert [work.closed for work in works] == [1, 1]
    with pytest.raises(EngineError, match="closed"):
        turns.submit(Noting("c", 1, notes), Rank.REPLY, "")
