"""What passes between the parts of the agent.

Plain, immutable data: what was heard (words and manner), what was thought, and what is said. Times
are seconds of received audio since the session began, unless a name says otherwise; emotions and
other labels follow OSUM-EChat.
"""

from voice_agent.events.heard import (
    Estimate,
    Hypothesis,
    Manner,
    Paralinguistics,
    Pause,
    VocalEvent,
    Word,
)
from voice_agent.events.labels import EMOTIONS, PHONATIONS, REPLY_EMOTIONS, VOCAL_EVENTS
from voice_agent.events.said import Phrase, Speech, SpokenWord, Tone
from voice_agent.events.thought import (
    Conduct,
    Draft,
    Exchange,
    Memory,
    Prompt,
    ServiceStrategy,
    Strategy,
    Thought,
    Tool,
    ToolCall,
    ToolUse,
    UserTurn,
)
from voice_agent.events.turns import EngineSwitched, Latency, ReplyStatus, TurnRecord

__all__ = [
    "EMOTIONS",
    "PHONATIONS",
    "REPLY_EMOTIONS",
    "VOCAL_EVENTS",
    "Conduct",
    "Draft",
    "EngineSwitched",
    "Estimate",
    "Exchange",
    "Hypothesis",
    "Latency",
    "Manner",
    "Memory",
    "Paralinguistics",
    "Pause",
    "Phrase",
    "Prompt",
    "ReplyStatus",
    "ServiceStrategy",
    "Speech",
    "SpokenWord",
    "Strategy",
    "Thought",
    "Tone",
    "Tool",
    "ToolCall",
    "ToolUse",
    "TurnRecord",
    "UserTurn",
    "VocalEvent",
    "Word",
]
