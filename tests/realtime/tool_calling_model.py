"""A language model that calls tools, and how others' packages bring such an engine along."""

from collections.abc import AsyncIterator
from pathlib import Path

from pydantic import BaseModel

from voice_agent.events import Prompt, ToolCall

CALLS = (
    ToolCall("call_ulm", "get_weather", '{"place": "Ulm"}'),
    ToolCall("call_rome", "get_weather", '{"place": "Rome"}'),
)
SAYS_BEFORE = "Let me look that up."


class NoOptions(BaseModel):
    pass


class ToolCallingModel:
    """Calls a tool twice where it has one, and then tells what came back."""

    Options = NoOptions
    name = "tool_calling"
    thinks_long = False

    @classmethod
    async def create(cls, options: NoOptions) -> "ToolCallingModel":
        return cls()

    async def prepare(self, prompt: Prompt) -> None:
        pass

    async def forget(self, session: str) -> None:
        pass

    async def generate(self, prompt: Prompt) -> AsyncIterator[str | ToolCall]:
        yield "<think><linguistic>They ask.</linguistic><emotion>happy</emotion></think>"
        used = [use for past in prompt.history for use in past.tools]
        if prompt.tools and not used:
            yield SAYS_BEFORE
            for call in CALLS:
                yield call
            return
        results = [f"{use.call.arguments} {use.output or 'open'}" for use in used]
        yield f"I know of {len(used)} calls. {' '.join(results)}"

    async def close(self) -> None:
        pass


def install(folder: Path) -> None:
    """Puts a package into a folder that brings the engine along under its name."""
    about = folder / "tool_calling-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: tool_calling\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        f"[voice_agent.language_model]\ntool_calling = {__name__}:{ToolCallingModel.__name__}\n"
    )
