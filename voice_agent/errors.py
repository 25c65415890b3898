"""The errors of the agent. Each message says what is wrong and what to do about it."""


class VoiceAgentError(Exception):
    """Base of all errors that the agent raises on purpose."""

    code = "voice_agent_error"


class ConfigError(VoiceAgentError):
    """The configuration is wrong: names file, key and what is allowed."""

    code = "invalid_configuration"


class AudioError(VoiceAgentError):
    """A file or a message is not the audio it should be."""

    code = "invalid_audio"


class EngineError(VoiceAgentError):
    """An engine could not do its work."""

    code = "engine_failed"


class EngineUnavailable(EngineError):
    """An engine cannot run here: a package, a model or a device is missing. Says how to get it."""

    code = "engine_unavailable"


class ModelError(VoiceAgentError):
    """A model cannot be fetched, or is not what it should be."""

    code = "model_failed"


class Overloaded(VoiceAgentError):
    """A bound was reached: too many sessions, too much audio waiting, a session too long."""

    code = "overloaded"


class StoreError(VoiceAgentError):
    """The file of conversations cannot be used."""

    code = "store_failed"


class UnknownConversation(StoreError):
    """There is no conversation of that id in the store."""

    code = "unknown_conversation"


class UnknownMemory(StoreError):
    """There is no such memory, or nothing is remembered of that person."""

    code = "unknown_memory"


class CannotListen(VoiceAgentError):
    """The server cannot have its address: it is in use, or not this machine's."""

    code = "cannot_listen"


class ManifestError(VoiceAgentError):
    """A table of labelled data cannot be read, or does not hold what is asked of it."""

    code = "invalid_manifest"


class PictureError(VoiceAgentError):
    """A picture cannot be written."""

    code = "picture_failed"


class VoiceError(VoiceAgentError):
    """A voice of the bank or a recording for it cannot be used: says what to do about it."""

    code = "invalid_voice"


class UnknownVoice(VoiceError):
    """There is no voice of that name in the bank."""

    code = "unknown_voice"
