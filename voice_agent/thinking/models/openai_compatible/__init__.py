"""The language model behind a server that speaks OpenAI's chat completions."""

from voice_agent.thinking.models.openai_compatible.engine import OpenAICompatibleModel

__all__ = ["OpenAICompatibleModel"]
