"""How long thought and reply take: ``python benchmarks/thinking.py [--engine embedded]``.

Prints the milliseconds to the thought and to the whole reply, over conversations of many turns.
"""

import argparse
import asyncio
import statistics
import time

from voice_agent import engines
from voice_agent.events import Exchange, Thought, UserTurn
from voice_agent.thinking.safety import SafetyGate
from voice_agent.thinking.model_chain import ModelChain
from voice_agent.thinking.thinker import Character, Thinker

TURNS = """hello
not so good to be honest
my dog died yesterday and i can't stop crying
his name was max and we had him for twelve years
he was always waiting at the door when i came home from work
my wife says it was only a dog and that i should pull myself together
i cried at work today and my boss saw it
i felt so embarrassed
what should i do
i can't sleep either and tomorrow i have an important presentation
are you a real person
the the watts
my daughter keeps asking where he is, she is five years old
i told my mother too and she cried with me
that helped a bit
i think i will go for a walk tomorrow
thank you that helps
goodbye""".splitlines()


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


async def measure(engine: str, conversations: int) -> None:
    kind = engines.find("language_model", engine)
    begun = time.perf_counter()
    model = await kind.create(kind.Options())
    print(f"{engine}: created in {1000 * (time.perf_counter() - begun):.0f} ms")
    to_thought, to_text, to_end = [], [], []
    for seed in range(conversations):
        thinker = Thinker(ModelChain([model]), SafetyGate(), Character(seed=seed))
        history: tuple[Exchange, ...] = ()
        for text in TURNS:
            # A turn nobody has said before: nothing can come from an earlier measurement.
            turn = UserTurn(f"{text} {'really ' * seed}".strip())
            thought, reply = Thought(), ""
            begun = time.perf_counter()
            async for piece in thinker.reply(turn, history):
                passed = 1000 * (time.perf_counter() - begun)
                if isinstance(piece, Thought):
                    thought = piece
                    to_thought.append(passed)
                    continue
                if not reply:
                    to_text.append(passed)
                reply += piece
            to_end.append(1000 * (time.perf_counter() - begun))
            history = (*history, Exchange(turn, reply, thought))
    for name, values in (("thought", to_thought), ("first text", to_text), ("reply", to_end)):
        print(
            f"{name:10}  median {statistics.median(values):6.2f} ms"
            f"  95 % {percentile(values, 0.95):6.2f} ms  worst {max(values):6.2f} ms"
        )
    await model.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="embedded")
    parser.add_argument("--conversations", type=int, default=10)
    arguments = parser.parse_args()
    asyncio.run(measure(arguments.engine, arguments.conversations))
