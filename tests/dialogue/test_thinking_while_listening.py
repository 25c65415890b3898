"""What the session thinks while the person is still speaking."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from scripted import Model

from voice_agent.dialogue.events import (
    Considering,
    SpeechStopped,
    Thinking,
    TurnEnded,
)
from voice_agent.errors import EngineError
from voice_agent.events import Prompt

STORY = "well i lost my job on monday and now i do not know what to tell my wife about it"

REPLY = "Oh, I see, that is quite a thing to carry around with you."


@dataclass
class SlowModel(Model):
    """Thinks of the words it was shown; answers with words of its own."""

    thinks_long = True
    broken: bool = False

    async def generate(self, prompt: Prompt) -> AsyncIterator[str]:
        self.prompts.append(prompt)
        if self.broken:
            raise EngineError("out of order")
        if prompt.aim == "thought":
            yield f"<think><linguistic>heard {prompt.turn.text}</linguistic></think>"
        else:
            yield REPLY


async def test_the_thought_grows_while_the_person_speaks(call, voice):
    person = await call(STORY, model=(model := SlowModel()))
    await person.say(await voice(STORY))
    await person.wait(8)
    thoughts = person.of(Considering)
    ended = person.events.index(person.of(SpeechStopped)[0])
    assert len(thoughts) >= 2
    assert all(person.events.index(thought) < ended for thought in thoughts)
    drafts = [prompt for prompt in model.prompts if prompt.aim == "thought"]
    assert len(drafts) >= 2
    assert drafts[1].draft.words == drafts[0].turn.text
    assert all(STORY.startswith(draft.turn.text) for draft in drafts)


async def test_the_answer_builds_on_what_was_thought(call, voice):
    person = await call(STORY, model=(model := SlowModel()))
    await person.say(await voice(STORY))
    await person.wait(8)
    record = person.of(TurnEnded)[0].record
    drafted = [prompt for prompt in model.prompts if prompt.aim == "thought"][-1]
    assert record.thought.linguistic == f"heard {drafted.turn.text}"
    assert person.of(Thinking)[0].thought == record.thought
    assert model.prompts[-1].draft.thought.linguistic == record.thought.linguistic


async def test_thoughts_are_never_spoken(call, voice):
    person = await call(STORY, model=SlowModel())
    await person.say(await voice(STORY))
    await person.wait(8)
    assert person.of(TurnEnded)[0].record.reply == REPLY
    assert person.heard_words() == REPLY


async def test_what_is_said_into_the_answer_is_not_thought_about_before_it_takes_the_floor(
    call, voice
):
    person = await call("hello there my friend", "mm", model=(model := SlowModel()))
    await person.say(await voice("hello there my friend"))
    await person.wait(1.5)
    asked = len(model.prompts)
    await person.say(await voice("mm"))
    await person.wait(6)
    assert len(model.prompts) == asked


async def test_a_model_out_of_order_costs_no_turn(call, voice):
    person = await call(STORY, model=SlowModel(broken=True))
    await person.say(await voice(STORY))
    await person.wait(8)
    assert "lost my thread" in person.of(TurnEnded)[0].record.reply
