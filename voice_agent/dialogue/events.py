"""What a session tells its transport, in order.

Plain, immutable data; times are seconds of received audio since the session began.
"""

from dataclasses import dataclass

from voice_agent.events import (
    EngineSwitched,
    Hypothesis,
    Paralinguistics,
    ReplyStatus,
    Speech,
    Thought,
    ToolCall,
    TurnRecord,
    UserTurn,
)


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The person began to speak and is not just making a sound; ``at`` is the start of it."""

    item: str
    at: float


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The person's turn is over; ``at`` is where the last speech ended."""

    item: str
    at: float


@dataclass(frozen=True, slots=True)
class SpeechIgnored:
    """What began as speech was noise, a cough or a backchannel; no turn comes of ``item``."""

    item: str


@dataclass(frozen=True, slots=True)
class Caption:
    """The hypothesis for the running turn grew."""

    item: str
    hypothesis: Hypothesis


@dataclass(frozen=True, slots=True)
class HeardHow:
    """A reading of the running turn, or the final one of ``item``."""

    item: str
    how: Paralinguistics
    final: bool


@dataclass(frozen=True, slots=True)
class Considering:
    """What is thought of the running turn so far. For eyes and logs, never for the ear."""

    item: str
    thought: Thought


@dataclass(frozen=True, slots=True)
class Disclosed:
    """What a person has to be told of the agent, now: at the start and at least every 3 hours."""

    text: str


@dataclass(frozen=True, slots=True)
class UserItem:
    """A finished user turn entered the conversation."""

    item: str
    turn: UserTurn


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """The agent begins to answer ``to`` (None if nothing was said before)."""

    reply: str
    item: str
    to: str | None


@dataclass(frozen=True, slots=True)
class Thinking:
    """The thoughts behind a reply. For eyes and logs, never for the ear."""

    reply: str
    thought: Thought


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The reply calls a tool of the client's; it ends, and goes on once the result is there."""

    reply: str
    item: str
    call: ToolCall


@dataclass(frozen=True, slots=True)
class ReplyText:
    """More words of the reply."""

    reply: str
    item: str
    delta: str


@dataclass(frozen=True, slots=True)
class ReplyAudio:
    """Audio of the reply to be played now, at ``SPEAKING_RATE``."""

    reply: str
    item: str
    speech: Speech


@dataclass(frozen=True, slots=True)
class PlaybackPaused:
    """Somebody may be interrupting: hold what is buffered; ``heard_ms`` of the reply was played."""

    reply: str
    item: str
    heard_ms: int


@dataclass(frozen=True, slots=True)
class PlaybackResumed:
    """It was no interruption: go on playing."""

    reply: str
    item: str


@dataclass(frozen=True, slots=True)
class ReplySpoken:
    """All audio of the reply has been sent."""

    reply: str
    item: str
    text: str


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """The reply is over, played or cut: ``heard`` is what the person heard of it."""

    reply: str
    item: str
    status: ReplyStatus
    text: str
    heard: str
    heard_ms: int


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """A turn is complete and stored."""

    record: TurnRecord


@dataclass(frozen=True, slots=True)
class SessionFailed:
    """Something went wrong; the session goes on unless ``fatal``."""

    code: str
    message: str
    fatal: bool = False


SessionEvent = (
    SpeechStarted
    | SpeechStopped
    | SpeechIgnored
    | Caption
    | HeardHow
    | Considering
    | Disclosed
    | UserItem
    | ReplyStarted
    | Thinking
    | ToolCalled
    | ReplyText
    | ReplyAudio
    | PlaybackPaused
    | PlaybackResumed
    | ReplySpoken
    | ReplyEnded
    | TurnEnded
    | EngineSwitched
    | SessionFailed
)
