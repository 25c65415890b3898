"""The files of a coqui-tts model and what it needs to run, seen without loading anything."""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from voice_agent.errors import EngineUnavailable
from voice_agent.models import installed, machine
from voice_agent.packages import install_command

DEVICE_SETTING = "speaking.synthesizer.device"

_PACKAGES = ("torch", "TTS", "torchaudio", "transformers", "num2words")
_WEIGHTS = ("model.pth", "model_file.pth", "model_file.pth.tar", "best_model.pth")
_SPEAKERS = ("speaker_ids.json", "speaker_ids.pth", "speakers.json", "speakers.pth")


@dataclass(frozen=True, slots=True)
class Files:
    """A model as it lies on this machine.

    Attributes:
        kind: What it is.
        folder: Where it lies.
        weights: The file of its weights.
        speakers: Ids of its speakers, where they are in a file of their own.
    """

    kind: Literal["xtts", "vits"]
    folder: Path
    weights: Path
    speakers: Path | None


def find(model: str) -> Files:
    """The files of a model.

    Args:
        model: A folder, or a name in the catalogue.

    Raises:
        EngineUnavailable: It is not here, not whole, or no model that can be used.
    """
    folder = installed.require(model, ("config.json",))
    try:
        kind = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EngineUnavailable(
            f"{folder / 'config.json'} is not the configuration of a coqui-tts model ({error!r})"
        ) from error
    if kind not in ("xtts", "vits"):
        raise EngineUnavailable(
            f"the model in {folder} is {kind!r}; the coqui engine speaks with xtts and vits models"
        )
    if kind == "xtts":
        installed.require(model, ("config.json", "model.pth", "vocab.json"))
    weights = _first(folder, _WEIGHTS)
    if weights is None:
        raise EngineUnavailable(
            f"the model in {folder} is not whole: it lacks its weights ({_WEIGHTS[0]} or "
            f"{_WEIGHTS[1]}); get it anew"
        )
    return Files(kind, folder, weights, _first(folder, _SPEAKERS))


def check(model: str, device: str) -> None:
    """Tells whether a model can run here.

    Raises:
        EngineUnavailable: A package or the model is missing, or torch was not built for the device.
    """
    for package in _PACKAGES:
        if find_spec(package) is None:
            raise missing(package)
    machine.require_torch_for(device, DEVICE_SETTING)
    find(model)


def missing(package: str | None) -> EngineUnavailable:
    """The error for a package that is not installed."""
    return EngineUnavailable(
        f"{package} is not installed; it comes with: {install_command('neural')}"
    )


def _first(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)
