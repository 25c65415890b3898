"""The messages that a client may send: OpenAI Realtime (GA), and one event of our own."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from voice_agent.transports.realtime.options import Part, ResponseParams, SessionUpdate, only

APPEND_BYTES = 15 * 2**20
"""Audio that one message may carry, decoded."""

TOOL_CHARACTERS = 100_000
"""The longest arguments or output of a tool."""

_LARGE = 2**20
_LARGE_VALUES = 10_000
"""A message beyond ``_LARGE`` characters is audio; it has no need for more values than this."""


class RequestError(Exception):
    """A message that cannot be followed: answered with an ``error`` event; nothing else changes."""

    def __init__(
        self, code: str, message: str, param: str | None = None, event_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param
        self.event_id = event_id


class InputText(Part):
    """Typed words."""

    type: Literal["input_text"]
    text: Annotated[str, Field(min_length=1, max_length=20_000)]


class InputAudio(Part):
    """Recorded words, in the session's input format."""

    type: Literal["input_audio"]
    audio: Annotated[str, Field(max_length=APPEND_BYTES * 4 // 3)]
    transcript: str | None = None


class ItemPart(Part):
    """What all items may carry."""

    id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    object: Literal["realtime.item"] | None = None
    status: Literal["completed", "incomplete", "in_progress"] | None = None


class NewMessage(ItemPart):
    """A turn of the person that did not come through the audio buffer."""

    type: Literal["message"]
    role: Annotated[
        str, only("user", because="only what the user says can be added; put the rest into "
                   "session.instructions")
    ]  # fmt: skip
    content: Annotated[
        list[Annotated[InputText | InputAudio, Field(discriminator="type")]],
        Field(min_length=1, max_length=100),
    ]


CallId = Annotated[str, Field(min_length=1, max_length=512)]


class NewFunctionCall(ItemPart):
    """A call of an earlier conversation that is being restored."""

    type: Literal["function_call"]
    name: Annotated[str, Field(min_length=1, max_length=64)]
    arguments: Annotated[str, Field(max_length=TOOL_CHARACTERS)]
    call_id: CallId | None = None


class NewFunctionCallOutput(ItemPart):
    """What a tool brought."""

    type: Literal["function_call_output"]
    call_id: CallId
    output: Annotated[str, Field(max_length=TOOL_CHARACTERS)]


NewItem = Annotated[
    NewMessage | NewFunctionCall | NewFunctionCallOutput, Field(discriminator="type")
]


# --- the events -----------------------------------------------------------------------------


class ClientMessage(Part):
    """What every message may carry: an id of the client's own, told back in errors."""

    event_id: Annotated[str, Field(max_length=512)] | None = None


class UpdateSession(ClientMessage):
    """``session.update``."""

    type: Literal["session.update"]
    session: SessionUpdate


class AppendAudio(ClientMessage):
    """``input_audio_buffer.append``: base64 of at most 15 MiB."""

    type: Literal["input_audio_buffer.append"]
    audio: Annotated[str, Field(max_length=APPEND_BYTES * 4 // 3)]


class CommitAudio(ClientMessage):
    """``input_audio_buffer.commit``: the person's turn ends here."""

    type: Literal["input_audio_buffer.commit"]


class ClearAudio(ClientMessage):
    """``input_audio_buffer.clear``: forgets what was not committed."""

    type: Literal["input_audio_buffer.clear"]


class CreateItem(ClientMessage):
    """``conversation.item.create``."""

    type: Literal["conversation.item.create"]
    item: NewItem
    previous_item_id: str | None = None


class RetrieveItem(ClientMessage):
    """``conversation.item.retrieve``."""

    type: Literal["conversation.item.retrieve"]
    item_id: str


class TruncateItem(ClientMessage):
    """``conversation.item.truncate``: the person heard only this much of a reply."""

    type: Literal["conversation.item.truncate"]
    item_id: str
    content_index: Literal[0]
    audio_end_ms: Annotated[int, Field(ge=0, le=2**31)]


class DeleteItem(ClientMessage):
    """``conversation.item.delete``."""

    type: Literal["conversation.item.delete"]
    item_id: str


class CreateResponse(ClientMessage):
    """``response.create``."""

    type: Literal["response.create"]
    response: ResponseParams | None = None


class CancelResponse(ClientMessage):
    """``response.cancel``."""

    type: Literal["response.cancel"]
    response_id: str | None = None


class DeleteConversation(ClientMessage):
    """``voice_agent.conversation.delete``: erases the conversation; a fresh one begins."""

    type: Literal["voice_agent.conversation.delete"]


ClientEvent = (
    UpdateSession
    | AppendAudio
    | CommitAudio
    | ClearAudio
    | CreateItem
    | RetrieveItem
    | TruncateItem
    | DeleteItem
    | CreateResponse
    | CancelResponse
    | DeleteConversation
)

_EVENTS: TypeAdapter[ClientEvent] = TypeAdapter(Annotated[ClientEvent, Field(discriminator="type")])


def parse(text: str) -> ClientEvent:
    """Reads one message.

    Raises:
        RequestError: The message is not one that a client may send; says where and why.
    """
    if len(text) > _LARGE and text.count(",") > _LARGE_VALUES:
        raise RequestError("invalid_message", "the message has far too many values")
    try:
        return _EVENTS.validate_json(text)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        raise _refusal(text, details[0]) from None


_CODES = {
    "json_invalid": "invalid_json",
    "extra_forbidden": "unknown_parameter",
    "missing": "missing_required_parameter",
    "unsupported": "unsupported_value",
    "union_tag_not_found": "missing_required_parameter",
}

_MESSAGES = {
    "extra_forbidden": "there is no such parameter",
    "missing": "is required",
    "union_tag_not_found": "is required",
}

_TOLD = 500
"""Characters of a message that are told back at most: it may quote what the client sent."""


def _refusal(text: str, problem: ErrorDetails) -> RequestError:
    kind = problem["type"]
    message = _MESSAGES.get(kind, problem["msg"])[:_TOLD]
    code = _CODES.get(kind, "invalid_type" if kind.endswith("_type") else "invalid_value")
    if kind == "json_invalid":
        return RequestError(code, f"the message is not JSON: {message}")
    if not problem["loc"] and not kind.startswith("union_tag"):
        return RequestError("invalid_type", "a message must be a JSON object")
    path = _path(problem["loc"])[:_TOLD]
    if kind.startswith("union_tag"):
        path = f"{path}.type" if path else "type"
    return RequestError(code, f"{path}: {message}", path, _event_id(text))


_TAGS = frozenset(
    "session.update input_audio_buffer.append input_audio_buffer.commit input_audio_buffer.clear "
    "conversation.item.create conversation.item.retrieve conversation.item.truncate "
    "conversation.item.delete response.create response.cancel voice_agent.conversation.delete "
    "audio/pcm audio/pcmu audio/pcma server_vad semantic_vad input_text input_audio "
    "message function_call function_call_output tool_mode chosen_function "
    "str VoiceId int".split()
)
"""What pydantic puts into a location to name the alternative it looked at."""


def _path(location: tuple[int | str, ...]) -> str:
    parts = ""
    for part in location:
        if isinstance(part, int):
            parts += f"[{part}]"
        elif part not in _TAGS and "[" not in part:
            parts += f".{part}" if parts else part
    return parts


def _event_id(text: str) -> str | None:
    """The client's own id of a message that is JSON but not right otherwise."""
    try:
        found = from_json(text)
    except ValueError:
        return None
    event_id = found.get("event_id") if isinstance(found, dict) else None
    return event_id if isinstance(event_id, str) and len(event_id) <= 512 else None
