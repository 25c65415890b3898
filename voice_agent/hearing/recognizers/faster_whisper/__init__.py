"""Whisper through faster-whisper (CTranslate2), as a recognizer that streams.

Whisper reads up to 30 s at once and is no streaming model. So the newest audio of a turn is read
again and again, and what two readings in a row agree on is settled from the front: see ``stream``.
``reading`` is what happens in a worker, ``engine`` what all conversations share.
"""

from voice_agent.hearing.recognizers.faster_whisper.engine import FasterWhisperRecognizer

__all__ = ["FasterWhisperRecognizer"]
