"""Responses as the client knows them."""

from dataclasses import dataclass, field

from voice_agent.events import ReplyStatus
from voice_agent.transports.realtime.items import FunctionCall, Message, Wire
from voice_agent.transports.realtime.options import AudioFormat
from voice_agent.transports.realtime.settings import Modality
from voice_agent.transports.realtime.wire_audio import Encoder


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asked of one reply.

    Attributes:
        modality: Whether it is spoken or written.
        format: How its audio is coded.
        metadata: Told back with the response.
    """

    modality: Modality
    format: AudioFormat
    metadata: dict[str, str] | None = None


_ENDINGS: dict[ReplyStatus, tuple[str, Wire]] = {
    ReplyStatus.COMPLETED: ("completed", {"type": "completed"}),
    ReplyStatus.INTERRUPTED: ("cancelled", {"type": "cancelled", "reason": "turn_detected"}),
    ReplyStatus.CANCELLED: ("cancelled", {"type": "cancelled", "reason": "client_cancelled"}),
    ReplyStatus.FAILED: (
        "failed",
        {"type": "failed", "error": {"type": "server_error", "code": "reply_failed"}},
    ),
}


@dataclass(slots=True)
class Response:
    """A reply on its way to the client.

    Attributes:
        id: Id of the reply.
        message: Its words; the client knows of it once it is part of ``output``.
        wish: What was asked of it.
        asked_s: Seconds of speech that it answers.
        asked_words: Words that it answers.
        output: Its items, in the order in which they began.
        sent_s: Seconds of its audio that were sent.
        open: Whether ``response.done`` is still to come.
    """

    id: str
    message: Message
    wish: Wish
    conversation: str
    voice: str
    asked_s: float
    asked_words: int
    encoder: Encoder = field(init=False)
    output: list[Message | FunctionCall] = field(default_factory=list)
    sent_s: float = 0.0
    open: bool = True

    @property
    def calls(self) -> bool:
        """Whether it calls tools."""
        return any(isinstance(item, FunctionCall) for item in self.output)

    def __post_init__(self) -> None:
        self.encoder = Encoder(self.wish.format)

    def wire(self, ending: ReplyStatus | None = None) -> Wire:
        """The response of the protocol; with an ending, whole and with its usage."""
        status, details = _ENDINGS[ending] if ending else ("in_progress", None)
        return {
            "id": self.id,
            "object": "realtime.response",
            "status": status,
            "status_details": details,
            "output": [item.wire() for item in self.output] if ending else [],
            "conversation_id": self.conversation,
            "output_modalities": [self.message.modality],
            "max_output_tokens": "inf",
            "audio": {"output": {"format": self.wish.format.model_dump(), "voice": self.voice}},
            "usage": self._usage() if ending else None,
            "metadata": self.wish.metadata,
        }

    def _usage(self) -> Wire:
        """Audio counts as with OpenAI, a token for 100 ms heard or 50 ms spoken; text by words.

        Engines have different tokenizers, or none.
        """
        heard, said = round(self.asked_s * 10), round(self.sent_s * 20)
        words = sum(item.words for item in self.output)
        return {
            "total_tokens": heard + self.asked_words + said + words,
            "input_tokens": heard + self.asked_words,
            "output_tokens": said + words,
            "input_token_details": {
                "audio_tokens": heard,
                "text_tokens": self.asked_words,
                "cached_tokens": 0,
            },
            "output_token_details": {"audio_tokens": said, "text_tokens": words},
        }
