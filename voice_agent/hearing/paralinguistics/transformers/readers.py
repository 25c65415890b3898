"""Models and what is read from them: finding and loading those of a configuration."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voice_agent import hub, torchaudio_import
from voice_agent.catalogue import catalogue
from voice_agent.checkup import install_command
from voice_agent.errors import EngineUnavailable
from voice_agent.hearing.paralinguistics.transformers.classifier import Classifier, load
from voice_agent.hearing.paralinguistics.transformers.labels import Meanings, meanings
from voice_agent.hearing.paralinguistics.transformers.options import Kind, ModelChoice, Options


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


def find(model: str) -> Path:
    """The folder of a model.

    Raises:
        EngineUnavailable: It is not on this machine; says how to get it.
    """
    folder = Path(model).expanduser()
    if (folder / "config.json").is_file():
        return folder
    found = hub.find(model)
    if found is None:
        known = next((entry for entry in catalogue() if entry.hub == model), None)
        about = f" ({known.megabytes} MB, licence {known.licence})" if known else ""
        raise EngineUnavailable(
            f"there is no model {model!r} here: looked for a folder with a config.json, for a "
            f"pulled one in {hub.pulled(model)}, and in the cache of the Hugging Face hub; get it "
            f"with: hf download {model}{about}"
        )
    return found


def load_all(options: Options, folders: Sequence[Path]) -> list[Reader]:
    """Loads the models of a configuration; blocks, and sets the threads of torch.

    Raises:
        ConfigError: A model does not tell what it is to tell.
        EngineUnavailable: A package, a device or a part of a model is missing; says how to get it.
    """
    try:
        import torch

        torchaudio_import.ensure()
        import transformers  # noqa: F401
    except ImportError as error:
        raise EngineUnavailable(
            f"{error.name} is not installed; it comes with: {install_command('transformers')}"
        ) from error
    has_gpu = torch.cuda.is_available()
    if options.device == "cuda" and not has_gpu:
        raise EngineUnavailable(
            "torch finds no CUDA device here; set hearing.paralinguistics.device to cpu, or "
            "install the build of torch for your GPU (https://pytorch.org/get-started/locally)"
        )
    device = "cuda" if has_gpu and options.device != "cpu" else "cpu"
    dtype = options.dtype
    if dtype == "auto":
        dtype = "float16" if device == "cuda" else "float32"
    # Half of the cores: the recognizer and the voice need theirs.
    torch.set_num_threads(options.threads or max(1, (os.cpu_count() or 1) // 2))
    readers = []
    for choice, folder in zip(options.models, folders, strict=True):
        classifier = load(choice.model, folder, device, dtype)
        readers.append(Reader(choice, classifier, meanings(choice, classifier.labels)))
    return readers
