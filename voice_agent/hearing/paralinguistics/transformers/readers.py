"""Models and what is read from them: finding and loading those of a configuration."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voice_agent.hearing.paralinguistics.transformers.classifier import Classifier, load
from voice_agent.hearing.paralinguistics.transformers.labels import Meanings, meanings
from voice_agent.hearing.paralinguistics.transformers.options import Kind, ModelChoice, Options
from voice_agent.models import devices, local_transformers, memory


@dataclass(frozen=True, eq=False, slots=True)
class Reader:
    """A model and what is read from it."""

    choice: ModelChoice
    classifier: Classifier
    meanings: dict[Kind, Meanings]

    @property
    def hears_sounds(self) -> bool:
        """Whether it is for sounds that are no words, and for nothing else."""
        return "events" in self.choice.reads


def load_all(options: Options, folders: Sequence[Path]) -> list[Reader]:
    """Loads the models of a configuration; blocks, and sets the threads of torch.

    Raises:
        ConfigError: A model does not tell what it is to tell.
        EngineUnavailable: A package, a device or a part of a model is missing; says how to get it.
    """
    local_transformers.ensure()
    local_transformers.use_threads(options.threads)
    # Weights mostly lie there in float32; in float16, half of this is left to compute with.
    needed = sum(map(memory.weights, folders))
    with devices.reserve(
        options.device, "hearing.paralinguistics.device", needed, "the analyzer of voices"
    ) as device:
        dtype = options.dtype
        if dtype == "auto":
            dtype = "float16" if device == "cuda" else "float32"
        readers = []
        for choice, folder in zip(options.models, folders, strict=True):
            classifier = load(choice.model, folder, device, dtype)
            readers.append(Reader(choice, classifier, meanings(choice, classifier.labels)))
        return readers
