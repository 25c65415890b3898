"""The few sizes to which batches are filled up on a GPU."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.models.slots.batches import SPARE, Batch, Row, Size, Sizes

LENGTH = 4096 + SPARE


@st.composite
def written(draw) -> tuple[int, list[Row]]:
    slots = draw(st.integers(1, 40))
    which = draw(st.lists(st.integers(0, slots - 1), min_size=1, unique=True))
    starts = st.integers(0, LENGTH - SPARE - 1)
    return slots, [Row(slot, draw(starts), (draw(st.integers(1, 99)),)) for slot in which]


@given(written())
def test_every_batch_has_a_size_and_is_found_again_in_it(case):
    slots, rows = case
    sizes = Sizes(slots, LENGTH)

    size = sizes.fit(rows)
    assert size in sizes.all()
    batch, which = sizes.filled(rows, size)

    assert len(batch.slots) == len(batch.tokens) == len(batch.positions) == size.rows
    assert len(set(which)) == len(rows)
    for row, at in zip(rows, which, strict=True):
        assert (batch.slots[at], batch.tokens[at]) == (row.slot, tuple(row.tokens))
        assert batch.positions[at] == (row.at,)
        assert row.at < size.used == batch.used


@given(written())
def test_what_fills_up_writes_only_where_nobody_reads(case):
    slots, rows = case
    sizes = Sizes(slots, LENGTH)
    batch, which = sizes.filled(rows, sizes.fit(rows))

    fillers = set(range(len(batch.slots))) - set(which)

    assert all(batch.positions[at] == (LENGTH - SPARE,) for at in fillers)
    assert all(0 <= slot < slots for slot in batch.slots)


@given(written())
def test_a_batch_of_all_slots_lies_in_their_order(case):
    slots, rows = case
    sizes = Sizes(slots, LENGTH)
    size = sizes.fit(rows)

    if size.rows == slots:
        assert sizes.filled(rows, size)[0].slots == tuple(range(slots))


@pytest.mark.parametrize(
    ("rows", "at", "size"),
    [(1, 0, (1, 512)), (1, 511, (1, 512)), (1, 512, (1, 1024)), (3, 1500, (4, 2048)),
     (5, 10, (8, 512)), (9, 4000, (12, LENGTH)), (12, 4095, (12, LENGTH))],
)  # fmt: skip
def test_the_smallest_size_that_holds_a_batch_is_taken(rows, at, size):
    fitting = Sizes(12, LENGTH).fit([Row(slot, at, (1,)) for slot in range(rows)])

    assert fitting == Size(size[0], 1, size[1])


@pytest.mark.parametrize(("tokens", "filled"), [(2, 16), (16, 16), (17, 64), (64, 64)])
def test_a_short_part_of_a_prompt_is_filled_up_at_its_end(tokens, filled):
    sizes = Sizes(4, LENGTH)
    row = Row(2, 1500, tuple(range(1, tokens + 1)))

    size = sizes.fit([row])
    assert size == Size(1, filled, 2048)
    batch, which = sizes.filled([row], size)

    assert which == [0]
    assert batch.last == tokens - 1
    assert batch.tokens[0] == (*range(1, tokens + 1), *[0] * (filled - tokens))
    assert batch.positions[0] == tuple(range(1500, 1500 + filled))


def test_a_long_part_of_a_prompt_is_computed_as_it_is():
    assert Sizes(4, LENGTH).fit([Row(0, 0, range(SPARE + 1))]) is None


def test_the_sizes_are_few():
    assert len(Sizes(32, 8192 + SPARE).all()) < 60


def test_a_batch_reads_as_far_as_its_longest_row():
    batch = Batch.of([Row(3, 7, (1,)), Row(0, 20, (2,))])

    assert (batch.used, batch.slots, batch.positions) == (21, (3, 0), ((7,), (20,)))
