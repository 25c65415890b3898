"""Items and responses as the client knows them."""

from dataclasses import dataclass, field
from typing import Literal

from voice_agent.events import ReplyStatus
from voice_agent.transports.realtime.options import AudioFormat
from voice_agent.transports.realtime.settings import Modality
from voice_agent.transports.realtime.wire_audio import Encoder

Wire = dict[str, object]
"""An event or a part of one, ready to become JSON."""


@dataclass(slots=True)
class Item:
    """A message of one side.

    Attributes:
        id: Its id on the wire; the client's own where it gave one.
        key: Its id in the session.
        role: Whose message it is.
        modality: Whether it was spoken or written.
        text: Its words; None while they are not known.
        status: Where it stands.
    """

    id: str
    key: str
    role: Literal["user", "assistant"]
    modality: Modality
    text: str | None = None
    status: Literal["in_progress", "completed", "incomplete"] = "in_progress"

    def wire(self) -> Wire:
        """The item of the protocol."""
        return {
            "id": self.id,
            "object": "realtime.item",
            "type": "message",
            "status": self.status,
            "role": self.role,
            "content": self._content(),
        }

    def _content(self) -> list[Wire]:
        if self.role == "assistant":
            if self.text is None:
                return []
            if self.modality == "audio":
                return [{"type": "output_audio", "transcript": self.text}]
            return [{"type": "output_text", "text": self.text}]
        if self.modality == "audio":
            return [{"type": "input_audio", "transcript": self.text}]
        return [{"type": "input_text", "text": self.text}]

    def part(self) -> Wire:
        """The content part of a reply."""
        words = self.text or ""
        if self.modality == "audio":
            return {"type": "audio", "transcript": words}
        return {"type": "text", "text": words}


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
        item: Its message.
        wish: What was asked of it.
        asked_s: Seconds of speech that it answers.
        asked_words: Words that it answers.
        sent_s: Seconds of its audio that were sent.
        open: Whether ``response.done`` is still to come.
    """

    id: str
    item: Item
    wish: Wish
    conversation: str
    voice: str
    asked_s: float
    asked_words: int
    encoder: Encoder = field(init=False)
    sent_s: float = 0.0
    open: bool = True

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
            "output": [self.item.wire()] if ending else [],
            "conversation_id": self.conversation,
            "output_modalities": [self.item.modality],
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
        words = len((self.item.text or "").split())
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
