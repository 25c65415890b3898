"""Sentences that are written together get what each gets alone."""

from collections.abc import Generator
from contextlib import closing
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from speaking_steps import OTHER, TEXT

from voice_agent.errors import EngineError
from voice_agent.models.slots.batches import Row
from voice_agent.models.slots.graphs import Graphs
from voice_agent.speaking.synthesizers.coqui.language_model import LanguageModel
from voice_agent.speaking.synthesizers.coqui.writing import Writer

SENTENCES = [(TEXT, 3), (OTHER, 5), ("Yes please.", 9), (TEXT, 11), ("No.", 2)]
MOST = 30

Latent = torch.Tensor | None


@pytest.fixture(scope="module")
def alone(xtts: Any) -> list[list[torch.Tensor]]:
    """What is written of each sentence where there is no other."""
    return [latents(begin(Writer(xtts._model, 1), xtts, at)) for at in range(len(SENTENCES))]


def begin(writer: Writer, xtts: Any, at: int) -> Generator[Latent]:
    text, seed = SENTENCES[at]
    written = writer.write(text, "en", xtts._styles["neutral"].latents, seed, MOST)
    assert next(written) is None  # it joins the next pass
    return written


def latents(written: Any) -> list[torch.Tensor]:
    return [latent for latent in written if latent is not None]


def assert_alike(found: list[torch.Tensor], expected: list[torch.Tensor]) -> None:
    """As many tokens, and the same up to rounding."""
    assert len(found) == len(expected)
    torch.testing.assert_close(torch.cat(found), torch.cat(expected), rtol=1e-4, atol=1e-4)


def passes(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each pass that follows computes together."""
    sizes: list[int] = []
    write = writer._forward.write

    def counted(rows: list[Row]) -> torch.Tensor:
        sizes.append(len(rows))
        return write(rows)

    monkeypatch.setattr(writer._forward, "write", counted)
    return sizes


def rounds(written: list[Generator[Latent]]) -> list[list[torch.Tensor]]:
    """Takes a token of each in turn, until all are complete."""
    found: list[list[torch.Tensor]] = [[] for _ in written]
    going = list(range(len(written)))
    while going:
        for at in list(going):
            try:
                latent = next(written[at])
            except StopIteration:
                going.remove(at)
                continue
            if latent is not None:
                found[at].append(latent)
    return found


def test_a_round_of_sentences_is_one_pass(
    xtts: Any, alone: list[list[torch.Tensor]], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(xtts._model, 8)
    sizes = passes(writer, monkeypatch)
    found = rounds([begin(writer, xtts, at) for at in range(len(SENTENCES))])
    for one, of_many in zip(alone, found, strict=True):
        assert_alike(of_many, one)
    # The first pass reads what each is to say; then all write in company to their end.
    assert len(sizes) == max(map(len, alone)) - 1
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == sum(len(one) - 1 for one in alone)


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_more_sentences_than_rows_wait_for_theirs(
    xtts: Any, alone: list[list[torch.Tensor]], rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(xtts._model, rows)
    sizes = passes(writer, monkeypatch)
    found = rounds([begin(writer, xtts, at) for at in range(len(SENTENCES))])
    for one, of_many in zip(alone, found, strict=True):
        assert_alike(of_many, one)
    assert max(sizes) <= rows


@settings(max_examples=20, deadline=None)
@given(data=st.data(), rows=st.integers(1, 3))
def test_whoever_comes_goes_or_stops_listening_the_others_hear_the_same(
    xtts: Any, alone: list[list[torch.Tensor]], data: st.DataObject, rows: int
) -> None:
    writer = Writer(xtts._model, rows)
    going: dict[int, Generator[Latent]] = {}
    found: dict[int, list[torch.Tensor]] = {}
    for _ in range(data.draw(st.integers(5, 60), "steps")):
        at = data.draw(st.integers(0, len(SENTENCES) - 1), "sentence")
        if at not in going:
            going[at], found[at] = begin(writer, xtts, at), []
        elif data.draw(st.integers(0, 9), "fate") == 0:
            going.pop(at).close()
        for _ in range(data.draw(st.integers(0, 4), "tokens")):
            if at in going and (latent := next(going[at], None)) is not None:
                found[at].append(latent)
    for at, written in going.items():
        found[at].extend(latents(written))
        assert_alike(found[at], alone[at])
    assert sorted(writer._free) == list(range(rows))


def test_a_sentence_that_is_given_up_leaves_its_row_to_the_next_pass(xtts: Any) -> None:
    writer = Writer(xtts._model, 1)
    first, second = begin(writer, xtts, 0), begin(writer, xtts, 1)
    assert next(first) is not None
    assert next(second) is None
    first.close()
    assert next(second) is not None


def test_a_sentence_nobody_takes_tokens_of_gives_up_its_row_and_goes_on_later(
    xtts: Any, alone: list[list[torch.Tensor]]
) -> None:
    writer = Writer(xtts._model, 1)
    slow = begin(writer, xtts, 0)
    found = [next(slow) for _ in range(5)]
    assert_alike(latents(begin(writer, xtts, 1)), alone[1])
    assert_alike(latents(found) + latents(slow), alone[0])


def test_a_complete_sentence_leaves_its_row_though_nobody_came_for_its_end(
    xtts: Any, alone: list[list[torch.Tensor]]
) -> None:
    writer = Writer(xtts._model, 1)
    first = begin(writer, xtts, 0)
    assert_alike(latents(next(first) for _ in alone[0]), alone[0])
    assert_alike(latents(begin(writer, xtts, 1)), alone[1])


def test_captured_sizes_write_the_same(xtts: Any, alone: list[list[torch.Tensor]]) -> None:
    """What is captured on a GPU, computed out of the same buffers."""
    writer = Writer(xtts._model, 3)
    forward = writer._forward
    next(begin(writer, xtts, 0))  # makes room
    forward._graphs = Graphs(forward, forward._cache, torch.device("cpu"), parts=())
    with torch.inference_mode():
        forward._graphs.capture()
    found = rounds([begin(writer, xtts, at) for at in range(len(SENTENCES))])
    for one, of_many in zip(alone, found, strict=True):
        assert_alike(of_many, one)


@pytest.mark.parametrize("wrong", [False, True])
def test_captured_passes_are_compared_before_they_are_used(xtts: Any, wrong: bool) -> None:
    class Captured(Graphs):
        def run(self, rows: Any) -> Any:
            found = super().run(rows)
            return found.flip(-1) if wrong and len(rows) > 1 else found  # type: ignore[union-attr]

    with torch.inference_mode():
        forward = LanguageModel(xtts._model, 3)
        prefix = torch.zeros(1, 2, xtts._model.gpt.model_dim)
        forward.read(0, prefix, [forward.start])
        graphs = Captured(forward, forward._cache, torch.device("cpu"), parts=())
        graphs.capture()
        assert forward._are_right(graphs, prefix) is not wrong


def test_what_gives_no_numbers_fails_alone_and_spoils_nothing(
    xtts: Any, alone: list[list[torch.Tensor]]
) -> None:
    writer = Writer(xtts._model, 2)
    good = begin(writer, xtts, 0)
    broken = writer.write(OTHER, "en", torch.full((1, 32, 64), float("nan")), 1, MOST)
    found = [next(broken), next(good)]
    with pytest.raises(EngineError, match="no numbers"):
        next(broken)
    # A shorter one in the row that it had, beside a longer one.
    both = rounds([good, begin(writer, xtts, 2)])
    assert_alike(latents(found) + both[0], alone[0])
    assert_alike(both[1], alone[2])


def test_a_pass_that_fails_can_be_made_again(
    xtts: Any, alone: list[list[torch.Tensor]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("CUDA out of memory")

    writer = Writer(xtts._model, 2)
    seated, given_up, waiting = (begin(writer, xtts, at) for at in (0, 1, 2))
    found = [next(seated), next(given_up), next(waiting)]
    assert found[2] is None
    given_up.close()
    with monkeypatch.context() as patched:
        patched.setattr(writer._forward, "read", fails)
        with closing(begin(writer, xtts, 3)) as another, pytest.raises(RuntimeError):
            next(another)
    both = rounds([seated, waiting])
    assert_alike(latents(found[:1]) + both[0], alone[0])
    assert_alike(both[1], alone[2])
