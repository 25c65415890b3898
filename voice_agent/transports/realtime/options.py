"""What a client may ask of the session and of a reply: the options of OpenAI Realtime (GA).

What the protocol has and the agent has not is named here too, so that a client learns whether it
used an unknown option or an unsupported one. Nothing is taken and then ignored, except names of
the other service's models and voices: the session then tells which ones really run.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from voice_agent.events import Tool


def only(*allowed: object, because: str) -> AfterValidator:
    """Marks an option of the protocol of which the agent knows these values alone."""

    def check(value: Any) -> Any:
        if value not in allowed:
            raise PydanticCustomError("unsupported", "is not supported: {why}", {"why": because})
        return value

    return AfterValidator(check)


class Part(BaseModel):
    """A part of a message: unknown keys and loosely typed values are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Pcm(Part):
    """16-bit little-endian mono PCM at 24 kHz."""

    type: Literal["audio/pcm"] = "audio/pcm"
    rate: Literal[24000] = 24000


class Pcmu(Part):
    """G.711 µ-law at 8 kHz."""

    type: Literal["audio/pcmu"]


class Pcma(Part):
    """G.711 A-law at 8 kHz."""

    type: Literal["audio/pcma"]


AudioFormat = Annotated[Pcm | Pcmu | Pcma, Field(discriminator="type")]


class ServerVad(Part):
    """Turns end after silence; without ``silence_duration_ms`` the agent chooses the wait."""

    type: Literal["server_vad"]
    threshold: Annotated[float, Field(gt=0, lt=1)] | None = None
    prefix_padding_ms: Annotated[int, Field(ge=0, le=2000)] | None = None
    silence_duration_ms: Annotated[int, Field(ge=200, le=5000)] | None = None
    create_response: bool = True
    interrupt_response: bool = True
    idle_timeout_ms: Annotated[
        int | None, only(None, because="the agent does not speak unasked")
    ] = None


class SemanticVad(Part):
    """Turns end when the person seems to have finished."""

    type: Literal["semantic_vad"]
    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: bool = True
    interrupt_response: bool = True


TurnDetection = Annotated[ServerVad | SemanticVad, Field(discriminator="type")]

_RECOGNIZER = "the agent's configuration sets up its recognizer"


class Transcription(Part):
    """Whether transcripts are told; the model named is not used, the agent has its own."""

    model: str | None = None
    language: Annotated[str | None, only(None, "en", because=_RECOGNIZER)] = None
    languages: Annotated[list[str] | None, only(None, [], ["en"], because=_RECOGNIZER)] = None
    prompt: Annotated[str | None, only(None, "", because=_RECOGNIZER)] = None
    keywords: Annotated[list[str] | None, only(None, [], because=_RECOGNIZER)] = None
    delay: Annotated[str | None, only(None, because=_RECOGNIZER)] = None


class AudioInput(Part):
    """How the person is heard."""

    format: AudioFormat | None = None
    turn_detection: TurnDetection | None = None
    transcription: Transcription | None = None
    noise_reduction: Annotated[
        dict[str, Any] | None, only(None, because="reduce noise before sending")
    ] = None


class VoiceId(Part):
    """A voice by its id."""

    id: str


class AudioOutput(Part):
    """How the agent is heard; the voice named is not used, the agent has its own."""

    format: AudioFormat | None = None
    voice: str | VoiceId | None = None
    speed: Annotated[
        float | None, only(None, 1.0, because="the tone of each reply sets its pace")
    ] = None


class Audio(Part):
    """Both directions of sound."""

    input: AudioInput | None = None
    output: AudioOutput | None = None


class FunctionTool(Part):
    """A function of the client's that the model may call."""

    type: Annotated[str, only("function", because="give functions; the client calls them")]
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
    description: Annotated[str, Field(max_length=10_000)] | None = None
    parameters: dict[str, Any] | None = None

    def tool(self) -> Tool:
        """It as the model knows it."""
        return Tool(self.name, self.description or "", self.parameters or NO_PARAMETERS)


NO_PARAMETERS: Mapping[str, Any] = {"type": "object", "properties": {}}
"""JSON schema of a tool that takes no arguments."""


class ChosenFunction(Part):
    """A function that is to be called."""

    type: Annotated[str, only("function", because="there are functions alone")]
    name: str


def _distinct(tools: list[FunctionTool]) -> list[FunctionTool]:
    names = [tool.name for tool in tools]
    for name in names:
        if name in get_args(ToolMode):
            raise PydanticCustomError("name", "a tool cannot be named {name}", {"name": name})
        if names.count(name) > 1:
            raise PydanticCustomError("name", "two tools are named {name}", {"name": name})
    return tools


ToolMode = Literal["auto", "none", "required"]
Tools = Annotated[list[FunctionTool], Field(max_length=128), AfterValidator(_distinct)]
ToolChoice = Annotated[
    Annotated[ToolMode, Tag("tool_mode")] | Annotated[ChosenFunction, Tag("chosen_function")],
    Discriminator(lambda given: "tool_mode" if isinstance(given, str) else "chosen_function"),
]
Parallel = Annotated[
    bool | None, only(None, True, because="the model decides how many tools a reply calls")
]
Modalities = Annotated[list[Literal["audio", "text"]], Field(min_length=1, max_length=1)]
NoPrompt = Annotated[dict[str, Any] | None, only(None, because="send instructions instead")]
NoReasoning = Annotated[
    dict[str, Any] | None, only(None, because="the agent's configuration sets up its model")
]
NoTokenLimit = Annotated[
    int | str | None, only(None, "inf", because="a reply is as long as it needs to be")
]
Instructions = Annotated[str, Field(max_length=100_000)]


class SessionUpdate(Part):
    """What a client may ask of the session; what it leaves out stays as it is."""

    type: Literal["realtime"]
    model: str | None = None
    instructions: Instructions | None = None
    output_modalities: Modalities | None = None
    audio: Audio | None = None
    tools: Tools | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: Parallel = None
    prompt: NoPrompt = None
    reasoning: NoReasoning = None
    max_output_tokens: NoTokenLimit = None
    include: Annotated[
        list[str] | None, only(None, [], because="there are no log probabilities")
    ] = None
    tracing: Annotated[
        str | dict[str, Any] | None, only(None, because="nothing is sent to others")
    ] = None
    truncation: Annotated[
        str | dict[str, Any] | None, only(None, "auto", because="the agent forgets oldest first")
    ] = None


class ResponseAudioOutput(Part):
    """How one reply is heard."""

    format: AudioFormat | None = None
    voice: str | VoiceId | None = None


class ResponseAudio(Part):
    """How one reply is heard."""

    output: ResponseAudioOutput | None = None


class ResponseParams(Part):
    """What a client may ask of one reply."""

    instructions: Instructions | None = None
    output_modalities: Modalities | None = None
    audio: ResponseAudio | None = None
    metadata: (
        Annotated[
            dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]],
            Field(max_length=16),
        ]
        | None
    ) = None
    conversation: Annotated[
        str | None, only(None, "auto", because="replies belong to the conversation")
    ] = None
    input: Annotated[list[Any] | None, only(None, because="replies answer the conversation")] = None
    tools: Tools | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: Parallel = None
    prompt: NoPrompt = None
    reasoning: NoReasoning = None
    max_output_tokens: NoTokenLimit = None
