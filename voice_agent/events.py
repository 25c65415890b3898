"""What passes between the parts of the agent.

Plain, immutable data: what was heard (words and manner), what was thought, and what is said. Times
are seconds of received audio since the session began, unless a name says otherwise; emotions and
other labels follow OSUM-EChat.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from voice_agent.audio.pcm import Samples

EMOTIONS = ("sad", "anger", "neutral", "happy", "surprise", "fear", "disgust", "other")
"""Emotions heard in a voice."""

REPLY_EMOTIONS = (
    "joyful",
    "sorry",
    "happy",
    "angry",
    "surprised",
    "disgusted",
    "sad",
    "afraid",
    "tearful",
    "comfort",
    "neutral",
)
"""Emotions the agent speaks with; OSUM-EChat's "comfort/encourage" is ``comfort`` here."""

PHONATIONS = ("whisper", "normal", "shout")
"""How the voice is produced."""

VOCAL_EVENTS = (
    "laugh",
    "cough",
    "cry",
    "scream",
    "sigh",
    "throat clearing",
    "sneeze",
    "snore",
    "other",
)
"""Sounds of the voice that are no words; ``sigh`` is any breath that can be heard."""


# --- what was heard -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word with its times in seconds and a confidence in [0, 1] where known."""

    text: str
    start: float
    end: float
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What the person seems to have said so far in this turn.

    Attributes:
        text: The whole hypothesis.
        stable: The leading part of ``text`` that will not change any more.
        final: Whether the recognizer has finished its work on the turn.
        words: Words with times, where the recognizer gives them.
        confidence: Mean confidence in [0, 1], or None where unknown.
    """

    text: str
    stable: str = ""
    final: bool = False
    words: tuple[Word, ...] = ()
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured value with a confidence in [0, 1]."""

    value: float
    confidence: float


@dataclass(frozen=True, slots=True)
class VocalEvent:
    """A sound that is no word (one of ``VOCAL_EVENTS``), with its times and a confidence."""

    label: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Manner:
    """How the words were spoken, as measured. None where there was too little speech to tell.

    Attributes:
        speech_s: Seconds of speech measured.
        pitch_hz: Median pitch of the voiced frames.
        pitch_low_hz, pitch_high_hz: 10th and 90th percentile of pitch.
        pitch_range_st: The distance between those two, in semitones.
        pitch_shift_st: Median pitch against the speaker's own baseline, in semitones.
        level_db: Level of the speech frames in dB relative to full scale.
        level_shift_db: Level against the speaker's own baseline, in dB.
        syllable_rate: Syllables a second of speech.
        rate_shift: Syllable rate divided by the speaker's own baseline.
        pause_share: Share of the time between first and last speech that was silent.
        voiced_share: Share of the speech frames that are voiced.
        phonation: Posterior over ``PHONATIONS``; empty where unknown.
        confidence: How far each of the values above can be trusted, in [0, 1], by its name; a
            value that is None has no entry.
    """

    speech_s: float = 0.0
    pitch_hz: float | None = None
    pitch_low_hz: float | None = None
    pitch_high_hz: float | None = None
    pitch_range_st: float | None = None
    pitch_shift_st: float | None = None
    level_db: float | None = None
    level_shift_db: float | None = None
    syllable_rate: float | None = None
    rate_shift: float | None = None
    pause_share: float | None = None
    voiced_share: float | None = None
    phonation: Mapping[str, float] = field(default_factory=dict)
    confidence: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Paralinguistics:
    """How something was said.

    Attributes:
        manner: Measurements.
        emotion: Posterior over ``EMOTIONS``; empty where unknown. What to believe: from the second
            turn on it weighs in what was heard before.
        evidence: What this speech alone says of the emotion, where ``emotion`` weighs in more.
        calm: Part of ``emotion["neutral"]`` that sounds at ease rather than just even, in [0, 1].
        valence, arousal, dominance: In [-1, 1]; None where unknown.
        gender, age: Posteriors over female/male and child/adult/old; empty where unknown.
        events: Sounds that are no words.
        uncertain: True where the posteriors are too weak to build on.
    """

    manner: Manner = field(default_factory=Manner)
    emotion: Mapping[str, float] = field(default_factory=dict)
    evidence: Mapping[str, float] = field(default_factory=dict)
    calm: float = 0.0
    valence: Estimate | None = None
    arousal: Estimate | None = None
    dominance: Estimate | None = None
    gender: Mapping[str, float] = field(default_factory=dict)
    age: Mapping[str, float] = field(default_factory=dict)
    events: tuple[VocalEvent, ...] = ()
    uncertain: bool = True


@dataclass(frozen=True, slots=True)
class Pause:
    """A silence inside or after a user's turn, described to a turn detector.

    Attributes:
        silence_s: How long the silence has lasted.
        speech_s: Speech in this turn before it.
        longest_pause_s: The longest silence in this turn after which the person went on; 0 if none.
        text: The words of the turn so far.
        pitch_slope_st: Pitch movement over the last voiced half second, semitones a second.
        pitch_end_st: Pitch of the last voiced frames against the turn's median, in semitones.
        level_slope_db: Level movement over the last half second of speech, dB a second.
        level_end_db: Level of the last 200 ms of speech against the turn's speech level, in dB.
        last_syllable_s: Length of the last voiced stretch (final lengthening).
        audio: The last seconds of the turn, 16 kHz mono float32, at most 8 s.
    """

    silence_s: float
    speech_s: float
    longest_pause_s: float
    text: str
    pitch_slope_st: float
    pitch_end_st: float
    level_slope_db: float
    level_end_db: float
    last_syllable_s: float
    audio: Samples


# --- what is thought ------------------------------------------------------------------------


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


# --- what is said ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tone:
    """A tone of voice, relative to the voice's neutral one.

    Attributes:
        emotion: The reply emotion it expresses.
        rate: Speaking rate, 1 is neutral.
        pitch_st: Shift of the mean pitch in semitones.
        range: Pitch range, 1 is neutral, 0 monotone.
        volume_db: Loudness in dB.
        pause: Length of the pauses between phrases, 1 is neutral.
        style: Free caption for voices that can follow one.
    """

    emotion: str = "neutral"
    rate: float = 1.0
    pitch_st: float = 0.0
    range: float = 1.0
    volume_db: float = 0.0
    pause: float = 1.0
    style: str = ""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A piece of the reply that is spoken in one go."""

    text: str
    tone: Tone = field(default_factory=Tone)


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word of a phrase and where it lies in the audio it came with (sample offsets).

    It begins in that audio; it may end in a later piece, beyond it.
    """

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Speech:
    """Audio of (a part of) a phrase: mono float32 with the words that it carries.

    Every character of the phrase is in exactly one word, white space included at the word's end,
    so that the words of all pieces joined give the phrase. ``voice`` tells apart voices that take
    turns; an engine leaves it empty.
    """

    samples: Samples
    rate: int
    words: tuple[SpokenWord, ...] = ()
    voice: str = ""


# --- what a turn leaves behind --------------------------------------------------------------


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


# --- what goes on behind it -----------------------------------------------------------------


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
