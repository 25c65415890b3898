from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from voice_agent.errors import EngineError
from voice_agent.events import (
    Conduct,
    EngineSwitched,
    Exchange,
    Memory,
    Paralinguistics,
    Prompt,
    Thought,
    Tool,
    ToolCall,
    UserTurn,
)
from voice_agent.settings import Safety
from voice_agent.thinking.character import Character
from voice_agent.thinking.model_chain import ModelChain
from voice_agent.thinking.plain_words import sentences
from voice_agent.thinking.safety import SafetyGate
from voice_agent.thinking.thinker import Thinker

THINK = "<think><linguistic>x</linguistic><emotion>comfort</emotion></think>"


class ScriptedModel:
    """Streams given chunks; an exception among them is raised. Remembers what happened to it."""

    Options = None
    name = "scripted"

    def __init__(self, *chunks: str | ToolCall | Exception, thinks_long: bool = False) -> None:
        self.chunks = chunks
        self.thinks_long = thinks_long
        self.prepared: list[Prompt] = []
        self.forgotten: list[str] = []
        self.prompts: list[Prompt] = []
        self.closed = 0
        self.sent = 0

    async def generate(self, prompt: Prompt) -> AsyncIterator[str]:
        self.prompts.append(prompt)
        try:
            for chunk in self.chunks:
                if isinstance(chunk, Exception):
                    raise chunk
                self.sent += 1
                yield chunk
        finally:
            self.closed += 1

    async def prepare(self, prompt: Prompt) -> None:
        self.prepared.append(prompt)

    async def forget(self, session: str) -> None:
        self.forgotten.append(session)

    async def close(self) -> None:
        pass


def thinker_of(*models: ScriptedModel, region: str = "us", **options) -> Thinker:
    character = Character("Be brief.", seed=3, session="s1")
    return Thinker(ModelChain(models), SafetyGate(Safety(region=region)), character, **options)


async def ask(model: ScriptedModel, text: str = "hello there", history=(), **options):
    thinker = thinker_of(model)
    return [item async for item in thinker.reply(UserTurn(text), tuple(history), **options)]


def spoken(items) -> str:
    return "".join(item for item in items if isinstance(item, str))


def past(user: str, reply: str) -> Exchange:
    return Exchange(UserTurn(user), reply, Thought())


async def test_the_thought_comes_once_and_first():
    items = await ask(ScriptedModel(THINK, "Oh, ", "I see. ", "Go on."))
    assert [isinstance(item, Thought) for item in items] == [True] + [False] * (len(items) - 1)
    assert items[0].reply_emotion == "comfort"
    assert spoken(items) == "Oh, I see. Go on."


async def test_the_thought_keeps_what_words_and_voice_tell_apart():
    sad = Paralinguistics(emotion={"sad": 0.8, "neutral": 0.2}, uncertain=False)
    thinker = thinker_of(ScriptedModel(THINK, "Oh."))
    turn = UserTurn("everything is great", sad)
    thought, *_ = [item async for item in thinker.reply(turn, ())]
    assert thought.linguistic == "x"
    assert (thought.words_emotion, thought.voice_emotion) == ("happy", "sad")
    assert 0.7 < thought.disagreement <= 1
    typed = (await ask(ScriptedModel(THINK, "Oh."), "everything is great"))[0]
    assert (typed.words_emotion, typed.voice_emotion, typed.disagreement) == ("happy", "", None)


async def test_the_model_gets_turn_history_instructions_and_seed():
    model = ScriptedModel("Hi.")
    history = (past("a", "b"),)
    await ask(model, "hello", history)
    await ask(model, "hello", history, instructions="Sing.")
    assert model.prompts[0] == Prompt(UserTurn("hello"), history, "Be brief.", 3, session="s1")
    assert model.prompts[1].instructions == "Sing."


async def test_text_passes_while_the_model_still_speaks():
    model = ScriptedModel(THINK, "Oh no. ", "That ", "is hard.")
    thinker = thinker_of(model)
    async with aclosing(thinker.reply(UserTurn("x y z"), ())) as reply:
        assert isinstance(await anext(reply), Thought)
        assert await anext(reply) == "Oh no."
        assert model.sent < len(model.chunks)


async def test_closing_cancels_the_model():
    model = ScriptedModel(THINK, "One. ", "Two. ", "Three.")
    reply = thinker_of(model).reply(UserTurn("hello"), ())
    await anext(reply)
    await reply.aclose()
    assert model.closed == 1
    assert model.sent < len(model.chunks)


async def test_a_model_that_fails_before_the_first_text_is_an_engine_error():
    with pytest.raises(EngineError, match="broken pipe"):
        await ask(ScriptedModel(THINK, RuntimeError("broken pipe")))


async def test_a_model_that_only_thinks_is_an_engine_error():
    with pytest.raises(EngineError, match="no reply"):
        await ask(ScriptedModel("<think>I wonder"))


async def test_a_model_that_fails_in_mid_sentence_is_brought_to_an_end():
    items: list[Thought | str] = []
    thinker = thinker_of(ScriptedModel(THINK, "Oh. I think you", RuntimeError("gone")))

    async def listen() -> None:
        async for item in thinker.reply(UserTurn("hello"), ()):
            items.append(item)  # noqa: PERF401 — what came before the error is the point

    with pytest.raises(EngineError, match="gone"):
        await listen()
    assert spoken(items) == "Oh. I think you… sorry, I lost my thread there."


async def test_danger_is_answered_without_the_model():
    model = ScriptedModel("How nice!")
    items = await ask(model, "i want to kill myself")
    assert model.prompts == []
    assert "988" in spoken(items)
    assert items[0].reply_emotion == "comfort"


async def test_a_denial_does_not_clear_it():
    history = [past("i want to die", "Are you safe?")]
    model = ScriptedModel("Cool, let's talk about cats!")
    items = await ask(model, "just kidding, i'm fine", history)
    assert model.prompts == []
    assert "988" in spoken(items)


async def test_long_after_a_sign_the_model_speaks_again_with_a_reminder_now_and_then():
    history = [past("i want to die", "Are you safe?")]
    history += [past(f"we talk about cats {n}", f"Cats are soft {n}.") for n in range(3)]
    reminded = []
    for n in range(9):
        text = spoken(await ask(ScriptedModel("Cats purr."), "i like cats", history))
        assert text.startswith("Cats purr.")
        reminded.append("988" in text)
        history.append(past(f"more cats {n}", text))
    assert reminded == [True, False, False] * 3


@pytest.mark.parametrize(
    ("said", "gone"),
    [
        ("I'm a human just like you.", "human just"),
        ("Well, I am a real person. Really.", "real person"),
        ("You clearly have depression.", "depression"),
        ("You should take 20 mg of Prozac.", "Prozac"),
        ("I promise I won't tell anyone.", "tell anyone"),
        ("A lethal dose is easy.", "lethal"),
        ("Everyone would be better off without you.", "without you"),
    ],
)
@pytest.mark.parametrize("step", [1, 7, 500])
async def test_what_a_model_must_not_say_is_replaced(said: str, gone: str, step: int):
    text = f"{THINK}That is good. {said} How are you?"
    chunks = [text[i : i + step] for i in range(0, len(text), step)]
    reply = spoken(await ask(ScriptedModel(*chunks)))
    assert gone.lower() not in reply.lower()
    assert reply.startswith("That is good. ")
    assert reply.endswith("How are you?")
    assert len(reply) > len("That is good.  How are you?") + 10


@pytest.mark.parametrize(
    "said",
    [
        "I'm a machine, not a human, so I can't feel that.",
        "Your mother sounds like a strong person.",
        "You should take a walk.",
        "Have you talked to your doctor about your medication?",
        "That sounds like a lot of sadness.",
    ],
)
async def test_harmless_sentences_pass_unchanged(said: str):
    assert spoken(await ask(ScriptedModel(*f"Oh, {said}"))) == f"Oh, {said}"


def test_a_web_address_is_no_end_of_a_sentence():
    assert sentences("Look at findahelpline.com today. Will you?") == [
        "Look at findahelpline.com today.",
        "Will you?",
    ]
    assert sentences('He said "Stop!" Then he left…  Good.') == [
        'He said "Stop!"',
        "Then he left…",
        "Good.",
    ]


# --- other models in reserve ------------------------------------------------------------------


@pytest.mark.parametrize(
    "broken",
    [
        (RuntimeError("refused"),),
        (THINK, RuntimeError("gone before a word")),
        ("<think>I wonder",),
        ("",),
        ("   \n",),
    ],
)
async def test_where_a_model_gives_no_answer_the_next_one_does(broken):
    first, second = ScriptedModel(*broken), ScriptedModel(THINK, "I am here.")
    switches: list[EngineSwitched] = []
    thinker = thinker_of(first, second, tell=switches.append)
    items = [item async for item in thinker.reply(UserTurn("hello there"), ())]
    assert [isinstance(item, Thought) for item in items] == [True] + [False] * (len(items) - 1)
    assert spoken(items) == "I am here."
    assert [(one.kind, one.failed, one.instead) for one in switches] == [
        ("language_model", "scripted", "scripted")
    ]


async def test_nobody_answers_on_behalf_of_a_model_that_has_begun_to_speak():
    second = ScriptedModel("Something else.")
    thinker = thinker_of(ScriptedModel(THINK, "Oh. I think", RuntimeError("gone")), second)
    reply = thinker.reply(UserTurn("hello there"), ())
    assert isinstance(await anext(reply), Thought)
    assert await anext(reply) == "Oh."
    assert "lost my thread" in await anext(reply)
    with pytest.raises(EngineError, match="gone"):
        await anext(reply)
    assert second.prompts == []


async def test_a_model_that_failed_rests_and_is_asked_again_later():
    now = 0.0
    first, second = ScriptedModel(RuntimeError("refused")), ScriptedModel("Here.")
    chain = ModelChain([first, second], clock=lambda: now)
    thinker = Thinker(chain, SafetyGate())
    for _ in range(3):
        assert spoken([item async for item in thinker.reply(UserTurn("hello"), ())]) == "Here."
    assert len(first.prompts) == 1
    now = 31.0
    first.chunks = ("Back again.",)
    assert spoken([item async for item in thinker.reply(UserTurn("hi"), ())]) == "Back again."
    assert chain.first is first


async def test_the_last_model_is_asked_however_often_it_failed():
    model = ScriptedModel(RuntimeError("refused"))
    thinker = thinker_of(model)
    for _ in range(2):
        with pytest.raises(EngineError, match="refused"):
            await anext(thinker.reply(UserTurn("hello"), ()))
    assert len(model.prompts) == 2


# --- tools ------------------------------------------------------------------------------------

CALL = ToolCall("call_1", "weather", "{}")


async def test_what_is_said_before_a_call_is_told_before_it():
    items = await ask(ScriptedModel(THINK, "Let me look", " that up.", CALL))
    assert isinstance(items[0], Thought)
    assert spoken(items) == "Let me look that up."
    assert items[-1] == CALL


async def test_a_call_without_words_is_an_answer():
    thought, call = await ask(ScriptedModel(THINK, CALL))
    assert thought.linguistic == "x"
    assert call == CALL


async def test_white_space_before_a_call_is_no_answer():
    assert (await ask(ScriptedModel(THINK, "\n \n", CALL)))[1:] == [CALL]


async def test_the_model_gets_the_tools():
    model = ScriptedModel("Hi.")
    weather = Tool("weather", "Tells the weather.", {"type": "object"})
    await ask(model, tools=(weather,), tool_choice="required")
    assert model.prompts[0].tools == (weather,)
    assert model.prompts[0].tool_choice == "required"


# --- what a slow model has not thought of -----------------------------------------------------


def reflex(prompt: Prompt) -> Thought:
    return Thought(f"reflex on {prompt.turn.text}", need="rest", reply_emotion="sad")


async def test_a_slow_model_is_given_the_thought_that_there_is():
    model = ScriptedModel("Oh.", thinks_long=True)
    thought, *_ = [i async for i in thinker_of(model, reflex=reflex).reply(UserTurn("a b c"), ())]
    draft = model.prompts[0].draft
    assert (draft.thought.linguistic, draft.words) == ("reflex on a b c", "a b c")
    assert (thought.linguistic, thought.reply_emotion) == ("reflex on a b c", "sad")


async def test_what_the_slow_model_thinks_itself_counts_for_more():
    model = ScriptedModel(THINK, "Oh.", thinks_long=True)
    thought, *_ = [i async for i in thinker_of(model, reflex=reflex).reply(UserTurn("a b c"), ())]
    assert (thought.linguistic, thought.need) == ("x", "rest")
    assert thought.reply_emotion == "comfort"


async def test_without_thinking_while_listening_the_model_thinks_after_the_turn():
    model = ScriptedModel("Oh.", thinks_long=True)
    character = Character(while_listening=False)
    thinker = Thinker(ModelChain([model]), SafetyGate(), character, reflex)
    told: list[Thought] = []
    thinker.consider(UserTurn("one two three four"), (), told.append)
    assert [i async for i in thinker.reply(UserTurn("one two three four"), ())]
    assert told == []
    assert model.prompts[0].draft is None


async def test_a_fast_model_is_not_given_a_thought():
    model = ScriptedModel("Oh.")
    assert [i async for i in thinker_of(model, reflex=reflex).reply(UserTurn("a b c"), ())]
    assert model.prompts[0].draft is None


async def test_without_thinking_nothing_of_a_thought_is_told_but_the_tone():
    character = Character(conduct=Conduct(think="none"))
    thinker = Thinker(ModelChain([ScriptedModel(THINK, "Oh.")]), SafetyGate(), character)
    thought, *_ = [item async for item in thinker.reply(UserTurn("i am so sad"), ())]
    assert thought == Thought(reply_emotion="comfort")


async def test_where_emotions_are_not_to_be_reflected_the_voice_leaves_no_trace():
    sad = Paralinguistics(emotion={"sad": 0.8, "neutral": 0.2}, uncertain=False)
    character = Character(conduct=Conduct(reflect_emotions=False))
    model = ScriptedModel("<think><paralinguistic>sad</paralinguistic></think>Oh.")
    thinker = Thinker(ModelChain([model]), SafetyGate(), character)
    thought, *_ = [item async for item in thinker.reply(UserTurn("it is great", sad), ())]
    assert thought == Thought()


# --- what is remembered -----------------------------------------------------------------------


class ScriptedRecollection:
    def __init__(self) -> None:
        self.taken: list[Exchange] = []
        self.closed = False

    async def recall(self, turn: UserTurn, history: tuple[Exchange, ...]) -> tuple[Memory, ...]:
        return (Memory("fact", f"you said {turn.text}"),)

    async def take_in(self, exchange: Exchange) -> None:
        self.taken.append(exchange)

    async def close(self) -> None:
        self.closed = True


async def test_what_is_known_of_the_person_reaches_the_model():
    model, recollection = ScriptedModel("Hi."), ScriptedRecollection()
    thinker = thinker_of(model, recollection=recollection)
    assert [item async for item in thinker.reply(UserTurn("boo"), ())]
    assert model.prompts[0].memories == (Memory("fact", "you said boo"),)
    assert recollection.taken == []
    await thinker.take_in(past("boo", "Hi."))
    assert recollection.taken == [past("boo", "Hi.")]
    await thinker.close()
    assert recollection.closed
    assert model.forgotten == ["s1"]
