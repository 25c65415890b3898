"""Answers of many conversations that are made together: who waits, who gives way, what it costs."""

import asyncio
import logging
from contextlib import aclosing

import pytest

pytest.importorskip("transformers", reason="needs the extra 'transformers'")
pytest.importorskip("torch", reason="needs the extra 'transformers'")

from asking import text, until_read

from voice_agent.errors import ConfigError, EngineError, EngineUnavailable
from voice_agent.events import Conduct, Prompt, UserTurn
from voice_agent.models import memory
from voice_agent.thinking.models.transformers import TransformersModel
from voice_agent.thinking.models.transformers.generation import Generation
from voice_agent.thinking.models.transformers.turns import Rank


def prompt(text: str, session: str = "", **more) -> Prompt:
    return Prompt(UserTurn(text), session=session, **more)


def sizes(model, monkeypatch) -> list[int]:
    """How many rows go through the model in each pass from now on."""
    seen = []
    forward = model._runtime.forward
    write = forward.write

    def noting(rows):
        seen.append(len(rows))
        return write(rows)

    monkeypatch.setattr(forward, "write", noting)
    return seen


async def test_conversations_share_passes(create, untrained, monkeypatch):
    model = await create(untrained, max_new_tokens=40, temperature=0)
    asked = [prompt(f"turn {n}", f"s{n}", conduct=Conduct(think="none")) for n in range(4)]
    alone = [await text(model, one) for one in asked]
    rows = sizes(model, monkeypatch)

    assert await asyncio.gather(*(text(model, one) for one in asked)) == alone
    # Four answers of forty tokens, of which the first each comes out of the prompt.
    assert sum(rows) >= 4 * 40
    assert len(rows) <= 60


async def test_more_conversations_than_slots_are_all_answered_alike(create, untrained):
    model = await create(untrained, max_new_tokens=24, sessions=2)
    asked = [prompt(f"turn {n}", f"s{n}", seed=n) for n in range(5)]
    alone = [await text(model, one) for one in asked]

    assert await asyncio.gather(*(text(model, one) for one in asked)) == alone
    assert len(model.kept_sessions) == 2


async def test_a_thought_gives_its_place_to_a_reply_and_goes_on_afterwards(create, untrained):
    model = await create(untrained, max_new_tokens=120, sessions=1)
    thought, reply = prompt("hm", "a", aim="thought", seed=1), prompt("hello", "b", seed=2)
    alone = [await text(model, one) for one in (thought, reply)]
    ended = []

    async def note(asked: Prompt) -> str:
        said = await text(model, asked)
        ended.append(asked.aim)
        return said

    first = asyncio.create_task(note(thought))
    await until_read(model, model.tokens_read + 1, first)

    assert await asyncio.gather(first, note(reply)) == alone
    assert ended == ["reply", "thought"]


async def test_a_failing_pass_ends_those_that_took_part_and_no_more(create, untrained, monkeypatch):
    model = await create(untrained, max_new_tokens=24, temperature=0)
    expected = await text(model, prompt("hello", "a"))
    forward = model._runtime.forward
    write = forward.write
    monkeypatch.setattr(forward, "write", lambda rows: 1 / 0)

    with pytest.raises(EngineError, match="the language model failed"):
        await text(model, prompt("hello", "b"))
    monkeypatch.setattr(forward, "write", write)

    assert await text(model, prompt("hello", "b")) == expected


async def test_interrupting_one_leaves_the_others_as_they_are(create, untrained):
    model = await create(untrained, max_new_tokens=60, temperature=0)
    asked = [prompt(f"turn {n}", f"s{n}") for n in range(3)]
    alone = [await text(model, one) for one in asked]

    async def interrupted() -> None:
        async with aclosing(model.generate(prompt("never mind", "x"))) as stream:
            for _ in range(5):
                await anext(stream)

    *said, _ = await asyncio.gather(*(text(model, one) for one in asked), interrupted())

    assert said == alone


async def test_a_reply_goes_first_until_its_first_sentence_is_out(create, tiny_language_model):
    model = await create(tiny_language_model, temperature=0)
    runtime = model._runtime
    work = Generation(runtime, prompt("forever"))
    said = ""
    while work.rank is Rank.FIRST_SENTENCE:
        (pieces,) = runtime.step([work])
        said += "".join(pieces)
        assert not work.over
    work.close()

    assert said.partition("</think>")[2].rstrip() == "Mine goes on."


async def test_a_thought_is_never_of_a_replys_rank(create, tiny_language_model):
    model = await create(tiny_language_model, temperature=0)
    work = Generation(model._runtime, prompt("hello", aim="thought"))
    ranks = set()
    while not work.over:
        model._runtime.step([work])
        ranks.add(work.rank)
    work.close()

    assert ranks == {Rank.THOUGHT}


async def test_where_memory_is_short_fewer_conversations_are_kept(
    create, untrained, monkeypatch, caplog
):
    per_token = 2 * 2 * 2 * 16 * 4
    weights = memory.weights(untrained)
    room = weights + int(3.5 * (2048 + 64) * per_token / 0.8)
    monkeypatch.setattr(memory, "free", lambda device: room)

    with caplog.at_level(logging.WARNING):
        model = await create(untrained, sessions=8)

    assert model._runtime.forward.cache.slots == 3
    assert "memory for 3 conversations" in caplog.text


async def test_a_model_that_does_not_fit_is_refused_before_it_is_loaded(
    create, untrained, monkeypatch
):
    monkeypatch.setattr(memory, "free", lambda device: 1000)

    with pytest.raises(EngineUnavailable, match=r"the language model .* of memory"):
        await create(untrained)


def test_checking_finds_what_is_missing_without_loading(untrained, monkeypatch):
    options = TransformersModel.Options(model=str(untrained), device="cpu")
    TransformersModel.check(options)

    with pytest.raises(EngineUnavailable, match="there is no model"):
        TransformersModel.check(TransformersModel.Options(model="some/where"))
    monkeypatch.setattr(memory, "free", lambda device: 1000)
    with pytest.raises(EngineUnavailable, match="the language model"):
        TransformersModel.check(options)


async def test_a_model_that_is_already_loaded_serves_alike(create, untrained):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    options = TransformersModel.Options(
        model=str(untrained), context_tokens=2048, temperature=0, max_new_tokens=24
    )
    wrapped = await TransformersModel.of(
        AutoModelForCausalLM.from_pretrained(untrained),
        AutoTokenizer.from_pretrained(untrained),
        options,
    )
    try:
        loaded = await create(untrained, temperature=0, max_new_tokens=24)
        assert await text(wrapped, prompt("hello")) == await text(loaded, prompt("hello"))
    finally:
        await wrapped.close()


async def test_a_model_that_is_no_good_leaves_no_thread(untrained):
    import threading

    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(untrained)
    tokenizer.chat_template = None
    before = threading.active_count()
    with pytest.raises(ConfigError, match="no chat template"):
        await TransformersModel.of(
            AutoModelForCausalLM.from_pretrained(untrained), tokenizer, TransformersModel.Options()
        )
    for thread in threading.enumerate():
        if thread.name.startswith("transformers_"):
            thread.join(5)
    assert threading.active_count() <= before


async def test_closing_gives_the_weights_back(create, untrained):
    import gc
    import weakref

    model = await create(untrained, max_new_tokens=24)
    await text(model, prompt("hello", "a"))
    weights = weakref.ref(model._runtime.forward._model)
    keys = weakref.ref(model._runtime.forward.cache._tensors()[0])

    await model.close()
    gc.collect()

    assert weights() is None
    assert keys() is None
