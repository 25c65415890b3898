"""The session object of the protocol: what is in force, and what it means for the dialogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from voice_agent.dialogue.turn import TurnTaking
from voice_agent.settings import Endpointing, Vad
from voice_agent.transports.realtime.options import (
    AudioFormat,
    FunctionTool,
    Pcm,
    SemanticVad,
    ServerVad,
    SessionUpdate,
    ToolChoice,
)
from voice_agent.transports.realtime.protocol import RequestError

Modality = Literal["audio", "text"]

_EAGERNESS = {"low": 0.15, "medium": 0.5, "high": 0.85}
_PATIENCE = {"low": 2.0, "medium": 1.0, "high": 0.7}
"""What the longest wait for the end of a turn is multiplied with."""

_PCM = Pcm()
_ADAPTIVE = SemanticVad(type="semantic_vad")


@dataclass(frozen=True)
class Settings:
    """What a client may change.

    Attributes:
        modality: Whether replies are spoken or text only.
        instructions: How the agent should answer, instead of the configured ones; empty for those.
        input_format: How the client's audio is coded.
        output_format: How the agent's audio is coded.
        turn_detection: Who ends a turn; None: the client, by committing it.
        transcribed: Whether the client is told what was recognised.
        tools: What the model may call.
        tool_choice: Whether it may, or must.
    """

    modality: Modality = "audio"
    instructions: str = ""
    input_format: AudioFormat = _PCM
    output_format: AudioFormat = _PCM
    turn_detection: ServerVad | SemanticVad | None = _ADAPTIVE
    transcribed: bool = True
    tools: tuple[FunctionTool, ...] = ()
    tool_choice: ToolChoice = "auto"

    def updated(self, update: SessionUpdate) -> "Settings":
        """These settings with what a client asks for; what it left out stays.

        Raises:
            RequestError: The tool to be called is none of the tools.
        """
        changes: dict[str, Any] = {}
        if update.instructions is not None:
            changes["instructions"] = update.instructions
        if update.output_modalities is not None:
            changes["modality"] = update.output_modalities[0]
        heard = update.audio.input if update.audio else None
        if heard is not None:
            if heard.format is not None:
                changes["input_format"] = heard.format
            if "turn_detection" in heard.model_fields_set:
                changes["turn_detection"] = heard.turn_detection
            if "transcription" in heard.model_fields_set:
                changes["transcribed"] = heard.transcription is not None
        spoken = update.audio.output if update.audio else None
        if spoken is not None and spoken.format is not None:
            changes["output_format"] = spoken.format
        if update.tools is not None:
            changes["tools"] = tuple(update.tools)
        if update.tool_choice is not None:
            changes["tool_choice"] = update.tool_choice
        settings = replace(self, **changes)
        check_choice(settings.tools, settings.tool_choice, "session.tool_choice")
        return settings

    def turn_taking(self) -> TurnTaking:
        """Who decides when it is whose turn."""
        detection = self.turn_detection
        aloud = self.modality == "audio"
        if detection is None:
            return TurnTaking(False, False, False, aloud)
        return TurnTaking(True, detection.create_response, detection.interrupt_response, aloud)

    def endpointing(self, configured: Endpointing) -> Endpointing:
        """How long to wait for the end of a turn.

        A client that names a silence gets exactly that one; else the wait adapts.
        """
        detection = self.turn_detection
        if isinstance(detection, ServerVad) and detection.silence_duration_ms is not None:
            wait = detection.silence_duration_ms
            return configured.model_copy(
                update={
                    "min_wait_ms": wait,
                    "max_wait_ms": wait,
                    "likely_ms": min(configured.likely_ms, wait),
                }
            )
        if isinstance(detection, SemanticVad) and detection.eagerness != "auto":
            longest = round(configured.max_wait_ms * _PATIENCE[detection.eagerness])
            return configured.model_copy(
                update={
                    "eagerness": _EAGERNESS[detection.eagerness],
                    "max_wait_ms": max(longest, configured.min_wait_ms),
                }
            )
        return configured

    def vad(self, configured: Vad) -> Vad:
        """What counts as speech."""
        detection = self.turn_detection
        if not isinstance(detection, ServerVad):
            return configured
        asked = {"threshold": detection.threshold, "preroll_ms": detection.prefix_padding_ms}
        return configured.model_copy(
            update={key: value for key, value in asked.items() if value is not None}
        )

    def describe(
        self, session: str, expires_at: int, engines: Mapping[str, str]
    ) -> dict[str, object]:
        """The session object as the client sees it; names what really runs."""
        return {
            "type": "realtime",
            "object": "realtime.session",
            "id": session,
            "model": engines.get("language_model"),
            "expires_at": expires_at,
            "output_modalities": [self.modality],
            "instructions": self.instructions,
            "audio": {
                "input": {
                    "format": self.input_format.model_dump(),
                    "transcription": (
                        {"model": engines.get("recognizer")} if self.transcribed else None
                    ),
                    "noise_reduction": None,
                    "turn_detection": (
                        self.turn_detection.model_dump(exclude_none=True)
                        if self.turn_detection
                        else None
                    ),
                },
                "output": {
                    "format": self.output_format.model_dump(),
                    "voice": engines.get("synthesizer"),
                    "speed": 1.0,
                },
            },
            "tools": [tool.model_dump(exclude_none=True) for tool in self.tools],
            "tool_choice": (
                self.tool_choice
                if isinstance(self.tool_choice, str)
                else self.tool_choice.model_dump()
            ),
            "max_output_tokens": "inf",
            "truncation": "auto",
            "tracing": None,
            "prompt": None,
            "include": None,
        }


def check_choice(tools: Sequence[FunctionTool], choice: ToolChoice, param: str) -> str:
    """The choice as ``events.Prompt`` has it.

    Raises:
        RequestError: A tool must be called that there is not.
    """
    if isinstance(choice, str):
        if choice == "required" and not tools:
            raise RequestError("invalid_value", f"{param}: there are no tools to call", param)
        return choice
    if choice.name not in [tool.name for tool in tools]:
        raise RequestError("invalid_value", f"{param}: there is no tool {choice.name!r}", param)
    return choice.name
