"""The bookkeeping of the slots, beside a memory that is a list of tokens for each."""

from hypothesis import given
from hypothesis import strategies as st

from voice_agent.thinking.models.transformers.slots import Slot, Slots

INSTRUCTIONS = [1, 2, 3, 4]


class Memory:
    """Slots with what is really written into them."""

    def __init__(self, number: int) -> None:
        self.cells: list[list[int]] = [[] for _ in range(number)]
        self.copied = 0
        self.slots = Slots(number, self._copy)

    def _copy(self, source: int, target: int, length: int) -> None:
        self.copied += length
        self.cells[target][:length] = self.cells[source][:length]

    def read(self, session: str, tokens: list[int]) -> tuple[Slot | None, int]:
        """Takes a slot and reads the rest of a prompt; returns how much that was."""
        slot = self.slots.take(session, tokens)
        if slot is None:
            return None, 0
        kept = len(slot.tokens)
        assert slot.tokens == self.cells[slot.index][:kept] == tokens[:kept]
        self.cells[slot.index][kept:] = tokens[kept:]
        slot.tokens.extend(tokens[kept:])
        return slot, len(tokens) - kept

    def answer(self, session: str, tokens: list[int]) -> int:
        slot, cost = self.read(session, tokens)
        assert slot is not None
        self.slots.give_back(slot)
        return cost


def test_only_what_is_new_is_read_and_one_token_at_least():
    memory = Memory(2)

    costs = [memory.answer("a", INSTRUCTIONS + more) for more in ([5, 6], [5, 6], [5, 7, 8], [9])]

    assert costs == [6, 1, 2, 1]
    assert memory.copied == 0


def test_another_conversation_takes_a_copy_and_leaves_the_first_alone():
    memory = Memory(3)
    memory.answer("a", [*INSTRUCTIONS, 5])

    assert memory.answer("b", [*INSTRUCTIONS, 6, 7]) == 2
    assert memory.copied == len(INSTRUCTIONS)
    assert memory.answer("a", [*INSTRUCTIONS, 5, 8]) == 1


def test_the_longest_unused_goes_first():
    memory = Memory(2)

    for session in "abac":
        memory.answer(session, [ord(session), 1])

    assert memory.slots.sessions == ["a", "c"]


def test_the_longest_unused_is_taken_over_without_a_copy():
    memory = Memory(1)
    memory.answer("a", [*INSTRUCTIONS, 5])

    assert memory.answer("b", [*INSTRUCTIONS, 6]) == 1
    assert memory.copied == 0
    assert memory.slots.sessions == ["b"]


def test_what_is_in_use_is_not_given_away():
    memory = Memory(2)
    first, _ = memory.read("a", [1, 2])
    second, _ = memory.read("a", [1, 2, 3])

    assert first is not second
    assert memory.slots.take("b", [1]) is None
    assert second is not None
    memory.slots.give_back(second)
    third = memory.slots.take("b", [1])
    assert third is second


def test_the_last_to_be_given_back_is_what_is_kept_of_a_conversation():
    memory = Memory(3)
    first, _ = memory.read("a", [1, 2])
    second, _ = memory.read("a", [1, 2, 3])
    assert first is not None
    assert second is not None

    memory.slots.give_back(first)
    memory.slots.give_back(second)

    assert memory.slots.sessions == ["a"]
    assert memory.slots.tokens == 3


def test_a_conversation_without_a_name_and_one_that_is_forgotten_leave_nothing():
    memory = Memory(2)
    memory.answer("", [1, 2])
    memory.answer("a", [1, 2])
    slot, _ = memory.read("a", [1, 2, 3])
    assert slot is not None

    memory.slots.forget("a")
    assert memory.slots.tokens == 3
    memory.slots.give_back(slot)

    assert memory.slots.tokens == 0
    assert memory.slots.sessions == []


prompts = st.lists(st.integers(0, 2), min_size=1, max_size=8)
actions = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.sampled_from(["", "a", "b", "c"]), prompts),
        st.tuples(st.just("give back"), st.integers(0, 9), st.just([])),
        st.tuples(st.just("forget"), st.sampled_from("abc"), st.just([])),
    ),
    max_size=30,
)


@given(st.integers(1, 4), actions)
def test_what_a_slot_says_it_holds_is_what_lies_there(number, actions):
    memory = Memory(number)
    in_use: list[Slot] = []
    for what, who, tokens in actions:
        if what == "read":
            slot, cost = memory.read(str(who), list(tokens))
            assert (slot is None) == (len(in_use) == number)
            if slot is not None:
                assert cost >= 1
                assert slot not in in_use
                in_use.append(slot)
        elif what == "give back" and in_use:
            memory.slots.give_back(in_use.pop(int(who) % len(in_use)))
        elif what == "forget":
            memory.slots.forget(str(who))
        for slot in in_use:
            assert memory.cells[slot.index][: len(slot.tokens)] == slot.tokens
        kept = memory.slots.sessions
        assert len(set(kept)) == len(kept)
