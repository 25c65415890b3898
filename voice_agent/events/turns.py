"""What a turn leaves behind, and what goes on behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from voice_agent.events.thought import Thought, ToolUse, UserTurn


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from the end of the person's last speech to each step; None where it had none.

    Work that speculation finished before the turn was known to be over counts with the moment
    at which the turn was known to be over.

    Attributes:
        endpoint: The agent decided that the turn is over.
        asr_final: The final hypothesis was there.
        first_token: The first word of the reply was there.
        first_audio: The first audio of the reply was there.
        voice_to_voice: The first audio of the reply went out to be heard.
    """

    endpoint: float | None = None
    asr_final: float | None = None
    first_token: float | None = None
    first_audio: float | None = None
    voice_to_voice: float | None = None


class ReplyStatus(StrEnum):
    """How a reply ended, or that it has not (yet)."""

    UNFINISHED = "unfinished"
    COMPLETED = "completed"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """A finished turn: what was heard, thought, said and called, and what was heard of it."""

    turn: int
    user: UserTurn
    thought: Thought
    reply: str
    heard: str
    status: ReplyStatus
    latency: Latency
    engines: Mapping[str, str]
    tools: tuple[ToolUse, ...] = ()


@dataclass(frozen=True, slots=True)
class EngineSwitched:
    """An engine failed, and another one took over in the midst of what it did.

    Attributes:
        kind: What they are (``engines.EngineKind``).
        failed, instead: Their names.
        reason: What went wrong.
    """

    kind: str
    failed: str
    instead: str
    reason: str
