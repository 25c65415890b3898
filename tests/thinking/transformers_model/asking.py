"""How the tests ask the engine."""

import asyncio

from voice_agent.events import Prompt, ToolCall
from voice_agent.thinking.models.transformers import TransformersModel


async def pieces(model: TransformersModel, asked: Prompt) -> list[str | ToolCall]:
    return [piece async for piece in model.generate(asked)]


async def text(model: TransformersModel, asked: Prompt) -> str:
    return "".join(piece for piece in await pieces(model, asked) if isinstance(piece, str))


async def cost(model: TransformersModel, asked: Prompt) -> int:
    """Tokens that go through the model for an answer."""
    before = model.tokens_read
    await text(model, asked)
    return model.tokens_read - before


async def until_read(model: TransformersModel, tokens: int, task: asyncio.Task[object]) -> None:
    """Waits until so many tokens have gone through the model, for a task that is under way."""
    while model.tokens_read < tokens and not task.done():  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert not task.done()
