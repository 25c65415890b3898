"""From what happens in a session to the events of the protocol, in the protocol's order."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict

from voice_agent.dialogue.events import (
    Caption,
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
    TurnEnded,
    UserItem,
)
from voice_agent.events import ReplyStatus
from voice_agent.transports.realtime.items import Item, Response, Wire, Wish
from voice_agent.transports.realtime.settings import Modality, Settings

KEPT_ITEMS = 200
"""Newest items that a client can refer to."""


class Translation:
    """One conversation as its client is told of it.

    Attributes:
        settings: What the client set up.
        response: The newest reply; it is under way while ``response.open``.
        playing: Whether the newest reply is not over yet, sent or still to be heard.
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
        self.response: Response | None = None
        self.playing = False
        self.hearing = False
        self.wish: Wish | None = None
        self.item_id: str | None = None
        self.creating = False
        self._conversation = session.replace("sess_", "conv_")
        self._voice = engines.get("synthesizer", "")
        self._now = now
        self._items: dict[str, Item] = {}
        self._keys: dict[str, str] = {}
        self._newest: str | None = None
        self._started = self._stopped = 0.0
        self._spoken_s = 0.0
        self._told = ""

    # --- what requests ask ----------------------------------------------------------------------

    @property
    def newest(self) -> str | None:
        """Id of the last item."""
        return self._newest

    def item(self, id: str) -> Item | None:
        """The item that the client knows by this id."""
        return self._items.get(id)

    def forget(self, item: Item) -> None:
        """Takes an item out."""
        del self._items[item.id], self._keys[item.key]
        if item.id == self._newest:
            self._newest = next(reversed(self._items), None)

    # --- what the session tells -----------------------------------------------------------------

    def tell(self, event: SessionEvent) -> Iterator[Wire]:
        """The protocol's events for one event of the session."""
        match event:
            case ReplyAudio():
                yield from self._audio(event)
            case ReplyText():
                yield from self._text(event)
            case Caption():
                yield from self._caption(event)
            case HeardHow(item, how, final):
                yield {
                    "type": "voice_agent.paralinguistics",
                    "item_id": self._id(item),
                    "final": final,
                    "paralinguistics": asdict(how),
                }
            case SpeechStarted(item, at):
                self._started, self._told, self.hearing = at, "", True
                if self.item_id is not None:
                    self._keys[item] = self.item_id
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
                self._keys.pop(item, None)
                yield {"type": "voice_agent.speech_ignored", "item_id": item}
            case UserItem(item, turn):
                yield from self._user_item(item, turn.text, spoken=turn.how is not None)
            case ReplyStarted(reply, item, _):
                yield from self._reply_started(reply, item)
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
            case ReplySpoken(_, _, text):
                yield from self._close(ReplyStatus.COMPLETED, text)
            case ReplyEnded():
                yield from self._reply_ended(event)
            case TurnEnded(record):
                yield {
                    "type": "voice_agent.latency",
                    "turn": record.turn,
                    "response_id": self.response.id if self.response else None,
                    "latency_ms": asdict(record.latency),
                }
            case SessionFailed(code, message, _):
                yield error("server_error", code, message)

    # --- the person's turn ----------------------------------------------------------------------

    @property
    def _detects(self) -> bool:
        """Whether the client is told when the person begins and stops to speak."""
        return self.settings.turn_detection is not None and not self.creating

    def _id(self, key: str) -> str:
        """The id by which the client knows an item of the session."""
        return self._keys.get(key, key)

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
            "item_id": self._id(event.item),
            "text": event.hypothesis.text,
            "stable": stable,
        }
        yield from self._transcribed(self._id(event.item), stable)

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
        item = Item(self.item_id or key, key, "user", modality, None if spoken else text)
        self._spoken_s = max(0.0, self._stopped - self._started) if spoken else 0.0
        if spoken and not self.creating:
            yield {
                "type": "input_audio_buffer.committed",
                "previous_item_id": self._newest,
                "item_id": key,
            }
        before = self._add(item)
        yield {"type": "conversation.item.added", "previous_item_id": before, "item": item.wire()}
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
        yield {"type": "conversation.item.done", "previous_item_id": before, "item": item.wire()}
        self._told = ""

    def _add(self, item: Item) -> str | None:
        before, self._newest = self._newest, item.id
        self._items[item.id] = item
        self._keys[item.key] = item.id
        if len(self._items) > KEPT_ITEMS:
            self.forget(next(iter(self._items.values())))
        return before

    # --- the agent's turn -----------------------------------------------------------------------

    def _reply_started(self, reply: str, key: str) -> Iterator[Wire]:
        settings = self.settings
        wish = self.wish or Wish(settings.modality, settings.output_format)
        self.wish = None
        item = Item(key, key, "assistant", wish.modality)
        asked = self._items.get(self._newest or "")
        words = len(asked.text.split()) if asked and asked.text and asked.role == "user" else 0
        before = self._add(item)
        response = Response(
            reply, item, wish, self._conversation, self._voice, self._spoken_s, words
        )
        self.response, self.playing, self._spoken_s = response, True, 0.0
        yield {"type": "response.created", "response": response.wire()}
        yield {
            "type": "response.output_item.added",
            "response_id": reply,
            "output_index": 0,
            "item": item.wire(),
        }
        yield {"type": "conversation.item.added", "previous_item_id": before, "item": item.wire()}
        yield self._place("response.content_part.added", response) | {"part": item.part()}
        item.text = ""

    def _text(self, event: ReplyText) -> Iterator[Wire]:
        response = self.response
        if response is None or not response.open or response.id != event.reply:
            return
        # What is spoken is told with the audio that carries it.
        if response.item.modality == "text":
            yield from self._words(response, event.delta)

    def _words(self, response: Response, words: str) -> Iterator[Wire]:
        if words:
            response.item.text = (response.item.text or "") + words
            spoken = response.item.modality == "audio"
            kind = "output_audio_transcript" if spoken else "output_text"
            yield self._place(f"response.{kind}.delta", response) | {"delta": words}

    def _audio(self, event: ReplyAudio) -> Iterator[Wire]:
        response = self.response
        if response is None or not response.open or response.id != event.reply:
            return
        if response.item.modality == "text":
            return
        yield from self._words(response, "".join(word.text for word in event.speech.words))
        response.sent_s += event.speech.samples.size / event.speech.rate
        audio = response.encoder.encode(event.speech.samples)
        if audio:
            yield self._place("response.output_audio.delta", response) | {"delta": audio}

    def _reply_ended(self, event: ReplyEnded) -> Iterator[Wire]:
        response = self.response
        self.playing = False
        if response is None or response.id != event.reply:
            return
        yield from self._close(event.status, event.text)
        cut = event.status in (ReplyStatus.INTERRUPTED, ReplyStatus.CANCELLED)
        response.item.text = event.heard if cut else event.text
        if cut and response.item.modality == "audio":
            yield truncated(response.item, event.heard_ms)

    def _close(self, status: ReplyStatus, text: str) -> Iterator[Wire]:
        """The end of a response, once: all that was opened is closed, the innermost first."""
        response = self.response
        if response is None or not response.open:
            return
        response.open = False
        item = response.item
        told = item.text or ""
        if status is ReplyStatus.COMPLETED and text.startswith(told):
            yield from self._words(response, text[len(told) :])
        item.text = text
        item.status = "completed" if status is ReplyStatus.COMPLETED else "incomplete"
        if item.modality == "audio":
            rest = response.encoder.finish() if status is ReplyStatus.COMPLETED else ""
            if rest:
                yield self._place("response.output_audio.delta", response) | {"delta": rest}
            yield self._place("response.output_audio.done", response)
            yield self._place("response.output_audio_transcript.done", response) | {
                "transcript": text
            }
        else:
            yield self._place("response.output_text.done", response) | {"text": text}
        yield self._place("response.content_part.done", response) | {"part": item.part()}
        yield {
            "type": "response.output_item.done",
            "response_id": response.id,
            "output_index": 0,
            "item": item.wire(),
        }
        before = self._before(item)
        yield {"type": "conversation.item.done", "previous_item_id": before, "item": item.wire()}
        yield {"type": "response.done", "response": response.wire(status)}

    def _before(self, item: Item) -> str | None:
        before = None
        for id in self._items:
            if id == item.id:
                return before
            before = id
        return None

    @staticmethod
    def _place(kind: str, response: Response) -> Wire:
        return {
            "type": kind,
            "response_id": response.id,
            "item_id": response.item.id,
            "output_index": 0,
            "content_index": 0,
        }


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


def truncated(item: Item, heard_ms: int) -> Wire:
    """A reply was heard only in part; the context keeps no more than that."""
    return {
        "type": "conversation.item.truncated",
        "item_id": item.id,
        "content_index": 0,
        "audio_end_ms": heard_ms,
    }
