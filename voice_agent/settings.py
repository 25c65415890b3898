"""The settings: what they mean, and what is allowed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, model_validator
from pydantic_core import PydanticCustomError

from voice_agent.engines import EngineKind
from voice_agent.events import Conduct, ServiceStrategy, Strategy


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EngineChoice(BaseModel):
    """An engine by name; all other keys are the engine's own options."""

    model_config = ConfigDict(extra="allow", frozen=True)

    engine: str = Field(description="Name of the engine")
    otherwise: tuple["EngineChoice", ...] = Field(
        (), description="Engines to start with instead, in this order, where it cannot run"
    )
    why: str = Field("", description="Why it was taken; the profile `auto` says it here")

    @property
    def options(self) -> Mapping[str, Any]:
        """The options given beside the name."""
        return self.model_extra or {}

    @property
    def label(self) -> str:
        """Its name with those of its models, for people: ``faster_whisper (small.en)``."""
        models = self.options.get("models") or [self.options]
        names = [str(each["model"]) for each in models if "model" in each]
        if len(names) > 2:
            return f"{self.engine} ({len(names)} models)"
        short = ", ".join(name.rstrip("/").rpartition("/")[2] for name in names)
        return f"{self.engine} ({short})" if short else self.engine


class Vad(Section):
    """Voice activity detection (Silero)."""

    threshold: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.5, description="Probability from which a 32 ms frame counts as speech"
    )
    onset_ms: Annotated[int, Field(ge=32, le=500)] = Field(
        64, description="Speech needed before a turn begins"
    )
    preroll_ms: Annotated[int, Field(ge=0, le=2000)] = Field(
        400, description="Audio before the onset that still belongs to the turn"
    )


class Endpointing(Section):
    """When a silence is the end of a turn: the wait shrinks with the turn detector's certainty."""

    likely_ms: Annotated[int, Field(ge=64, le=2000)] = Field(
        128, description="Silence after which the answer is prepared, in case the turn is over"
    )
    min_wait_ms: Annotated[int, Field(ge=100, le=5000)] = Field(
        200, description="Shortest silence that can end a turn"
    )
    max_wait_ms: Annotated[int, Field(ge=200, le=10000)] = Field(
        960,
        description="Silence that always ends a turn; the same as min_wait_ms for a fixed wait",
    )
    eagerness: Annotated[float, Field(ge=0, le=1)] = Field(
        0.5, description="0 waits longest, 1 answers soonest"
    )


class Hearing(Section):
    """What hears."""

    recognizer: EngineChoice = Field(
        EngineChoice(engine="pocketsphinx"), description="Engine that hears what is said"
    )
    fallback: tuple[EngineChoice, ...] = Field(
        (),
        description="Engines that hear what is said, in this order, where the one before fails",
    )
    paralinguistics: EngineChoice = Field(
        EngineChoice(engine="embedded"),
        description="Engine that hears how it is said; where it fails the embedded one takes over, "
        "and at last the voice is measured alone",
    )
    turn_detector: EngineChoice = Field(
        EngineChoice(engine="embedded"), description="Engine that tells a pause from an end"
    )
    vad: Vad = Vad()
    endpointing: Endpointing = Endpointing()


class Thinking(Section):
    """What thinks."""

    language_model: EngineChoice = Field(
        EngineChoice(engine="embedded"), description="Engine that thinks and answers"
    )
    fallback: tuple[EngineChoice, ...] = Field(
        (),
        description="Engines that answer, in this order, where the one before fails; the embedded "
        "one always stands last",
    )
    instructions: str = Field("", description="Who the agent is and how it should answer")
    name: Annotated[str, Field(max_length=40)] = Field(
        "", description="What the agent calls itself; empty for no name"
    )
    think: Literal["tags", "natural", "none"] = Field(
        "tags",
        description="Form of the thoughts: OSUM-EChat's tags, its natural language, or none at all",
    )
    while_listening: bool = Field(
        True, description="Think while the person is still speaking, so that thoughts cost no time"
    )
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]+)*$")] = Field(
        "en", description="Language of the answers; the embedded engine knows English alone"
    )
    reply_words: Annotated[int, Field(ge=8, le=200)] = Field(
        40, description="Length of an answer, in words"
    )
    initiative: Annotated[float, Field(ge=0, le=1)] = Field(
        0.5, description="Share of the answers that lead on with a question or an idea"
    )
    strategies: tuple[str, ...] = Field(
        (), description="Strategies of support that may be used, by name; empty for all"
    )
    reflect_emotions: bool = Field(
        True,
        description="Speak of what the person seems to feel and use the voice as a sign of it; "
        "off where emotion recognition is not allowed: voices are then not read for it at all",
    )
    mode: Literal["companion", "customer_support"] = Field(
        "companion", description="Company for a person, or the support of an organisation"
    )

    @model_validator(mode="after")
    def _known_strategies(self) -> Self:
        known = tuple(Strategy if self.mode == "companion" else ServiceStrategy)
        if unknown := [name for name in self.strategies if name not in known]:
            raise PydanticCustomError(
                "strategies",
                "strategies: there is no {unknown}; allowed are: {known}",
                {"unknown": ", ".join(unknown), "known": ", ".join(known)},
            )
        return self

    @property
    def conduct(self) -> Conduct:
        """How the agent is to behave."""
        return Conduct(
            self.name,
            self.think,
            self.language,
            self.reply_words,
            self.initiative,
            self.strategies,
            self.reflect_emotions,
            self.mode,
        )


class Memory(Section):
    """What is remembered of people who say who they are, from one conversation to the next."""

    enabled: bool = Field(True, description="Remember named people; others are always forgotten")
    recalled: Annotated[int, Field(ge=1, le=20)] = Field(
        4, description="Memories that a turn brings back at most"
    )
    emotion_weight: Annotated[float, Field(ge=0, le=1)] = Field(
        0.3, description="How much the mood counts beside the words when memories are recalled"
    )
    embedding: str | None = Field(
        None,
        description="Sentence-embedding model (folder or hub name) to recall by; null recalls by "
        "words alone",
    )


class Speaking(Section):
    """What speaks."""

    synthesizer: EngineChoice = Field(
        EngineChoice(engine="espeak"), description="Engine that speaks"
    )
    fallback: tuple[EngineChoice, ...] = Field(
        (), description="Engines that speak, in this order, where the one before fails"
    )
    level_db: Annotated[float, Field(ge=-60, le=-6)] = Field(
        -22.0, description="Level of the voice in dB relative to full scale"
    )
    lead_ms: Annotated[int, Field(ge=40, le=5000)] = Field(
        400, description="How far ahead of playback audio is sent"
    )


class Contact(Section):
    """Somebody to turn to, named before the crisis line."""

    name: Annotated[str, Field(min_length=1, max_length=80)] = Field(
        description="Who answers: `the counselling service`"
    )
    number: Annotated[str, Field(min_length=2, max_length=40)] = Field(
        description="Telephone number, as it is said"
    )
    hours: Annotated[str, Field(max_length=60)] = Field(
        "", description="When they answer: `from nine to five`; empty for always"
    )

    @property
    def words(self) -> str:
        """How it is named: fits after "you can"."""
        return f"call {self.name} on {self.number}{f' {self.hours}' if self.hours else ''}"


class HandoffWebhook(Section):
    """People of an organisation who are told, by webhook, when a conversation becomes dangerous."""

    url: HttpUrl | None = Field(
        None, description="Where to POST a JSON object to; null tells nobody"
    )
    level: Literal["watch", "concern", "high", "acute"] = Field(
        "high", description="Danger from which on they are told, once for each rise"
    )
    token_env: str | None = Field(
        None, description="Environment variable that holds the bearer token"
    )
    include_words: bool = Field(
        False, description="Send what the person said, beside the kinds of sign"
    )


class Safety(Section):
    """The safety gate."""

    region: Literal[
        "us",
        "ca",
        "uk",
        "ie",
        "au",
        "nz",
        "de",
        "at",
        "ch",
        "fr",
        "nl",
        "es",
        "in",
        "eu",
        "international",
    ] = Field("international", description="Whose crisis line is named")
    contacts: tuple[Contact, ...] = Field(
        (), description="Whom to name before the crisis line, such as an organisation's own"
    )
    handoff: HandoffWebhook = HandoffWebhook()
    disclosure: str = Field(
        "You are talking to a machine, and it analyses your voice for emotion.",
        description="What a person is told at the start, and again after disclosure_hours",
    )
    disclosure_hours: Annotated[float, Field(gt=0, le=3)] = Field(
        3, description="Hours after which it is told again; the law of New York allows 3 at most"
    )
    disclosure_spoken: bool = Field(
        False, description="Say it aloud, too, before the first answer: for telephones"
    )


class Limits(Section):
    """Bounds; over one of them comes a refusal, never silence."""

    sessions: Annotated[int, Field(ge=1, le=10_000)] = Field(
        16, description="Conversations at the same time"
    )
    session_minutes: Annotated[float, Field(gt=0, le=24 * 60)] = Field(
        180, description="Length of a conversation"
    )
    turn_seconds: Annotated[float, Field(gt=1, le=600)] = Field(
        120, description="Length of one turn; then it is answered as it stands"
    )
    message_bytes: Annotated[int, Field(ge=65_536)] = Field(
        21_000_000, description="Size of one websocket message (15 MiB of audio in base64)"
    )
    history_turns: Annotated[int, Field(ge=1, le=1000)] = Field(
        40, description="Past turns that the language model sees"
    )


class Server(Section):
    """Where the agent listens."""

    host: str = Field(
        "127.0.0.1", description="Address to listen on; the default is for this machine alone"
    )
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8765, description="Port to listen on; 0 for any free one"
    )
    token: str | None = Field(None, description="Bearer token that clients must show")
    origins: tuple[str, ...] = Field(
        (), description="Web origins allowed beside the server's own page"
    )


class Store(Section):
    """Where conversations are kept."""

    path: Path | None = Field(
        None, description="SQLite file; default: voice-agent/conversations.db in the user's data"
    )


_EMBEDDED = EngineChoice(engine="embedded")
_MEASURES_ALONE = EngineChoice(engine="manner")
"""What is not to be spoken of is not to be recognised either."""

_AFTER_ANALYZER: Mapping[str, tuple[EngineChoice, ...]] = {
    "embedded": (_MEASURES_ALONE,),
    "manner": (),
}


class Config(Section):
    """The whole configuration."""

    profile: str = Field("embedded", description="Name shown to those who connect")
    hearing: Hearing = Hearing()
    thinking: Thinking = Thinking()
    speaking: Speaking = Speaking()
    memory: Memory = Memory()
    safety: Safety = Safety()
    limits: Limits = Limits()
    server: Server = Server()
    store: Store = Store()

    @property
    def engine_choices(self) -> dict[EngineKind, EngineChoice]:
        """The chosen engines by kind."""
        return {kind: line[0] for kind, line in self.lineups.items()}

    @property
    def lineups(self) -> dict[EngineKind, tuple[EngineChoice, ...]]:
        """The engines by kind in the order in which they are asked: the chosen one first."""
        hearing, thinking, speaking = self.hearing, self.thinking, self.speaking
        model = thinking.language_model
        analyzer = hearing.paralinguistics if thinking.reflect_emotions else _MEASURES_ALONE
        measuring = _AFTER_ANALYZER.get(analyzer.engine, (_EMBEDDED, _MEASURES_ALONE))
        return {
            "recognizer": (hearing.recognizer, *hearing.fallback),
            "paralinguistics": (analyzer, *measuring),
            "turn_detector": (hearing.turn_detector,),
            # The embedded model cannot fail.
            "language_model": (
                (model,) if model.engine == "embedded" else (model, *thinking.fallback, _EMBEDDED)
            ),
            "synthesizer": (speaking.synthesizer, *speaking.fallback),
        }
