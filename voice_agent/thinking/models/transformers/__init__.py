"""The language model that runs in this process, by the transformers library."""

from voice_agent.thinking.models.transformers.engine import TransformersModel

__all__ = ["TransformersModel"]
