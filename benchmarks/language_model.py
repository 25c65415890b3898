"""What the layer over the language model costs and brings.

``python benchmarks/language_model.py [--small] [--dtype float32] [--rounds 3] [--tokens 16]`` makes
a model of the size of Qwen2.5-0.5B with random weights (``--small``: one of 7 million parameters)
and prints milliseconds a token against ``generate`` of the transformers library on the same prompt
with the same tokens before it, the time to the first token with and without the prompt read before,
and tokens a second for one and more conversations. Processor time, where it says so, is that of the
whole process: on a busy machine it tells more than the clock.
"""

import argparse
import asyncio
import copy
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import tiny_language_model
import torch
from transformers import (
    DynamicCache,
    Qwen2Config,
    Qwen2ForCausalLM,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)

from voice_agent.events import Conduct, Prompt, UserTurn
from voice_agent.thinking.models.transformers.chat import Chat
from voice_agent.thinking.models.transformers.engine import TransformersModel
from voice_agent.thinking.models.transformers.loading import auto_dtype
from voice_agent.thinking.models.transformers.runtime import AT_ONCE
from voice_agent.thinking.models.transformers.sampling import choose

PREFIX = 1500
SESSIONS = (1, 4, 8)
SIZES = {
    "real": {
        "hidden_size": 896,
        "intermediate_size": 4864,
        "num_hidden_layers": 24,
        "num_attention_heads": 14,
        "num_key_value_heads": 2,
        "vocab_size": 151936,
    },
    "small": {
        "hidden_size": 256,
        "intermediate_size": 768,
        "num_hidden_layers": 6,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": 8192,
    },
}


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock and on the processor."""

    clock: float
    processor: float


class Watch:
    def __init__(self) -> None:
        self._clock, self._processor = time.perf_counter(), time.process_time()

    def read(self) -> Cost:
        return Cost(time.perf_counter() - self._clock, time.process_time() - self._processor)


def made(size: str, dtype: str, folder: Path) -> tuple[Any, Any]:
    torch.manual_seed(0)
    shape = {
        "max_position_embeddings": 32768,
        "tie_word_embeddings": True,
        "eos_token_id": None,
        "initializer_range": 0.1,
    }
    model = Qwen2ForCausalLM(Qwen2Config(**SIZES[size], **shape)).to(getattr(torch, dtype))
    tokenizer = tiny_language_model.tokenizer(folder)
    with torch.no_grad():
        weights = model.get_input_embeddings().weight
        # Neither the end of an answer comes, nor what is no token.
        weights[: len(tiny_language_model.MARKS)] *= 0.01
        weights[len(tokenizer) :] = 0
    return model.eval(), tokenizer


def prompts(tokenizer: Any, number: int) -> list[Prompt]:
    """Questions in conversations of their own with the same long instructions."""
    chat = Chat(tokenizer, "of random weights")
    asked = Prompt(UserTurn("what shall I do"), conduct=Conduct(think="none"))
    while len(chat.read(asked, 10**6).tokens) < PREFIX:
        asked = replace(asked, instructions=asked.instructions + "Listen to what they say. ")
    return [
        replace(asked, turn=UserTurn(f"this is {n} and what shall I do"), session=f"{n}")
        for n in range(number)
    ]


async def said(engine: TransformersModel, asked: Prompt) -> str:
    return "".join([str(piece) async for piece in engine.generate(asked)])


async def first_token(engine: TransformersModel, asked: Prompt) -> Cost:
    watch = Watch()
    async with aclosing(engine.generate(asked)) as pieces:
        await anext(pieces)
        return watch.read()


async def against_generate(
    engine: TransformersModel, model: Any, tokenizer: Any, asked: Prompt, tokens: int, rounds: int
) -> tuple[list[Cost], list[Cost], bool]:
    """The engine's costs and the library's, in turns, for answers to a prompt that was read."""
    read = torch.tensor([Chat(tokenizer, "").read(asked, 10**6).tokens])
    cache = DynamicCache()
    with torch.inference_mode():
        # In the same parts as the engine: with 16 bits, others would be rounded otherwise.
        for part in read.split(AT_ONCE["cpu"], dim=1):
            model(input_ids=part, past_key_values=cache, logits_to_keep=1)
    cache.crop(-1)
    ours, theirs, same = [], [], True
    for _ in range(rounds + 1):
        watch = Watch()
        mine = await said(engine, asked)
        ours.append(watch.read())
        kept = copy.deepcopy(cache)
        watch = Watch()
        whole = await asyncio.to_thread(
            model.generate,
            read,
            attention_mask=torch.ones_like(read),
            past_key_values=kept,
            max_new_tokens=tokens,
            do_sample=False,
        )
        theirs.append(watch.read())
        text = tokenizer.decode(whole[0, read.shape[1] :])
        same = same and mine.replace("\ufffd", "") == text.replace("\ufffd", "")
    # The first of each warms up.
    return ours[1:], theirs[1:], same


async def together(engine: TransformersModel, asked: Sequence[Prompt]) -> Cost:
    for one in asked:
        await engine.prepare(one)
    watch = Watch()
    await asyncio.gather(*(said(engine, one) for one in asked))
    return watch.read()


def choices(spread: float, rounds: int) -> tuple[list[Cost], list[Cost]]:
    """The choice of a token by temperature and top_p, and that of the library's parts."""
    scores = torch.randn(1, SIZES["real"]["vocab_size"]) * spread
    warpers = (TemperatureLogitsWarper(0.7), TopPLogitsWarper(0.9))
    ours, theirs = [], []
    for _ in range(rounds + 1):
        watch = Watch()
        choose(scores, [0.3], 0.7, 0.9)
        ours.append(watch.read())
        watch, warped = Watch(), scores
        for warp in warpers:
            warped = warp(None, warped)
        torch.multinomial(warped.softmax(-1), 1)
        theirs.append(watch.read())
    return ours[1:], theirs[1:]


def ms(costs: Sequence[Cost], what: str, per: int = 1) -> float:
    return 1000 * statistics.median(getattr(cost, what) for cost in costs) / per


async def main(size: str, dtype: str, rounds: int, tokens: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        model, tokenizer = made(size, dtype, Path(folder))
    engine = await TransformersModel.of(
        model,
        tokenizer,
        TransformersModel.Options(
            model="of random weights",
            context_tokens=2048,
            max_new_tokens=tokens,
            temperature=0,
            sessions=max(SESSIONS),
        ),
    )
    asked = prompts(tokenizer, max(SESSIONS))
    count = sum(parameter.numel() for parameter in model.parameters())
    print(f"{count / 1e6:.0f} million parameters, {dtype}, {torch.get_num_threads()} thread(s)\n")

    cold = await first_token(engine, asked[0])
    warm = [await first_token(engine, asked[1])]
    for number in range(rounds):
        turn = replace(asked[1], turn=UserTurn(f"it is {number} now and that is not so good"))
        await engine.prepare(replace(turn, turn=UserTurn("")))
        warm.append(await first_token(engine, turn))
    for what, costs in (
        (f"{PREFIX} tokens to read", [cold]),
        ("all but the turn read before", warm[1:]),
        ("a conversation with the same instructions", warm[:1]),
    ):
        print(
            f"first token, {what}: {ms(costs, 'clock'):.0f} ms, "
            f"on the processor {ms(costs, 'processor'):.0f} ms"
        )

    ours, theirs, same = await against_generate(engine, model, tokenizer, asked[0], tokens, rounds)
    for name in ("processor", "clock"):
        mine, library = ms(ours, name, tokens), ms(theirs, name, tokens)
        print(
            f"a token by the {name}: {mine:.1f} ms, by generate {library:.1f} ms "
            f"({100 * (mine / library - 1):+.1f} %)"
        )
    print("the same tokens" if same else "NOT the same tokens")

    for name, spread in (("clear", 5.0), ("hard", 1.0)):
        mine, library = (ms(costs, "processor") for costs in choices(spread, rounds))
        print(
            f"a {name} choice of a token on the processor: {mine:.1f} ms, by the library "
            f"{library:.1f} ms"
        )

    for number in SESSIONS:
        cost = await together(engine, asked[:number])
        rate, busy = number * tokens / cost.clock, number * tokens / cost.processor
        print(f"{number} conversation(s): {rate:.1f} tokens/s; {busy:.1f} a processor second")
    await engine.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default=auto_dtype("cpu"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=16)
    given = parser.parse_args()
    asyncio.run(main("small" if given.small else "real", given.dtype, given.rounds, given.tokens))
