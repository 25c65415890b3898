"""coqui-tts as synthesizer."""

from voice_agent.speaking.synthesizers.coqui.engine import CoquiOptions, CoquiSynthesizer

__all__ = ["CoquiOptions", "CoquiSynthesizer"]
