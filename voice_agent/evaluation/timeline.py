"""The picture of a recording: what it sounds like, over time."""

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from voice_agent.evaluation.pictures import BLUE, FAINT, GRID, INK, RED, new_figure, tidy
from voice_agent.evaluation.recording import Reading, Recording, Turn
from voice_agent.events import EMOTIONS, Estimate, VocalEvent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = {
    "sad": "#4f7cac",
    "anger": "#cf4452",
    "neutral": "#c3c9d1",
    "happy": "#f0b840",
    "surprise": "#ef8354",
    "fear": "#8660b5",
    "disgust": "#6a9f58",
    "other": "#8f9bab",
}
_EVENT = "#b5487f"
_STEP_S = 0.016
_COLUMNS = 1600
_LEAP_ST = 3.0
_TICKS_S = (5, 10, 15, 30, 60, 120, 300, 600, 900)


def timeline_picture(recording: Recording, title: str) -> "Figure":
    """Waveform with turns and events, pitch, emotion, and valence and arousal, over time.

    Where nobody speaks, the waveform and the events alone.
    """
    seconds = max(recording.seconds, 0.1)
    width = float(np.clip(9 + seconds / 10, 11, 20))
    if not recording.turns:
        figure = new_figure(width, 2.9)
        wave = figure.subplots()
        _title(figure, title)
        _draw_wave(wave, recording)
        _draw_time(wave, seconds)
        return figure
    figure = new_figure(width, 8.2)
    wave, pitch, emotion, feeling = figure.subplots(
        4, 1, sharex=True, height_ratios=(1.2, 1, 1.1, 1.1)
    )
    _title(figure, title)
    _draw_wave(wave, recording)
    _draw_pitch(pitch, recording.turns)
    _draw_emotion(emotion, recording.turns)
    _draw_feeling(feeling, recording.turns)
    for axes in (wave, pitch, emotion, feeling):
        tidy(axes)
        axes.set_xlim(0, seconds)
        if axes is not emotion:
            for turn in recording.turns:
                axes.axvspan(turn.start, turn.end, color="#f2f5f9", zorder=0, linewidth=0)
    figure.align_ylabels()
    _draw_time(feeling, seconds)
    return figure


def _title(figure: "Figure", title: str) -> None:
    figure.suptitle(title, x=0.01, ha="left", color=INK, fontsize=13, parse_math=False)


def _draw_time(axes: "Axes", seconds: float) -> None:
    tidy(axes)
    axes.set_xlim(0, seconds)
    if seconds >= 60:
        each = next((step for step in _TICKS_S if seconds / step <= 16), 1_800)
        ticks = np.arange(0, seconds, max(each, seconds / 40))
        axes.set_xticks(ticks, labels=[f"{int(at // 60)}:{int(at % 60):02}" for at in ticks])
    axes.set_xlabel("time (min:s)" if seconds >= 60 else "time (s)", color=FAINT)


def _draw_wave(axes: "Axes", recording: Recording) -> None:
    peaks = recording.peaks
    if peaks.size:
        each = -(-peaks.size // _COLUMNS)
        columns = np.pad(peaks, (0, -peaks.size % each)).reshape(-1, each).max(axis=1)
        at = np.arange(columns.size) * each * _STEP_S
        axes.fill_between(at, -columns, columns, color="#5b6b80", linewidth=0)
    top = max(float(peaks.max()) if peaks.size else 0.0, 0.02)
    axes.set_ylim(-1.15 * top, 1.7 * top)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_ylabel("sound", color=FAINT)
    _draw_events(axes, recording.events, recording.seconds, top)
    if not recording.turns:
        axes.text(
            0.5, 0.93, "no speech", transform=axes.transAxes, ha="center", va="top", color=FAINT
        )


def _draw_events(axes: "Axes", events: tuple[VocalEvent, ...], seconds: float, top: float) -> None:
    """Spans with their names above, on two lines where they stand close together."""
    last_end, line = -np.inf, 0
    for event in events:
        axes.axvspan(event.start, event.end, color=_EVENT, alpha=0.22, linewidth=0)
        name_s = seconds * 0.009 * (len(event.label) + 2)
        line = 1 - line if event.start < last_end else 0
        at = min(event.start, max(0.0, seconds - name_s))
        axes.text(
            at, (1.4 - 0.25 * line) * top, event.label, color=_EVENT, fontsize=9, clip_on=True
        )
        last_end = at + name_s


def _draw_pitch(axes: "Axes", turns: tuple[Turn, ...]) -> None:
    axes.set_yscale("log")
    axes.set_ylim(60, 450)
    axes.set_yticks((75, 100, 150, 200, 300, 400), labels=("75", "100", "150", "200", "300", "400"))
    axes.minorticks_off()
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.set_ylabel("pitch (Hz)", color=FAINT)
    for turn in turns:
        at = turn.start + (np.arange(turn.pitch_hz.size) + 0.5) * _STEP_S
        voiced = _steady(turn.pitch_hz) & (at <= turn.end)
        axes.plot(at[voiced], turn.pitch_hz[voiced], ".", color=BLUE, markersize=2.5)


def _steady(pitch_hz: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which values have neighbours of about their pitch: others are slips of an octave or noise."""
    semitones = 12 * np.log2(np.where(pitch_hz > 0, pitch_hz, np.nan))
    padded = np.pad(semitones, 2, constant_values=np.nan)
    near = [
        np.abs(padded[2 + by : 2 + by + semitones.size] - semitones) < _LEAP_ST
        for by in (-2, -1, 1, 2)
    ]
    steady: NDArray[np.bool_] = np.sum(near, axis=0) >= 2
    return steady


def _draw_emotion(axes: "Axes", turns: tuple[Turn, ...]) -> None:
    """The posterior as a stack of colours, as far as it was known at each moment."""
    from matplotlib.collections import PolyCollection
    from matplotlib.patches import Patch

    axes.set_ylim(0, 1)
    axes.set_yticks((0, 0.5, 1), labels=("0", "50 %", "100 %"))
    axes.set_ylabel("emotion", color=FAINT)
    boxes: dict[str, list[tuple[tuple[float, float], ...]]] = {label: [] for label in EMOTIONS}
    for turn in turns:
        for begin, end, reading in _spans(turn):
            low = 0.0
            for label in EMOTIONS:
                high = low + reading.how.emotion.get(label, 0.0)
                if high > low:
                    boxes[label].append(((begin, low), (begin, high), (end, high), (end, low)))
                low = high
    for label in EMOTIONS:
        axes.add_collection(PolyCollection(boxes[label], color=_COLOURS[label], linewidth=0))
    handles = [Patch(color=_COLOURS[label], label=label) for label in EMOTIONS if boxes[label]]
    if handles:
        axes.legend(
            handles=handles,
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=len(handles),
            frameon=False,
            fontsize=9,
            handlelength=0.8,
            handleheight=0.8,
            columnspacing=1.2,
            borderpad=0,
            labelcolor=INK,
        )


def _draw_feeling(axes: "Axes", turns: tuple[Turn, ...]) -> None:
    axes.set_ylim(-1.05, 1.05)
    axes.set_yticks((-1, 0, 1))
    axes.axhline(0, color=GRID, linewidth=0.8)
    axes.set_ylabel("valence, arousal", color=FAINT)
    told = False
    for name, colour in (("valence", BLUE), ("arousal", RED)):
        label: str | None = name
        for turn in turns:
            values: list[tuple[float, float, float]] = []
            for _, end, reading in _spans(turn):
                estimate: Estimate | None = getattr(reading.how, name)
                if estimate is not None:
                    values.append((end, estimate.value, estimate.confidence))
            if not values:
                continue
            at, value, confidence = (np.array(column) for column in zip(*values, strict=True))
            axes.plot(at, value, color=colour, linewidth=1.4, alpha=0.5)
            axes.scatter(at, value, 6 + 20 * confidence, color=colour, label=label, linewidths=0)
            label, told = None, True
    if told:
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=2,
            frameon=False,
            fontsize=9,
            borderpad=0,
            handletextpad=0.2,
            labelcolor=INK,
        )


def _spans(turn: Turn) -> list[tuple[float, float, Reading]]:
    """The time for which each reading of a turn stands: from the one before it to its own."""
    readings = [reading for reading in turn.readings if reading.at < turn.end]
    readings.append(Reading(turn.end, turn.final))
    edges = [turn.start, *(reading.at for reading in readings)]
    return [
        (begin, end, reading)
        for (begin, end), reading in zip(pairwise(edges), readings, strict=True)
    ]
