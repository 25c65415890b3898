"""The stages of an answer one by one: what each model takes, through the agent's own engines."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scripted_language_model import LONG_REPLY, REPLY, TURN, LanguageModel

from voice_agent.audio.pcm import HEARING_RATE
from voice_agent.engines import Recognizer, Synthesizer
from voice_agent.events import Conduct, Exchange, Phrase, Prompt, UserTurn
from voice_agent.thinking.models.transformers.chat import Chat
from voice_agent.thinking.models.transformers.engine import TransformersModel
from voice_agent.thinking.models.transformers.options import Options

CONTEXT_TOKENS = 1500
SPOKEN_S = 6


@dataclass(frozen=True)
class Figure:
    """What was measured, and what it should be."""

    what: str
    value: float | None
    unit: str
    target: float | None
    better: Literal["less", "more"] = "less"
    note: str = ""

    @property
    def met(self) -> bool | None:
        if self.value is None or self.target is None:
            return None
        return self.value <= self.target if self.better == "less" else self.value >= self.target


def options(sessions: int) -> Options:
    """The engine's settings: room for a context and an answer in each of the sessions."""
    return Options(
        model="of random weights", sessions=sessions, context_tokens=2048, max_new_tokens=256
    )


def prompt(made: LanguageModel, number: int) -> Prompt:
    """A turn after a conversation of its own that takes up the context, without thoughts."""
    chat, chance = Chat(made.tokenizer, "of random weights"), np.random.default_rng(number)
    history: list[Exchange] = []
    while True:
        found = Prompt(
            UserTurn(TURN), tuple(history), conduct=Conduct(think="none"), session=f"{number}"
        )
        if len(chat.read(found, 10**6).tokens) >= CONTEXT_TOKENS:
            return found
        history.append(Exchange(UserTurn(" ".join(chance.permutation(TURN.split()))), REPLY))


async def first_token_ms(engine: TransformersModel, turn: Prompt) -> float:
    """From a question to the first word, where the rest of the conversation has been read."""
    before = Prompt(UserTurn(""), turn.history, conduct=turn.conduct, session=turn.session)
    await engine.prepare(before)
    began = time.perf_counter()
    async with aclosing(engine.generate(turn)) as pieces:
        await anext(pieces)
    return 1000 * (time.perf_counter() - began)


async def tokens_per_s(engine: TransformersModel, turns: Sequence[Prompt]) -> float:
    """Words of long replies to questions that come at the same time; a word is a token."""
    for turn in turns:
        await engine.prepare(turn)

    async def count(turn: Prompt) -> int:
        return len("".join([str(piece) async for piece in engine.generate(turn)]).split())

    began = time.perf_counter()
    words = sum(await asyncio.gather(*map(count, turns)))
    return words / (time.perf_counter() - began)


async def language_model(
    engine: TransformersModel, made: LanguageModel, sessions: int
) -> AsyncIterator[Figure]:
    """First token, and tokens a second for one and for many."""
    made.is_to_say(LONG_REPLY)
    turns = [prompt(made, number) for number in range(sessions)]
    waits = [await first_token_ms(engine, turns[0]) for _ in range(11)]
    yield Figure(
        f"first token, {CONTEXT_TOKENS} tokens read before", float(np.median(waits)), "ms", 40
    )
    yield Figure("tokens, one session", await tokens_per_s(engine, turns[:1]), "/s", 100, "more")
    rate = await tokens_per_s(engine, turns)
    yield Figure(f"tokens, {sessions} sessions", rate, "/s", 1500, "more")


async def recognition(engine: Recognizer) -> Figure:
    """A final reading of a turn."""
    chance = np.random.default_rng(0)
    # Comes and goes as syllables do.
    at = np.arange(SPOKEN_S * HEARING_RATE) / HEARING_RATE
    turn = (0.1 * np.sin(4 * np.pi * at) ** 2 * chance.normal(0, 1, at.size)).astype(np.float32)
    stream, waits = await engine.open(), []
    for _ in range(6):
        await stream.reset()
        await stream.feed(turn)
        began = time.perf_counter()
        said = await stream.settle()
        waits.append(1000 * (time.perf_counter() - began))
    await stream.close()
    # The first warms up.
    value = float(np.median(waits[1:]))
    note = f"{engine.name}, {len(said.text.split())} words"
    return Figure(f"final reading of {SPOKEN_S} s", value, "ms", 100, note=note)


@asynccontextmanager
async def thinking(engine: TransformersModel, sessions: int) -> AsyncIterator[None]:
    """Others think all the while."""

    async def think(number: int) -> None:
        turn = Prompt(UserTurn(TURN), session=f"thinks {number}", aim="thought")
        while True:
            async with aclosing(engine.generate(turn)) as pieces:
                async for _ in pieces:
                    pass

    thoughts = [asyncio.create_task(think(number)) for number in range(sessions)]
    try:
        yield
    finally:
        for thought in thoughts:
            thought.cancel()
        await asyncio.wait(thoughts)


async def say(engine: Synthesizer) -> tuple[float, float]:
    """Says a sentence; seconds to the first audio, and seconds of audio."""
    began, first, spoken = time.perf_counter(), 0.0, 0.0
    async for speech in engine.synthesize(Phrase(REPLY.partition(". ")[0] + ".")):
        first = first or time.perf_counter() - began
        spoken += speech.samples.size / speech.rate
    return first, spoken


async def voice(engine: Synthesizer, at_once: int = 1, when: str = "") -> AsyncIterator[Figure]:
    """First audio of sentences, and time to speak against time spoken."""
    firsts, shares = [], []
    for _ in range(5):
        began = time.perf_counter()
        said = await asyncio.gather(*(say(engine) for _ in range(at_once)))
        shares.append((time.perf_counter() - began) / max(spoken for _, spoken in said))
        firsts.extend(1000 * first for first, _ in said)
    worst, target = (50, 150) if at_once == 1 else (95, None)
    yield Figure(
        f"first audio of a sentence{when}", float(np.percentile(firsts, worst)), "ms", target
    )
    # A voice that takes longer to speak than its audio lasts leaves holes.
    bound = 0.3 if at_once == 1 else 1.0
    yield Figure(f"time to speak / time spoken{when}", float(np.median(shares)), "", bound)
