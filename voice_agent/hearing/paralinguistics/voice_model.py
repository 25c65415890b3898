"""The trained model of the voice: emotion and gender of a stretch of speech."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from voice_agent.errors import EngineUnavailable

CLASSES = (
    "neutral",
    "calm",
    "happy",
    "sad",
    "anger",
    "fear",
    "disgust",
    "surprise",
    "other",
)
"""The emotions that the model tells apart."""

GENDERS = ("female", "male")

_SCALE = 3.0
_SPEECH_NEPERS = 5.0
_LONGEST = 1000
_SHORTEST = 32


@dataclass(frozen=True, slots=True)
class VoiceReading:
    """Posteriors over ``CLASSES`` and ``GENDERS``."""

    emotion: Mapping[str, float]
    gender: Mapping[str, float]


def features(mel: NDArray[np.float32], usual: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the network sees of a spectrogram.

    Args:
        mel: Log-mel spectrogram of shape (frames, 64).
        usual: Mean spectrum to measure it against, shape (64,): the speaker's own where that is
            known, else ``levelled`` that of the training speakers.

    Returns:
        Shape (2, frames, 64): against the usual spectrum, and against its own.
    """
    return np.stack(((mel - usual) / _SCALE, (mel - spectrum(mel)) / _SCALE))


def spectrum(mel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean spectrum of the louder frames, shape (64,): of the speech rather than the pauses.

    Args:
        mel: Log-mel spectrogram of shape (frames, 64), at least one frame.
    """
    level = mel.mean(1)
    loud = level > np.percentile(level, 95) - _SPEECH_NEPERS
    mean: NDArray[np.float32] = mel[loud].mean(0, dtype=np.float32)
    return mean


def levelled(average: NDArray[np.float32], mel: NDArray[np.float32]) -> NDArray[np.float32]:
    """A mean spectrum at the level of this speech: of microphones nothing is known.

    Args:
        average: The spectrum, shape (64,).
        mel: Log-mel spectrogram of shape (frames, 64), at least one frame.
    """
    at_level: NDArray[np.float32] = average + (spectrum(mel).mean() - average.mean())
    return at_level


class VoiceModel:
    """The network with its settings; safe to call from several threads.

    Attributes:
        average: Mean log-mel spectrum of the training speakers, shape (64,).
    """

    def __init__(self, folder: Path) -> None:
        """Loads ``model.onnx`` and ``model.json``.

        Raises:
            EngineUnavailable: They are not there or damaged.
        """
        try:
            settings = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            self.average: NDArray[np.float32] = np.array(settings["average"], np.float32)
            self._temperature = float(settings["temperature"])
            self._gender_temperature = float(settings["gender_temperature"])
            self._session = session(folder / "model.onnx")
        except (OSError, ValueError, KeyError) as error:
            raise EngineUnavailable(f"the model in {folder} cannot be read: {error}") from error

    def read(self, mel: NDArray[np.float32], usual: NDArray[np.float32] | None) -> VoiceReading:
        """Reads a stretch of speech.

        Args:
            mel: Its log-mel spectrogram, shape (frames, 64), at least one frame.
            usual: The speaker's mean spectrum, shape (64,), or None where it is not known.
        """
        reference = levelled(self.average, mel) if usual is None else usual
        # The network has seen ten seconds at most at a time; longer speech is read in parts.
        parts = np.array_split(mel, -(-len(mel) // _LONGEST))
        emotion, gender = (
            np.mean(logs, axis=0)
            for logs in zip(*(self._logs(part, reference) for part in parts), strict=True)
        )
        return VoiceReading(
            dict(zip(CLASSES, _softmax(emotion / self._temperature), strict=True)),
            dict(zip(GENDERS, _softmax(gender / self._gender_temperature), strict=True)),
        )

    def _logs(
        self, mel: NDArray[np.float32], usual: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if len(mel) < _SHORTEST:
            mel = np.pad(mel, ((0, _SHORTEST - len(mel)), (0, 0)), mode="edge")
        emotion, gender = self._session.run(None, {"mel": features(mel, usual)[None]})
        return emotion[0], gender[0]


def session(path: Path) -> onnxruntime.InferenceSession:
    """Opens a network for one core.

    Raises:
        EngineUnavailable: The file is not there or is no network.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Turns are of all lengths: memory kept for each length would only grow.
    options.enable_mem_pattern = False
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise EngineUnavailable(f"the network {path} cannot be loaded: {error}") from error


def _softmax(logits: NDArray[np.float32]) -> list[float]:
    shares = np.exp(logits - logits.max(), dtype=np.float64)
    return [float(share) for share in shares / shares.sum()]
