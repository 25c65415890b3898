"""What the engine asks of a model with a voice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from voice_agent.audio.pcm import Samples
from voice_agent.speaking.synthesizers.coqui.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Sound:
    """The next audio of a sentence.

    Attributes:
        samples: Mono float32, at the voice's rate.
        starts: Where the next words begin, in samples since the beginning of the sentence.
    """

    samples: Samples
    starts: Sequence[int] = ()


class Voice(Protocol):
    """A loaded model that speaks. One thread uses it.

    Attributes:
        rate: Sample rate in Hz.
        limit: Characters that it takes in one go.
        language: What it speaks, as ``en``.
        together: Whether sentences that are under way in turns share their steps, so that another
            one costs little.
    """

    together: bool
    rate: int
    limit: int
    language: str

    def has_style(self, emotion: str) -> bool:
        """Whether it expresses a reply emotion by itself."""
        ...

    def say(
        self, sentence: Sentence, emotion: str, speed: float, seed: int
    ) -> Iterator[Sound | None]:
        """Renders a sentence in short steps; several sentences may be under way in turns.

        The same sentence with the same seed sounds the same.

        Yields:
            The next audio, or None after a step that gave none. When it ends, every word of the
            sentence has a start.
        """
        ...
