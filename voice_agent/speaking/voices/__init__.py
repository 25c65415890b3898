"""Voices out of recordings: kept in ``<user data>/voice-agent/voices/<name>/``.

A neural voice speaks after a recording of the emotion that the reply has: `VoiceBank` finds it.
"""

from voice_agent.speaking.voices.bank import NewClip, VoiceBank
from voice_agent.speaking.voices.voice import RELATED, Clip, Consent, Voice

__all__ = ["RELATED", "Clip", "Consent", "NewClip", "Voice", "VoiceBank"]
