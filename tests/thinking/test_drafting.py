"""Thinking about a turn while it is still being said."""

import asyncio
from collections.abc import AsyncIterator

from voice_agent.events import Exchange, Prompt, Thought, UserTurn
from voice_agent.thinking.character import Character
from voice_agent.thinking.model_chain import ModelChain
from voice_agent.thinking.safety import SafetyGate
from voice_agent.thinking.thinker import Thinker

PARTS = ("<think>", "<linguistic>lost", " a job</linguistic>", "<need>rest</need>", "</think>")


class SlowModel:
    """Gives the next part of its thought each time it is let; answers replies at once."""

    Options = None
    name = "slow"
    thinks_long = True

    def __init__(self) -> None:
        self.parts = PARTS
        self.prompts: list[Prompt] = []
        self.running = 0
        self._may_go_on = asyncio.Semaphore(0)

    async def go_on(self, parts: int) -> None:
        for _ in range(parts):
            self._may_go_on.release()
            await settle()

    async def generate(self, prompt: Prompt) -> AsyncIterator[str]:
        self.prompts.append(prompt)
        if prompt.aim == "reply":
            yield "Oh."
            return
        self.running += 1
        try:
            for part in self.parts:
                await self._may_go_on.acquire()
                yield part
        finally:
            self.running -= 1

    async def prepare(self, prompt: Prompt) -> None:
        self.prompts.append(prompt)

    async def forget(self, session: str) -> None:
        pass

    async def close(self) -> None:
        pass


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def reflex(prompt: Prompt) -> Thought:
    return Thought(f"reflex on {len(prompt.turn.text.split())} words", need="to be heard")


def known(prompt: Prompt) -> tuple[str, str, str]:
    """What the draft in a prompt says."""
    return prompt.draft.thought.linguistic, prompt.draft.thought.need, prompt.draft.words


class Talk:
    """A thinker with a slow model, and what it told."""

    def __init__(self) -> None:
        self.model = SlowModel()
        self.told: list[Thought] = []
        self.thinker = Thinker(ModelChain([self.model]), SafetyGate(), Character(), reflex)

    async def say(self, text: str, history: tuple[Exchange, ...] = ()) -> None:
        self.thinker.consider(UserTurn(text), history, self.told.append)
        await settle()

    async def answer(self, text: str, history: tuple[Exchange, ...] = ()) -> Prompt:
        assert [item async for item in self.thinker.reply(UserTurn(text), history)]
        await settle()
        return self.model.prompts[-1]

    @property
    def drafts(self) -> list[Prompt]:
        return [prompt for prompt in self.model.prompts if prompt.aim == "thought"]


async def test_a_reflex_is_told_at_once_and_the_model_asked_once_there_is_something_to_think():
    talk = Talk()
    await talk.say("i lost")
    assert [thought.linguistic for thought in talk.told] == ["reflex on 2 words"]
    assert talk.drafts == []
    await talk.say("i lost my job")
    (prompt,) = talk.drafts
    assert prompt.turn.text == "i lost my job"
    assert prompt.draft is None


async def test_the_thought_grows_and_is_told_part_by_part():
    talk = Talk()
    await talk.say("i lost my job")
    talk.told.clear()
    await talk.model.go_on(2)
    assert talk.told == []
    await talk.model.go_on(2)
    assert [(thought.linguistic, thought.need) for thought in talk.told] == [
        ("lost a job", "to be heard"),
        ("lost a job", "rest"),
    ]


async def test_at_the_end_nothing_is_waited_for():
    talk = Talk()
    await talk.say("i lost my job")
    await talk.model.go_on(3)
    prompt = await talk.answer("i lost my job but i am so glad")
    assert known(prompt) == ("lost a job", "to be heard", "i lost my job")
    assert talk.model.running == 0


async def test_last_words_that_change_nothing_need_no_second_thought():
    talk = Talk()
    await talk.say("i lost my job")
    await talk.model.go_on(3)
    prompt = await talk.answer("i lost my job on monday")
    assert known(prompt) == ("lost a job", "to be heard", "i lost my job on monday")


async def test_a_model_that_had_no_time_is_given_the_reflex():
    talk = Talk()
    await talk.say("i lost my job")
    prompt = await talk.answer("i lost my job")
    assert known(prompt) == ("reflex on 4 words", "to be heard", "i lost my job")
    assert talk.model.running == 0


async def test_what_comes_later_is_thought_as_a_change():
    talk = Talk()
    await talk.say("i lost my job")
    await talk.model.go_on(len(PARTS))
    await talk.say("i lost my job and then")
    assert len(talk.drafts) == 1
    talk.model.parts = ("<think><need>company</need></think>",)
    await talk.say("i lost my job and then my wife left")
    assert known(talk.drafts[1]) == ("lost a job", "rest", "i lost my job")
    await talk.model.go_on(1)
    prompt = await talk.answer("i lost my job and then my wife left but i am so glad")
    assert known(prompt) == ("lost a job", "company", "i lost my job and then my wife left")


async def test_a_model_is_never_asked_twice_at_the_same_time():
    talk = Talk()
    words = "i lost my job and then my wife left me and now i do not know".split()
    for count in range(len(words)):
        await talk.say(" ".join(words[: count + 1]))
    assert talk.model.running == 1
    assert len(talk.drafts) == 1


async def test_a_draft_for_other_words_is_of_no_use():
    talk = Talk()
    await talk.say("eyes cream and chops")
    await talk.model.go_on(len(PARTS))
    prompt = await talk.answer("ice cream in shops is dear")
    assert prompt.draft.words == "ice cream in shops is dear"


async def test_a_draft_of_an_earlier_turn_is_of_no_use():
    talk = Talk()
    await talk.say("i lost my job")
    await talk.model.go_on(len(PARTS))
    history = (Exchange(UserTurn("i lost my job"), "Oh.", Thought()),)
    prompt = await talk.answer("i lost my job", history)
    assert prompt.draft.thought.linguistic == "reflex on 4 words"


async def test_a_turn_that_goes_on_after_an_answer_was_prepared_keeps_its_draft():
    talk = Talk()
    await talk.say("i lost my job")
    await talk.model.go_on(len(PARTS))
    await talk.answer("i lost my job")
    await talk.say("i lost my job and i am glad")
    assert talk.drafts[1].draft.thought.linguistic == "lost a job"


async def test_danger_is_not_left_to_a_model():
    talk = Talk()
    await talk.say("i want to kill myself")
    assert talk.model.prompts == []


async def test_a_model_that_fails_at_drafting_fails_nobody():
    talk = Talk()

    async def broken(prompt: Prompt) -> AsyncIterator[str]:
        if prompt.aim == "reply":
            yield "Oh."
            return
        yield "<think><need>rest</need>"
        raise RuntimeError("gone")

    talk.model.generate = broken
    await talk.say("i lost my job")
    items = [item async for item in talk.thinker.reply(UserTurn("i lost my job"), ())]
    assert (items[0].need, items[1:]) == ("rest", ["Oh."])


async def test_closing_frees_the_model():
    talk = Talk()
    await talk.say("i lost my job")
    assert talk.thinker.working
    await talk.thinker.close()
    assert talk.model.running == 0
    assert not talk.thinker.working


async def test_the_model_reads_what_went_before_when_the_person_begins():
    talk = Talk()
    history = (Exchange(UserTurn("hello"), "Hi.", Thought()),)
    talk.thinker.warm(history)
    await settle()
    (prompt,) = talk.model.prompts
    assert (prompt.turn, prompt.history) == (UserTurn(""), history)
