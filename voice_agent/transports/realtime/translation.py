"""From what happens in a session to the events of the protocol, in the protocol's order."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict

from voice_agent.dialogue.events import (
    Caption,
    Considering,
    Disclosed,
    HeardHow,
    PlaybackPaused,
    PlaybackResumed,
    ReplyAudio,
    ReplyEnded,
    ReplySpoken,
    ReplyStarted,
    ReplyText,
    SessionEvent,
    SessionFailed,
    SpeechIgnored,
    SpeechStarted,
    SpeechStopped,
    Thinking,
    ToolCalled,
    TurnEnded,
    UserItem,
)
from voice_agent.events import EngineSwitched, ReplyStatus
from voice_agent.transports.realtime.items import Items, Message, Wire
from voice_agent.transports.realtime.replies import Replies
from voice_agent.transports.realtime.responses import Wish
from voice_agent.transports.realtime.settings import Modality, Settings


class Translation:
    """One conversation as its client is told of it.

    Attributes:
        settings: What the client set up.
        items: What the client can refer to.
        replies: What the agent says and calls.
        hearing: Whether the person is in the middle of a turn.
        wish: What the client asked of the next reply.
        item_id: The client's own id for the next item of the person.
        creating: Whether the client is adding a spoken item as a whole.
    """

    def __init__(
        self,
        session: str,
        settings: Settings,
        engines: Mapping[str, str],
        now: Callable[[], float],
    ) -> None:
        """Begins a conversation; ``now`` tells the seconds of audio received."""
        self.settings = settings
        self.hearing = False
        self.wish: Wish | None = None
        self.item_id: str | None = None
        self.creating = False
        self.items = Items()
        self.replies = Replies(
            self.items, session.replace("sess_", "conv_"), engines.get("synthesizer", "")
        )
        self._now = now
        self._started = self._stopped = 0.0
        self._spoken_s = 0.0
        self._told = ""

    # --- what the session tells -----------------------------------------------------------------

    def tell(self, event: SessionEvent) -> Iterator[Wire]:
        """The protocol's events for one event of the session."""
        match event:
            case ReplyAudio():
                yield from self.replies.audio(event)
            case ReplyText():
                yield from self.replies.text(event)
            case Caption():
                yield from self._caption(event)
            case HeardHow(item, how, final):
                yield {
                    "type": "voice_agent.paralinguistics",
                    "item_id": self.items.id(item),
                    "final": final,
                    "paralinguistics": asdict(how),
                }
            case Considering(item, thought):
                yield {
                    "type": "voice_agent.thought.draft",
                    "item_id": self.items.id(item),
                    "thought": asdict(thought),
                }
            case Disclosed(text):
                yield {"type": "voice_agent.disclosure", "text": text}
            case SpeechStarted(item, at):
                self._started, self._told, self.hearing = at, "", True
                if self.item_id is not None:
                    self.items.name(item, self.item_id)
                if self._detects:
                    yield {
                        "type": "input_audio_buffer.speech_started",
                        "audio_start_ms": round(1000 * at),
                        "item_id": item,
                    }
            case SpeechStopped(item, at):
                yield from self._speech_stopped(item, at)
            case SpeechIgnored(item):
                if self.hearing:
                    yield from self._speech_stopped(item, self._now())
                self.items.name(item, None)
                yield {"type": "voice_agent.speech_ignored", "item_id": item}
            case UserItem(item, turn):
                yield from self._user_item(item, turn.text, spoken=turn.how is not None)
            case ReplyStarted(reply, item, _):
                wish = self.wish or Wish(self.settings.modality, self.settings.output_format)
                self.wish = None
                yield self.replies.begin(reply, item, wish, self._spoken_s)
                self._spoken_s = 0.0
            case ToolCalled():
                yield from self.replies.call(event)
            case Thinking(reply, thought):
                yield {
                    "type": "voice_agent.thought",
                    "response_id": reply,
                    "thought": asdict(thought),
                }
            case PlaybackPaused(reply, item, heard_ms):
                yield {
                    "type": "voice_agent.playback.paused",
                    "response_id": reply,
                    "item_id": item,
                    "heard_ms": heard_ms,
                }
            case PlaybackResumed(reply, item):
                yield {
                    "type": "voice_agent.playback.resumed",
                    "response_id": reply,
                    "item_id": item,
                }
            case ReplySpoken(reply, _, text):
                yield from self.replies.close(reply, ReplyStatus.COMPLETED, text)
            case ReplyEnded():
                yield from self.replies.end(event)
            case TurnEnded(record):
                yield {
                    "type": "voice_agent.latency",
                    "turn": record.turn,
                    "response_id": self.replies.newest.id if self.replies.newest else None,
                    "latency_ms": asdict(record.latency),
                }
            case EngineSwitched():
                yield {"type": "voice_agent.engine.switched", **asdict(event)}
            case SessionFailed(code, message, _):
                yield error("server_error", code, message)

    # --- the person's turn ----------------------------------------------------------------------

    @property
    def _detects(self) -> bool:
        """Whether the client is told when the person begins and stops to speak."""
        return self.settings.turn_detection is not None and not self.creating

    def _speech_stopped(self, item: str, at: float) -> Iterator[Wire]:
        self._stopped, self.hearing = at, False
        if self._detects:
            yield {
                "type": "input_audio_buffer.speech_stopped",
                "audio_end_ms": round(1000 * at),
                "item_id": item,
            }

    def _caption(self, event: Caption) -> Iterator[Wire]:
        stable = event.hypothesis.stable
        yield {
            "type": "voice_agent.caption",
            "item_id": self.items.id(event.item),
            "text": event.hypothesis.text,
            "stable": stable,
        }
        yield from self._transcribed(self.items.id(event.item), stable)

    def _transcribed(self, item: str, stable: str) -> Iterator[Wire]:
        """What was told cannot be taken back: only what continues it is told."""
        new = stable[len(self._told) :]
        if new and stable.startswith(self._told) and self.settings.transcribed:
            self._told = stable
            yield {
                "type": "conversation.item.input_audio_transcription.delta",
                "item_id": item,
                "content_index": 0,
                "delta": new,
            }

    def _user_item(self, key: str, text: str, spoken: bool) -> Iterator[Wire]:
        modality: Modality = "audio" if spoken else "text"
        item = Message(self.item_id or key, key, "user", modality, None if spoken else text)
        self._spoken_s = max(0.0, self._stopped - self._started) if spoken else 0.0
        if spoken and not self.creating:
            yield {
                "type": "input_audio_buffer.committed",
                "previous_item_id": self.items.newest,
                "item_id": key,
            }
        yield self.items.begin(item)
        item.text, item.status = text, "completed"
        if spoken and self.settings.transcribed:
            yield from self._transcribed(item.id, text)
            yield {
                "type": "conversation.item.input_audio_transcription.completed",
                "item_id": item.id,
                "content_index": 0,
                "transcript": text,
                "usage": {"type": "duration", "seconds": round(self._spoken_s, 3)},
            }
        yield self.items.end(item)
        self._told = ""


def error(
    kind: str,
    code: str,
    message: str,
    param: str | None = None,
    event_id: str | None = None,
) -> Wire:
    """An ``error`` event.

    Args:
        kind: ``invalid_request_error`` where the client is to blame, else ``server_error``.
        code: What went wrong, for programs.
        message: What went wrong and what to do, for people.
        param: The part of the client's message that was wrong.
        event_id: The client's own id of that message.
    """
    return {
        "type": "error",
        "error": {
            "type": kind,
            "code": code,
            "message": message,
            "param": param,
            "event_id": event_id,
        },
    }
