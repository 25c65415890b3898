"""The protocols of the engines, and the registry that finds an engine by its name.

An engine is shared by all sessions of a process and keeps its blocking work off the event loop.
Engines are found as entry points, so that other packages can add theirs: the group is
``voice_agent.<kind>``, the value a class with the class attribute ``Options`` (a pydantic model)
and the coroutine ``create(options)``.
"""

from collections.abc import AsyncIterator
from importlib.metadata import entry_points
from typing import Any, ClassVar, Literal, Protocol, Self, runtime_checkable

from pydantic import BaseModel

from voice_agent.audio.pcm import Samples
from voice_agent.errors import ConfigError, EngineUnavailable
from voice_agent.events import (
    Hypothesis,
    Manner,
    Paralinguistics,
    Pause,
    Phrase,
    Prompt,
    Speech,
    ToolCall,
)
from voice_agent.models import machine

EngineKind = Literal[
    "recognizer", "paralinguistics", "language_model", "synthesizer", "turn_detector"
]


class Engine(Protocol):
    """What every engine has.

    It may have a class method ``check(options)`` as well, which tells without loading anything
    heavy whether it can run here, and raises ``EngineUnavailable`` with what to do if it cannot.
    """

    Options: ClassVar[type[BaseModel]]
    name: ClassVar[str]

    @classmethod
    async def create(cls, options: Any) -> Self:
        """Loads the engine, ready for use.

        Raises:
            EngineUnavailable: A package, model or device is missing; says how to get it.
        """
        ...

    async def close(self) -> None:
        """Gives back what the engine holds. Harmless when called twice."""
        ...


@runtime_checkable
class RecognizerStream(Protocol):
    """The recognition of one person's speech, turn after turn.

    Calls of one stream come one after another, never at the same time.
    """

    async def feed(self, samples: Samples) -> Hypothesis:
        """Takes more of the turn (16 kHz mono float32); returns the partial hypothesis so far.

        ``stable`` holds what the recognizer itself will not change in this turn, often nothing.
        """
        ...

    async def settle(self) -> Hypothesis:
        """Returns the best reading of all that was fed in this turn.

        Called at each pause, when the turn may be over; more audio may follow, and the next
        reading then covers the whole turn again. ``final`` is set.
        """
        ...

    async def reset(self) -> None:
        """Forgets the turn; the next ``feed`` begins a new one."""
        ...

    async def close(self) -> None:
        """Ends the stream. Harmless when called twice."""
        ...


class Recognizer(Engine, Protocol):
    """Speech recognition."""

    async def open(self) -> RecognizerStream:
        """Opens a stream for one session.

        Raises:
            Overloaded: All streams that this engine can hold are in use.
        """
        ...


@runtime_checkable
class ParalinguisticStream(Protocol):
    """The hearing of how one person says things, turn after turn."""

    async def analyze(self, samples: Samples, manner: Manner) -> Paralinguistics:
        """Reads the turn so far. Calls may overlap.

        Args:
            samples: The turn, 16 kHz mono float32.
            manner: What has been measured of it, the shifts against the speaker's baseline
                included; the result carries it on.

        Returns:
            The reading of this speech alone; times of events count from the first sample.
        """
        ...

    async def learn(self, samples: Samples) -> None:
        """Takes a finished turn into what is known of the person's usual voice."""
        ...

    async def close(self) -> None:
        """Ends the stream. Harmless when called twice."""
        ...


class ParalinguisticAnalyzer(Engine, Protocol):
    """Hears how something is said."""

    async def open(self) -> ParalinguisticStream:
        """Opens a stream for one person.

        Raises:
            Overloaded: All streams that this engine can hold are in use.
        """
        ...


class LanguageModel(Engine, Protocol):
    """Thinks about a turn and answers it."""

    thinks_long: ClassVar[bool]
    """Whether a thought takes long enough to be begun while the person is still speaking."""

    def generate(self, prompt: Prompt) -> AsyncIterator[str | ToolCall]:
        """Streams thoughts and reply in the tag format of ``thinking.stream_parser``.

        Calls of tools come whole, in the place at which the model made them. Closing the iterator
        cancels the work.

        Raises:
            EngineError: The model failed; what it said until then has come.
        """
        ...

    async def prepare(self, prompt: Prompt) -> None:
        """Makes ready what the next prompts of this conversation begin with.

        Called when the person begins to speak, so that the model has read history and
        instructions by the time at which they finish. ``prompt.turn`` is without words. Does
        nothing in engines that keep nothing; errors are left for ``generate`` to raise.
        """
        ...

    async def forget(self, session: str) -> None:
        """The conversation is over: gives back what is kept of it. Harmless when unknown."""
        ...


class Synthesizer(Engine, Protocol):
    """Gives a phrase a voice."""

    def synthesize(self, phrase: Phrase) -> AsyncIterator[Speech]:
        """Streams the audio of a phrase, first piece as early as possible.

        Closing the iterator cancels the work. An empty phrase gives no audio.
        """
        ...


class TurnDetector(Engine, Protocol):
    """Tells whether a pause is the end of a turn."""

    def completion(self, pause: Pause) -> float:
        """Probability in [0, 1] that the person has finished. Called off the event loop."""
        ...


def available(kind: EngineKind) -> list[str]:
    """Names of the engines of a kind that are installed, sorted."""
    return sorted(entry.name for entry in entry_points(group=f"voice_agent.{kind}"))


def find(kind: EngineKind, name: str) -> Any:
    """The class of an engine.

    Raises:
        ConfigError: No engine of that name is installed.
        EngineUnavailable: It is, but a package that it needs is not.
    """
    for entry in entry_points(group=f"voice_agent.{kind}", name=name):
        try:
            return entry.load()
        except ImportError as error:
            raise EngineUnavailable(
                f"the {kind} engine {name!r} cannot be loaded: {error}; "
                "`voice-agent doctor` names what brings it"
            ) from error
    known = ", ".join(available(kind)) or "none"
    raise ConfigError(f"there is no {kind} engine named {name!r}; installed: {known}")


def check(kind: EngineKind, name: str, options: BaseModel) -> None:
    """Tells whether an engine can run here, by what is installed; loads nothing heavy.

    Args:
        kind: Its kind.
        name: Its name.
        options: Its options, validated.

    Raises:
        ConfigError: No engine of that name is installed.
        EngineUnavailable: A package, a model or a device is missing; says how to get it.
    """
    engine = find(kind, name)
    if getattr(options, "device", None) == "cuda":
        machine.require_gpu(f"the device of the {kind.replace('_', ' ')} {name}")
    if hasattr(engine, "check"):
        engine.check(options)
