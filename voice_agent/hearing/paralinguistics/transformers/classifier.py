"""One audio classifier: loading it from disk, and what it says of pieces of audio."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.errors import ConfigError, EngineUnavailable
from voice_agent.models.devices import DeviceName

Scores = NDArray[np.float32]
"""What a model gives for a piece of audio: a score for each of its labels, before any softmax."""

Lengths = Literal["fixed", "masked", "equal"]
"""How pieces of different length go into one batch.

``fixed``: the features of all have the same shape. ``masked``: padded, with a mask that tells the
model what is padding. ``equal``: not at all, since padding would change what the model hears.
"""

# Only training uses it; checkpoints may lack it.
_NEEDLESS = "masked_spec_embed"


@dataclass(frozen=True, slots=True)
class Classifier:
    """A loaded model.

    Attributes:
        labels: Its labels, in the order of its outputs.
        multi_label: Whether the model says that its labels do not exclude each other.
        lengths: How pieces of different length go into one batch.
    """

    labels: tuple[str, ...]
    multi_label: bool
    lengths: Lengths
    _model: Any
    _features: Any

    @property
    def device(self) -> DeviceName:
        """Where it computes."""
        name: DeviceName = self._model.device.type
        return name

    def read(self, pieces: Sequence[Samples]) -> list[Scores]:
        """Reads pieces of 16 kHz mono float32 in one forward pass; blocks."""
        import torch

        masked = self.lengths == "masked"
        found = self._features(
            list(pieces),
            sampling_rate=HEARING_RATE,
            return_tensors="pt",
            **({"padding": True, "return_attention_mask": True} if masked else {}),
        )
        wanted = self._model.main_input_name
        inputs = {wanted: found[wanted].to(self._model.device, self._model.dtype)}
        if masked:
            inputs["attention_mask"] = found["attention_mask"].to(self._model.device)
        with torch.inference_mode():
            scores = self._model(**inputs).logits.float().cpu().numpy()
        return list(scores)


def load(name: str, folder: Path, device: DeviceName, dtype: str) -> Classifier:
    """Loads a model; nothing is fetched from the network, and no code that comes with it is run.

    Args:
        name: How it is named in the configuration, for errors.
        folder: Where it lies.
        device: ``cpu`` or ``cuda``.
        dtype: Name of a number format of torch.

    Raises:
        ConfigError: It is no classifier of 16 kHz audio.
        EngineUnavailable: It is damaged or incomplete.
    """
    import torch
    from transformers import AutoConfig, AutoFeatureExtractor
    from transformers.utils import logging

    logging.disable_progress_bar()
    # A model of another kind is refused with an error of our own instead of a table on the screen.
    logging.set_verbosity_error()
    # The features of the Audio Spectrogram Transformer, as it was trained, are told off for it.
    warnings.filterwarnings("ignore", "At least one mel filter has all zero values")
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        features = AutoFeatureExtractor.from_pretrained(folder, local_files_only=True)
        model, report = _class_for(config).from_pretrained(
            folder, local_files_only=True, output_loading_info=True, dtype=getattr(torch, dtype)
        )
        model = model.to(device).eval()
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        reason = str(error).partition("\n")[0]
        raise EngineUnavailable(
            f"the model {name} in {folder} cannot be loaded: {reason}"
        ) from error
    untrained = sorted(key for key in report["missing_keys"] if not key.endswith(_NEEDLESS))
    if untrained or report["mismatched_keys"]:
        raise ConfigError(
            f"hearing.paralinguistics.models: {name} is no classifier that transformers knows: "
            f"its weights lack {', '.join(untrained or map(str, report['mismatched_keys']))}"
        )
    rate = getattr(features, "sampling_rate", None)
    if rate != HEARING_RATE:
        raise ConfigError(
            f"hearing.paralinguistics.models: {name} hears audio of {rate} Hz; only models of "
            f"{HEARING_RATE} Hz can be used"
        )
    return Classifier(
        labels=tuple(str(config.id2label[at]) for at in range(config.num_labels)),
        multi_label=config.problem_type == "multi_label_classification",
        lengths=_lengths(model, features),
        _model=model,
        _features=features,
    )


def _class_for(config: Any) -> Any:
    from transformers import AutoModelForAudioClassification

    if "Wav2Vec2ForSpeechClassification" in (config.architectures or ()):
        from voice_agent.hearing.paralinguistics.transformers.pooled import SpeechClassifier

        return SpeechClassifier
    return AutoModelForAudioClassification


def _lengths(model: Any, features: Any) -> Lengths:
    shapes = {
        features(
            np.zeros(seconds * HEARING_RATE, np.float32),
            sampling_rate=HEARING_RATE,
            return_tensors="np",
        )[model.main_input_name].shape
        for seconds in (1, 2)
    }
    if len(shapes) == 1:
        return "fixed"
    # A normalisation over time takes in the padding, whatever the mask says; and a model that
    # averages over time without the mask does, too.
    takes_mask = getattr(features, "return_attention_mask", False)
    over_time = getattr(model.config, "feat_extract_norm", "layer") == "group"
    return "masked" if takes_mask and not over_time and not _ignores_mask(model) else "equal"


def _ignores_mask(model: Any) -> bool:
    return bool(getattr(model, "ignores_mask", False))
