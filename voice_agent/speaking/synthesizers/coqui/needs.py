"""The memory that a model takes: its weights, and of XTTS a row for each sentence under way."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voice_agent.models import memory
from voice_agent.models.devices import DeviceName
from voice_agent.models.slots.batches import SPARE
from voice_agent.speaking.synthesizers.coqui.files import Files

MOST_ROWS = 8
"""Sentences that are written at once: of sixteen conversations about seven speak."""
_SHARE_FOR_ROWS = 0.8
"""Of the memory that the weights leave: computing takes some of it, too."""
_WEIGHTS: Mapping[DeviceName, float] = {"cpu": 2.0, "cuda": 1.3}
"""Times their size: on the processor they lie there twice while they are loaded, on a GPU what is
computed comes on top."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a model takes on a device.

    Attributes:
        rows: Sentences that XTTS writes at once, as many as there is memory for; of VITS none.
        bytes: Memory of weights and rows.
    """

    rows: int
    bytes: int

    @classmethod
    def by_device(cls, found: Files, setting: str) -> dict[DeviceName, "Needs"]:
        """The needs of a model on each device that a setting allows."""
        places: tuple[DeviceName, ...] = ("cpu", "cuda")
        return {device: cls._on(device, found) for device in places if setting in (device, "auto")}

    @classmethod
    def _on(cls, device: DeviceName, found: Files) -> "Needs":
        weights = round(found.weights.stat().st_size * _WEIGHTS[device])
        if found.kind == "vits":
            return cls(0, weights)
        from TTS.config import load_config

        args = load_config(found.folder / "config.json").model_args
        rows = fitting_rows(args, device, weights)
        return cls(rows, weights + rows * _row_bytes(args))


def fitting_rows(args: Any, device: DeviceName, weights: int = 0) -> int:
    """Rows for which there is memory on a device: one at least.

    Args:
        args: The ``model_args`` of an XTTS's configuration.
        device: Where it computes.
        weights: Bytes that the weights will take there.
    """
    free = memory.left(device)
    if free is None:
        return MOST_ROWS
    return max(1, min(MOST_ROWS, int((free - weights) * _SHARE_FOR_ROWS) // _row_bytes(args)))


def row_length(args: Any) -> int:
    """Positions of a row: the voice, the text and the audio, each with the tokens around it."""
    text, audio = args.gpt_max_text_tokens + 2, args.gpt_max_audio_tokens + 3
    return int(args.gpt_max_prompt_tokens + text + audio + SPARE)


def _row_bytes(args: Any) -> int:
    numbers = 2 * args.gpt_layers * args.gpt_n_model_channels
    return int(4 * numbers * row_length(args))
