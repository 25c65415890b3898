"""The analyzer that reads voices with audio classifiers of the transformers library."""

from voice_agent.hearing.paralinguistics.transformers.engine import TransformersAnalyzer

__all__ = ["TransformersAnalyzer"]
