"""A whole training: recordings in; models, figures and pictures out."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from voice_agent.audio.files import read_whole
from voice_agent.audio.pcm import Samples
from voice_agent.errors import ConfigError
from voice_agent.evaluation import metrics
from voice_agent.evaluation.metrics import Confusion
from voice_agent.evaluation.pictures import confusion_picture
from voice_agent.evaluation.pictures import write as write_picture
from voice_agent.hearing.paralinguistics import event_model, voice_model
from voice_agent.hearing.paralinguistics.log_mel import BANDS
from voice_agent.training.paralinguistics import events, export, voice
from voice_agent.training.paralinguistics.loop import Epoch
from voice_agent.training.paralinguistics.pictures import learning_curves
from voice_agent.training.paralinguistics.recipe import Recipe
from voice_agent.training.paralinguistics.recordings import Recordings, collect

log = logging.getLogger(__name__)

MODELS = ("voice", "vocal_events")
"""What can be trained, and the folders it is written to."""

_THRESHOLD = 0.8


@dataclass(frozen=True, slots=True)
class Result:
    """What came out of the training of one model.

    Attributes:
        folder: Where it was written.
        uar: On the recordings kept aside; None without such.
        pictures: The pictures that were drawn.
    """

    folder: Path
    uar: float | None
    pictures: tuple[Path, ...]


def run(
    manifests: Sequence[Path],
    out: Path,
    recipe: Recipe,
    models: Sequence[str],
    leave: Mapping[str, Sequence[str]],
    device: str,
    tell: Callable[[str, float], None],
) -> list[Result]:
    """Trains models and writes each to a folder of its name.

    Args:
        manifests: Labelled recordings.
        out: The folder around those folders.
        recipe: What the training does.
        models: Which of ``MODELS``.
        leave: Rows of the manifests to leave out.
        device: ``auto``, ``cpu`` or ``cuda``.
        tell: Told what is under way, and how far it is from 0 to 1.

    Raises:
        ManifestError: The recordings cannot be read or do not suffice.
        ConfigError: The device is not there.
    """
    place = _device(device)
    recordings = collect(manifests, leave)
    log.info("training", extra={"recordings": len(recordings.train), "dev": len(recordings.dev)})
    # A model that cannot be trained is told before another has been trained for long.
    if "voice" in models:
        voice.check(recordings)
    if "vocal_events" in models:
        events.check(recordings)
    results = []
    if "voice" in models:
        results.append(_voice(recordings, recipe, place, out / "voice", tell))
    if "vocal_events" in models:
        results.append(_events(recordings, recipe, place, out / "vocal_events", tell))
    return results


def _voice(
    recordings: Recordings,
    recipe: Recipe,
    device: torch.device,
    folder: Path,
    tell: Callable[[str, float], None],
) -> Result:
    fitted = voice.train(recordings, _noises(recordings), recipe, device, tell)
    export.write(
        folder,
        fitted.network,
        torch.zeros(1, 2, recipe.voice.frames, BANDS),
        ("emotion", "gender"),
        {2: "frames"},
        {
            "classes": voice_model.CLASSES,
            "average": [round(float(value), 4) for value in fitted.average],
            "temperature": round(fitted.temperature, 3),
            "gender_temperature": round(fitted.gender_temperature, 3),
        },
    )
    return _report(folder, fitted.confusion, fitted.curves)


def _events(
    recordings: Recordings,
    recipe: Recipe,
    device: torch.device,
    folder: Path,
    tell: Callable[[str, float], None],
) -> Result:
    fitted = events.train(recordings, recipe, device, tell)
    network = torch.nn.Sequential(fitted.network, torch.nn.Softmax(-1)).eval()
    export.write(
        folder,
        network,
        torch.zeros(1, 1, event_model.FRAMES, BANDS),
        ("posteriors",),
        {0: "windows"},
        {
            "classes": event_model.CLASSES,
            "average": [round(float(value), 4) for value in fitted.average],
            "threshold": _THRESHOLD,
        },
    )
    return _report(folder, fitted.confusion, (fitted.curve,))


def _report(folder: Path, matrix: Confusion, curves: Sequence[Sequence[Epoch]]) -> Result:
    """Draws learning curves and confusion into the folder."""
    pictures = [folder / "learning.png"]
    write_picture(learning_curves(curves), pictures[0])
    if matrix:
        pictures.append(folder / "confusion.png")
        picture = confusion_picture(matrix, f"{folder.name}, recordings kept aside")
        write_picture(picture, pictures[1])
    return Result(folder, metrics.uar(matrix), tuple(pictures))


def _noises(recordings: Recordings) -> list[Samples]:
    """Sounds that are no voices, to put behind speech."""
    sounds = [read_whole(clip.path) for clip in recordings.train if clip.event == "other"]
    return [sound for sound in sounds if sound.size and np.mean(sound**2) > 1e-6]


def _device(name: str) -> torch.device:
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("there is no CUDA device that torch can use; train with --device cpu")
    cuda = name == "cuda" or (name == "auto" and torch.cuda.is_available())
    return torch.device("cuda" if cuda else "cpu")
