"""What was read of a conversation is not read again, and changes nothing of what is said."""

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

pytest.importorskip("transformers", reason="needs the extra 'transformers'")
pytest.importorskip("torch", reason="needs the extra 'transformers'")

from asking import cost, text, until_read

from voice_agent.events import Exchange, Prompt, Thought, UserTurn

INSTRUCTIONS = "You are Ada. " * 20


def prompt(text: str, session: str = "a", **more) -> Prompt:
    return Prompt(UserTurn(text), instructions=INSTRUCTIONS, session=session, **more)


async def talk(model, seed: int = 0, *, drafts: bool = False, session: str = "a") -> list[str]:
    """A conversation of some turns, in which the person breaks in, and what was said in it."""
    history: tuple[Exchange, ...] = ()
    said = []
    for turn in range(6):
        words = f"this is turn {turn} and I have more to say"
        asked = prompt(words, session, history=history, seed=seed + turn)
        if drafts:
            await model.prepare(replace(asked, turn=UserTurn("")))
            thought = replace(asked, aim="thought", turn=UserTurn(words[:14]))
            async with aclosing(model.generate(thought)) as stream:
                for _ in range(turn):
                    await anext(stream, None)
        answer = await text(model, asked)
        said.append(answer)
        heard = answer[: len(answer) // (turn % 2 + 1)].replace("<", "")
        thought = Thought("they go on", "even") if turn % 3 else None
        past = Exchange(UserTurn(words), heard, thought, interrupted=bool(turn % 2))
        history = (*history, past)
        if turn == 3:
            # Part of what was said is taken back.
            history = (history[0], replace(history[2], reply="Another reply."), *history[3:])
    return said


@pytest.mark.parametrize("drafts", [False, True], ids=["replies", "with drafts"])
@pytest.mark.parametrize("temperature", [0, 1.2], ids=["greedy", "sampled"])
async def test_what_is_said_is_the_same_with_and_without(create, untrained, temperature, drafts):
    options = {"temperature": temperature, "top_p": 0.95, "max_new_tokens": 24}
    keeping = await create(untrained, **options)
    forgetful = await create(untrained, **options)

    said = await talk(keeping, seed=3, drafts=drafts)

    assert said == await talk(forgetful, seed=3, session="")
    assert len(set(said)) > 4
    assert forgetful.cache_bytes == 0


async def test_a_window_over_the_past_changes_nothing(create, tmp_path):
    import tiny_language_model

    window = {"use_sliding_window": True, "sliding_window": 16, "max_window_layers": 1}
    folder = tiny_language_model.untrained(tmp_path / "model", **window)
    options = {"temperature": 0, "max_new_tokens": 24}

    keeping = await talk(await create(folder, **options))

    assert keeping == await talk(await create(folder, **options), session="")


async def test_only_what_is_new_is_read(create, untrained):
    model = await create(untrained, temperature=0, max_new_tokens=16)
    first = await cost(model, prompt("hello"))
    history = (Exchange(UserTurn("hello"), "Good day."),)

    second = await cost(model, prompt("how are you", history=history))
    again = await cost(model, prompt("how are you", history=history))

    assert first > 700
    assert second < 120
    assert again <= 16


async def test_preparing_leaves_little_to_read(create, untrained):
    model = await create(untrained, temperature=0, max_new_tokens=16)
    asked = prompt("how are you", history=(Exchange(UserTurn("hello"), "Good day."),))
    whole = await cost(model, asked)
    await model.forget("a")

    await model.prepare(replace(asked, turn=UserTurn("")))
    left = await cost(model, asked)

    assert whole > 700
    assert left < 60


async def test_other_conversations_need_not_read_the_same_instructions(create, untrained):
    model = await create(untrained, temperature=0, max_new_tokens=16)
    first = await cost(model, prompt("hello", session="a"))

    other = await cost(model, prompt("good evening", session="b"))
    without_session = await cost(model, prompt("good night", session=""))

    assert first > 700
    assert other < 60
    assert without_session < 60


async def test_the_conversation_longest_unused_is_forgotten_first(create, untrained):
    model = await create(untrained, temperature=0, max_new_tokens=16, sessions=2)

    for session in ("a", "b", "a", "c"):
        await text(model, prompt("hello", session=session))

    assert model.kept_sessions == ("a", "c")


async def test_a_conversation_without_a_name_is_not_kept(create, untrained):
    model = await create(untrained, max_new_tokens=16)

    await text(model, prompt("hello", session=""))

    assert model.cache_bytes == 0


async def test_forgetting_gives_the_memory_back(create, untrained):
    model = await create(untrained, temperature=0, max_new_tokens=16)
    await text(model, prompt("hello", session="a"))
    one = model.cache_bytes
    await text(model, prompt("hello", session="b"))

    # float32 keys and values, 2 layers, 2 heads of 16.
    assert one > 700 * 2 * 2 * 2 * 16 * 4
    assert model.cache_bytes == pytest.approx(2 * one, rel=0.1)
    await model.forget("b")
    assert model.kept_sessions == ("a",)
    assert model.cache_bytes == one
    await model.forget("a")
    await model.forget("never heard of")
    assert model.cache_bytes == 0


async def test_what_is_forgotten_in_mid_answer_is_not_kept(create, untrained):
    model = await create(untrained, temperature=0, max_new_tokens=16)
    async with aclosing(model.generate(prompt("hello"))) as stream:
        await anext(stream)
        await model.forget("a")
        async for _ in stream:
            pass

    assert model.cache_bytes == 0


async def test_two_answers_of_one_conversation_at_once_do_not_disturb_each_other(create, untrained):
    model = await create(untrained, temperature=0, max_new_tokens=16)
    asked = [prompt("hello"), prompt("hello there", seed=1)]
    alone = [await text(model, one) for one in asked]

    streams = [model.generate(one) for one in asked]
    said = ["", ""]
    for _ in range(40):
        for at, stream in enumerate(streams):
            said[at] += await anext(stream, "")

    assert said == alone
    assert model.kept_sessions == ("a",)


async def test_a_reply_ends_the_preparation_of_its_conversation(create, untrained):
    model = await create(untrained, temperature=0, max_new_tokens=16)
    asked = prompt("hello")
    whole = await cost(model, asked)
    await model.forget("a")
    before = model.tokens_read

    preparing = asyncio.create_task(model.prepare(prompt("")))
    await until_read(model, before + 1, preparing)
    await text(model, asked)
    await preparing

    assert model.tokens_read - before <= whole + 64
