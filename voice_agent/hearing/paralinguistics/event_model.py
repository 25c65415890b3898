"""The trained model of vocal events: laughs, coughs, cries, sneezes, breaths and snores."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voice_agent.errors import EngineUnavailable
from voice_agent.events import VocalEvent
from voice_agent.hearing.paralinguistics.log_mel import BANDS, FRAMES_PER_S
from voice_agent.hearing.paralinguistics.voice_model import session

CLASSES = ("none", "cry", "sneeze", "sigh", "cough", "laugh", "snore", "speech")
"""What the model tells apart in a second of sound."""

FRAMES = 98
"""Frames of a window: one second of audio."""

_STEP = FRAMES_PER_S // 2
_SCALE = 3.0
_EVENTS = range(1, 7)
_BATCH = 32
_QUIET = -11.0


class EventModel:
    """The network with its settings; safe to call from several threads."""

    def __init__(self, folder: Path) -> None:
        """Loads ``model.onnx`` and ``model.json``.

        Raises:
            EngineUnavailable: They are not there or damaged.
        """
        try:
            settings = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            self._average = np.array(settings["average"], np.float32)
            self._threshold = float(settings["threshold"])
            self._session = session(folder / "model.onnx")
        except (OSError, ValueError, KeyError) as error:
            raise EngineUnavailable(f"the model in {folder} cannot be read: {error}") from error

    def events(self, mel: NDArray[np.float32]) -> tuple[VocalEvent, ...]:
        """The events in a log-mel spectrogram of shape (frames, 64), in order of time.

        Windows of a second, half a second apart, that agree beside each other are one event.
        """
        posteriors = self.posteriors(mel)
        label = posteriors.argmax(1)
        found: list[VocalEvent] = []
        for index, row in enumerate(posteriors):
            confidence = float(row[label[index]])
            begin = index * _STEP
            if label[index] not in _EVENTS or confidence < self._threshold:
                continue
            if mel[begin : begin + FRAMES].max() < _QUIET:
                continue
            start = begin / FRAMES_PER_S
            end = min(start + 1.0, (len(mel) + 2) / FRAMES_PER_S)
            name = CLASSES[label[index]]
            if found and found[-1].label == name and found[-1].end >= start:
                before = found.pop()
                start, confidence = before.start, max(before.confidence, confidence)
            found.append(VocalEvent(name, start, max(start, end), confidence))
        return tuple(found)

    def posteriors(self, mel: NDArray[np.float32]) -> NDArray[np.float32]:
        """Posteriors over ``CLASSES`` of each window, shape (windows, 8)."""
        seen = windows(mel, self._average)
        rows = [
            self._session.run(None, {"mel": seen[begin : begin + _BATCH]})[0]
            for begin in range(0, len(seen), _BATCH)
        ]
        return np.concatenate(rows) if rows else np.zeros((0, len(CLASSES)), np.float32)


def windows(mel: NDArray[np.float32], average: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the network sees of a spectrogram: shape (windows, 1, 98, 64).

    A last piece of less than half a second is seen together with what comes before it; audio
    shorter than a window is filled up with silence.
    """
    if len(mel) == 0:
        return np.zeros((0, 1, FRAMES, BANDS), np.float32)
    if len(mel) < FRAMES:
        quiet = np.full((FRAMES - len(mel), BANDS), mel.min(), np.float32)
        mel = np.concatenate((mel, quiet))
    starts = range(0, len(mel) - FRAMES + 1, _STEP)
    cut = np.stack([mel[start : start + FRAMES] for start in starts])
    seen: NDArray[np.float32] = ((cut - average) / _SCALE)[:, None]
    return seen
