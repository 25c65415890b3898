"""What a prompt is as a request for a chat completion."""

from collections.abc import Mapping
from typing import Any

from voice_agent.events import Prompt, Tool
from voice_agent.thinking.dual_thinking import render_messages
from voice_agent.thinking.models.openai_compatible.options import Options

END_OF_THOUGHT = "</think>"

_THOUGHT_TOKENS = 400
"""A thought of all its fields has about 200; this bounds one that never ends."""


def render(prompt: Prompt, options: Options, model: str) -> dict[str, Any]:
    """The body of the request, without what only says how it is answered."""
    body: dict[str, Any] = {
        "model": model,
        "messages": render_messages(prompt),
        "seed": prompt.seed,
        "max_tokens": options.max_tokens,
    }
    if prompt.aim == "thought":
        body["max_tokens"] = min(options.max_tokens, _THOUGHT_TOKENS)
        body["stop"] = [END_OF_THOUGHT]
    if options.temperature is not None:
        body["temperature"] = options.temperature
    if options.top_p is not None:
        body["top_p"] = options.top_p
    if prompt.tools:
        # Also a thought sees the tools: they stand at the beginning of what the server reads, and
        # it can take up again only what begins the same.
        body["tools"] = [_tool(tool) for tool in prompt.tools]
        body["tool_choice"] = _choice("none" if prompt.aim == "thought" else prompt.tool_choice)
    return body


def _tool(tool: Tool) -> dict[str, Any]:
    parameters: Mapping[str, Any] = tool.parameters or {"type": "object", "properties": {}}
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": dict(parameters),
        },
    }


def _choice(choice: str) -> str | dict[str, Any]:
    if choice in ("auto", "none", "required"):
        return choice
    return {"type": "function", "function": {"name": choice}}
