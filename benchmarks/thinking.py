"""How long thought and reply take, and how varied half an hour of talk is.

``python benchmarks/thinking.py [--engine embedded] [--seeds 5]`` plays the conversations of
``tests/thinking/half_hour.yaml`` turn by turn through the whole thinker, with memory and safety:
milliseconds to the thought and to the whole reply, by the clock and on the processor, and how they
grow over the conversation; then repeated sentences, words an answer, distinct pairs of words
(distinct-2), the share of answers that ask, and facts recalled.
"""

import argparse
import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from voice_agent import engines
from voice_agent.events import Exchange, Prompt, Thought, UserTurn
from voice_agent.memories import in_memory
from voice_agent.person import Person
from voice_agent.settings import Memory as MemorySettings
from voice_agent.thinking.character import Character
from voice_agent.thinking.memory.recollection import Recollection
from voice_agent.thinking.model_chain import ModelChain
from voice_agent.thinking.plain_words import plain, sentences
from voice_agent.thinking.safety import SafetyGate
from voice_agent.thinking.thinker import Thinker

SCRIPTS = Path(__file__).parent.parent / "tests" / "thinking" / "half_hour.yaml"


@dataclass
class Times:
    """Milliseconds of each turn."""

    alone: list[float] = field(default_factory=list)
    thought: list[float] = field(default_factory=list)
    reply: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


async def talk(model: Any, turns: list[str], seed: int, times: Times) -> list[Exchange]:
    memory = Recollection(in_memory(), Person.here("somebody"), "now", MemorySettings(), None)
    thinker = Thinker(ModelChain([model]), SafetyGate(), Character(seed=seed), recollection=memory)
    history: tuple[Exchange, ...] = ()
    for text in turns:
        # A turn nobody has said before: nothing can come from an earlier measurement.
        turn = UserTurn(f"{text}{' ' * seed}")
        thought, reply = Thought(), ""
        begun, worked = time.perf_counter(), time.process_time()
        async for piece in thinker.reply(turn, history):
            if isinstance(piece, Thought):
                thought = piece
                times.thought.append(1000 * (time.perf_counter() - begun))
            elif isinstance(piece, str):
                reply += piece
        times.reply.append(1000 * (time.perf_counter() - begun))
        times.processor.append(1000 * (time.process_time() - worked))
        if hasattr(model, "think"):
            begun = time.perf_counter()
            model.think(Prompt(UserTurn(f"{turn.text} "), history, seed=seed))
            times.alone.append(1000 * (time.perf_counter() - begun))
        history = (*history, Exchange(turn, reply, thought))
        await memory.take_in(history[-1])
    await memory.close()
    return list(history)


def describe(history: list[Exchange], recalled: Mapping[str, list[str]]) -> str:
    replies = [plain(exchange.reply).split() for exchange in history]
    pairs = [pair for words in replies for pair in pairwise(words)]
    said = Counter(plain(s) for exchange in history for s in sentences(exchange.reply))
    twice = sum(count > 1 for count in said.values())
    answers = {e.user.text.strip(): e.reply.lower() for e in history if e.user}
    kept = sum(all(word in answers[asked] for word in words) for asked, words in recalled.items())
    lengths = [len(exchange.reply.split()) for exchange in history]
    asking = sum("?" in exchange.reply for exchange in history) / len(history)
    return (
        f"{len(history)} turns  said twice {twice}  words {statistics.mean(lengths):4.1f}"
        f" (most {max(lengths)})  distinct-2 {len(set(pairs)) / len(pairs):.2f}"
        f"  asking {asking:.2f}  recalled {kept}/{len(recalled)}"
    )


async def measure(engine: str, seeds: int) -> None:
    kind = engines.find("language_model", engine)
    begun = time.perf_counter()
    model = await kind.create(kind.Options())
    print(f"{engine}: created in {1000 * (time.perf_counter() - begun):.0f} ms")
    times = Times()
    scripts = yaml.safe_load(SCRIPTS.read_text(encoding="utf-8"))
    growth: dict[str, list[float]] = {"first ten turns": [], "last ten turns": []}
    for name, script in scripts.items():
        for seed in range(seeds):
            start = len(times.processor)
            history = await talk(model, script["turns"], seed, times)
            growth["first ten turns"] += times.processor[start : start + 10]
            growth["last ten turns"] += times.processor[-10:]
            print(f"{name} {seed}: {describe(history, script['recalled'])}")
    rows = {
        "thought alone": times.alone,
        "to the thought": times.thought,
        "to the whole reply": times.reply,
        "processor time": times.processor,
        **growth,
    }
    for row, values in rows.items():
        if values:
            print(
                f"{row:18}  median {statistics.median(values):6.2f} ms"
                f"  95 % {percentile(values, 0.95):6.2f} ms  worst {max(values):6.2f} ms"
            )
    await model.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="embedded")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    asyncio.run(measure(arguments.engine, arguments.seeds))
