"""The agent's replies as the client is told of them: what is begun is ended, innermost first."""

from collections.abc import Iterator

from voice_agent.dialogue.events import ReplyAudio, ReplyEnded, ReplyText, ToolCalled
from voice_agent.events import ReplyStatus
from voice_agent.transports.realtime.items import (
    FunctionCall,
    FunctionCallOutput,
    Items,
    Message,
    Wire,
)
from voice_agent.transports.realtime.responses import Response, Wish


class Replies:
    """The replies of one conversation, one at a time.

    Attributes:
        newest: The newest reply; it is under way while ``newest.open``.
        playing: Whether it is not over yet, sent or still to be heard.
    """

    def __init__(self, items: Items, conversation: str, voice: str) -> None:
        """Tells of replies in a conversation; ``voice`` names who speaks."""
        self.newest: Response | None = None
        self.playing = False
        self._items = items
        self._conversation = conversation
        self._voice = voice

    def begin(self, reply: str, key: str, wish: Wish, asked_s: float) -> Wire:
        """A reply begins, to so many seconds of speech; ``key`` will be its message's."""
        message = Message(key, key, "assistant", wish.modality)
        asked = self._items.get(self._items.newest)
        theirs = isinstance(asked, FunctionCallOutput) or (
            isinstance(asked, Message) and asked.role == "user"
        )
        words = asked.words if asked is not None and theirs else 0
        response = Response(reply, message, wish, self._conversation, self._voice, asked_s, words)
        self.newest, self.playing = response, True
        return {"type": "response.created", "response": response.wire()}

    def text(self, event: ReplyText) -> Iterator[Wire]:
        """More words."""
        response = self._open(event.reply)
        if response is None:
            return
        yield from self._begin_message(response)
        # What is spoken is told with the audio that carries it.
        if response.message.modality == "text":
            yield from self._words(response, event.delta)

    def audio(self, event: ReplyAudio) -> Iterator[Wire]:
        """More audio."""
        response = self._open(event.reply)
        if response is None or response.message.modality == "text":
            return
        yield from self._words(response, "".join(word.text for word in event.speech.words))
        response.sent_s += event.speech.samples.size / event.speech.rate
        audio = response.encoder.encode(event.speech.samples)
        if audio:
            yield self._part("response.output_audio.delta", response) | {"delta": audio}

    def call(self, event: ToolCalled) -> Iterator[Wire]:
        """The call of a tool, whole."""
        response = self._open(event.reply)
        if response is None:
            return
        call, kind = event.call, "response.function_call_arguments"
        item = FunctionCall(event.item, event.item, call)
        yield from self._begin_item(response, item)
        place = self._place("", response, item) | {"item_id": item.id, "call_id": call.id}
        yield place | {"type": f"{kind}.delta", "delta": call.arguments}
        yield place | {"type": f"{kind}.done", "name": call.name, "arguments": call.arguments}
        item.status = "completed"
        yield from self._end_item(response, item)

    def close(self, reply: str, status: ReplyStatus, text: str) -> Iterator[Wire]:
        """All of a reply was sent, or nothing more will be."""
        response = self._open(reply)
        if response is None:
            return
        told = response.message.text or ""
        if status is ReplyStatus.COMPLETED and text.startswith(told):
            yield from self._words(response, text[len(told) :])
        if response.message in response.output:
            yield from self._end_message(response, status, text)
        response.open = False
        yield {"type": "response.done", "response": response.wire(status)}

    def end(self, event: ReplyEnded) -> Iterator[Wire]:
        """A reply is over, heard or cut."""
        self.playing = False
        yield from self.close(event.reply, event.status, event.text)
        response = self.newest
        if response is None or response.id != event.reply:
            return
        message = response.message
        if message not in response.output:
            return
        cut = event.status in (ReplyStatus.INTERRUPTED, ReplyStatus.CANCELLED)
        message.text = event.heard if cut else event.text
        if cut and message.modality == "audio":
            yield truncated(message, event.heard_ms)

    def _open(self, reply: str) -> Response | None:
        """The reply of this id, while more of it may be told."""
        response = self.newest
        return response if response is not None and response.open and response.id == reply else None

    # --- its items ------------------------------------------------------------------------------

    def _begin_item(self, response: Response, item: Message | FunctionCall) -> Iterator[Wire]:
        response.output.append(item)
        yield self._place("response.output_item.added", response, item) | {"item": item.wire()}
        yield self._items.begin(item)

    def _end_item(self, response: Response, item: Message | FunctionCall) -> Iterator[Wire]:
        yield self._place("response.output_item.done", response, item) | {"item": item.wire()}
        yield self._items.end(item)

    def _begin_message(self, response: Response) -> Iterator[Wire]:
        """It begins with its first words: a reply that only calls tools has no message."""
        message = response.message
        if message not in response.output:
            yield from self._begin_item(response, message)
            yield self._part("response.content_part.added", response) | {"part": message.part()}
            message.text = ""

    def _words(self, response: Response, words: str) -> Iterator[Wire]:
        if words:
            message = response.message
            message.text = (message.text or "") + words
            kind = "output_audio_transcript" if message.modality == "audio" else "output_text"
            yield self._part(f"response.{kind}.delta", response) | {"delta": words}

    def _end_message(self, response: Response, status: ReplyStatus, text: str) -> Iterator[Wire]:
        message, whole = response.message, status is ReplyStatus.COMPLETED
        message.text, message.status = text, "completed" if whole else "incomplete"
        if message.modality == "audio":
            rest = response.encoder.finish() if whole else ""
            if rest:
                yield self._part("response.output_audio.delta", response) | {"delta": rest}
            yield self._part("response.output_audio.done", response)
            done = self._part("response.output_audio_transcript.done", response)
            yield done | {"transcript": text}
        else:
            yield self._part("response.output_text.done", response) | {"text": text}
        yield self._part("response.content_part.done", response) | {"part": message.part()}
        yield from self._end_item(response, message)

    @staticmethod
    def _place(kind: str, response: Response, item: Message | FunctionCall) -> Wire:
        index = response.output.index(item)
        return {"type": kind, "response_id": response.id, "output_index": index}

    def _part(self, kind: str, response: Response) -> Wire:
        message = response.message
        place: Wire = {"item_id": message.id, "content_index": 0}
        return self._place(kind, response, message) | place


def truncated(item: Message, heard_ms: int) -> Wire:
    """A reply was heard only in part; the context keeps no more than that."""
    return {
        "type": "conversation.item.truncated",
        "item_id": item.id,
        "content_index": 0,
        "audio_end_ms": heard_ms,
    }
