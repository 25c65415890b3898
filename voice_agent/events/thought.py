"""What is thought, and what it is thought about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from voice_agent.events.heard import Paralinguistics


class Strategy(StrEnum):
    """What an answer does for the person: ESConv's strategies without self-disclosure.

    A machine has no life of its own to tell of.
    """

    QUESTION = "Question"
    RESTATEMENT = "Restatement or Paraphrasing"
    REFLECTION = "Reflection of feelings"
    AFFIRMATION = "Affirmation and Reassurance"
    SUGGESTION = "Providing Suggestions"
    INFORMATION = "Information"
    OTHERS = "Others"


class ServiceStrategy(StrEnum):
    """What an answer does for a customer (Customer Support Conversation, CSC)."""

    GREETING = "Greeting"
    IDENTITY = "Identity Verification"
    EMOTION = "Emotional Management"
    RESTATEMENT = "Restatement or Paraphrasing"
    REFINEMENT = "Problem Refinement"
    SUGGESTION = "Providing Suggestions"
    INFORMATION = "Information Delivery"
    IMPLEMENTATION = "Resolution Implementation"
    FEEDBACK = "Feedback Request"
    CLOSURE = "Appreciation and Closure"
    CONTINUATION = "Relationship Continuation"
    OTHERS = "Others"


@dataclass(frozen=True, slots=True)
class UserTurn:
    """One turn of the person: what was said and how.

    Attributes:
        text: The words.
        how: How they were spoken; None for typed words.
        confidence: The recognizer's confidence in the words in [0, 1]; None where unknown.
    """

    text: str
    how: Paralinguistics | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Thought:
    """The two thoughts about a turn and what they lead to.

    Attributes:
        linguistic: What was said and what it means for the person.
        paralinguistic: How it was said and what that tells.
        strategy: The kind of answer chosen (ESConv's strategies).
        reply_emotion: One of ``REPLY_EMOTIONS``.
        style: A short caption of how to speak, for voices that can follow one.
        words_emotion: The emotion that the words alone tell of, one of ``EMOTIONS``; empty where
            they tell of none for sure.
        voice_emotion: The emotion that the voice alone shows, in the same way.
        disagreement: How far the two contradict one another, in [0, 1]; None where one is unknown.
        stimulus: What brought the feeling about, in the person's own words.
        appraisal: How the person sees it.
        need: What they seem to need from the answer.
        conflict: How words and voice contradict one another; empty where they agree.
        stage: How far the conversation has come (``thinking.strategy.Stage``).
        reason: Why this strategy.
    """

    linguistic: str = ""
    paralinguistic: str = ""
    strategy: str = ""
    reply_emotion: str = "neutral"
    style: str = ""
    words_emotion: str = ""
    voice_emotion: str = ""
    disagreement: float | None = None
    stimulus: str = ""
    appraisal: str = ""
    need: str = ""
    conflict: str = ""
    stage: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function of the client's that the model may call.

    Attributes:
        name: Its name.
        description: What it does and when to call it.
        parameters: JSON schema of its arguments.
    """

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for a tool; ``arguments`` is JSON as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A call and what came back; ``output`` is None for as long as nothing has."""

    call: ToolCall
    output: str | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A past turn and what the person really heard of the answer; ``tools``, what it called."""

    user: UserTurn | None
    reply: str
    thought: Thought | None = None
    interrupted: bool = False
    tools: tuple[ToolUse, ...] = ()


@dataclass(frozen=True, slots=True)
class Memory:
    """Something known of the person.

    Attributes:
        kind: What it is: a fact, a person in their life, a mood they were in, or what helped.
        text: It as a clause that fits after "you told me that": ``"your sister is called Anna"``.
        about: What it is about, in a word or two of plain lower case: ``"sister"``, ``"job"``.
        at: When it was told, seconds since the epoch.
        valence, arousal: Of the person when they told it, in [-1, 1]; 0 where unknown.
        earlier: It was told in an earlier conversation.
    """

    kind: Literal["fact", "person", "mood", "helped"]
    text: str
    about: str = ""
    at: float = 0.0
    valence: float = 0.0
    arousal: float = 0.0
    earlier: bool = False


@dataclass(frozen=True, slots=True)
class Conduct:
    """How the agent is to behave, by its configuration.

    Attributes:
        name: What it calls itself; empty for no name.
        think: Form of the thoughts: OSUM-EChat's tags, its natural language, or none.
        language: Language of the answers (BCP 47), for models that speak more than one.
        reply_words: The longest answer, in words.
        initiative: Share of its answers with which it leads on by a question or an idea, in [0, 1].
        strategies: Strategies it may use; empty for all.
        reflect_emotions: Whether it may speak of what the person seems to feel, and use the voice
            as a sign of it.
        mode: Company for a person, or the customer support of an organisation.
    """

    name: str = ""
    think: Literal["tags", "natural", "none"] = "tags"
    language: str = "en"
    reply_words: int = 40
    initiative: float = 0.5
    strategies: tuple[str, ...] = ()
    reflect_emotions: bool = True
    mode: Literal["companion", "customer_support"] = "companion"


@dataclass(frozen=True, slots=True)
class Draft:
    """A thought made while the person was still speaking, and the words it was made for."""

    thought: Thought
    words: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """Everything a language model may build a reply on.

    Attributes:
        turn: What is to be answered; without words where the agent goes on by itself.
        history: What went before, oldest first, as it was heard.
        instructions: Who the agent is and how it should answer.
        seed: Makes an engine that chooses among answers repeatable within a session.
        conduct: How to behave.
        memories: What is known of the person that bears on this turn, the most fitting first.
        draft: What was thought while they spoke: only what it gets wrong by now is thought again.
        aim: ``"thought"`` asks for the thought alone: the person is still speaking, and ``turn``
            is what they have said so far.
        session: Which conversation it is, for engines that keep its prefix ready.
        tools: What may be called.
        tool_choice: ``"auto"``, ``"none"``, ``"required"``, or the name of the tool to call.
    """

    turn: UserTurn
    history: tuple[Exchange, ...] = ()
    instructions: str = ""
    seed: int = 0
    conduct: Conduct = field(default_factory=Conduct)
    memories: tuple[Memory, ...] = ()
    draft: Draft | None = None
    aim: Literal["reply", "thought"] = "reply"
    session: str = ""
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
