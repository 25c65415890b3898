"""Pictures of results as PNG files, and what all pictures share.

Drawn with matplotlib's figures alone: no display, no global state. It is loaded on first use.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from voice_agent.errors import PictureError
from voice_agent.evaluation.metrics import UNKNOWN, Bin, Confusion, ece

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT, GRID = "#2b3440", "#76808f", "#dfe3e8"
BLUE, RED = "#3d6fb4", "#d1495b"

_DPI = 150


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure of that size in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=_DPI, layout="constrained", facecolor="white")


def tidy(axes: "Axes") -> None:
    """Takes away what is not data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(colors=FAINT, labelcolor=INK, labelsize=9)


def write(figure: "Figure", path: Path) -> None:
    """Writes a figure as PNG.

    Raises:
        PictureError: The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            # A title in a script that the font lacks is shown as boxes; that is warning enough.
            warnings.filterwarnings("ignore", message=r"Glyph .* missing")
            figure.savefig(path, format="png")
    except OSError as error:
        raise PictureError(f"{path} cannot be written: {error.strerror or error}") from error


def confusion_picture(matrix: Confusion, title: str) -> "Figure":
    """A confusion matrix: shares of each true class as colour, counts as numbers."""
    classes = list(matrix)
    guesses = [*classes, UNKNOWN] if any(row[UNKNOWN] for row in matrix.values()) else classes
    counts = np.array([[matrix[true][guess] for guess in guesses] for true in classes])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = new_figure(1.9 + 0.62 * len(guesses), 1.7 + 0.55 * len(classes))
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for y, x in np.ndindex(*counts.shape):
        if counts[y, x]:
            colour = "white" if shares[y, x] > 0.55 else INK
            axes.text(x, y, str(counts[y, x]), ha="center", va="center", color=colour, fontsize=9)
    axes.set_xticks(range(len(guesses)), guesses, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(classes)), classes)
    axes.tick_params(length=0, labelsize=9, labelcolor=INK)
    axes.spines[:].set_visible(False)
    axes.set_xticks(np.arange(len(guesses) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(classes) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="minor", length=0)
    axes.set_xlabel("heard as", color=FAINT)
    axes.set_ylabel("is", color=FAINT)
    axes.set_title(title, loc="left", color=INK, fontsize=11, parse_math=False)
    bar = figure.colorbar(image, ax=axes, shrink=0.9, aspect=25, pad=0.02)
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    bar.ax.tick_params(length=0, labelsize=8, labelcolor=FAINT)
    bar.outline.set_visible(False)
    return figure


def reliability_picture(bins: Sequence[Bin], title: str) -> "Figure":
    """How often predictions of each confidence are right, over how many there are of them."""
    figure = new_figure(5.2, 5.6)
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    filled = [b for b in bins if b.n and b.accuracy is not None and b.confidence is not None]
    width = 1 / len(bins)
    lows = [b.low for b in filled]
    right = [b.accuracy or 0.0 for b in filled]
    sure = [b.confidence or 0.0 for b in filled]
    axes.plot((0, 1), (0, 1), color=FAINT, linewidth=1, linestyle=(0, (4, 3)))
    axes.bar(lows, right, width, align="edge", color=BLUE, alpha=0.85, edgecolor="white")
    for low, is_right, is_sure in zip(lows, right, sure, strict=True):
        axes.plot((low, low + width), (is_sure, is_sure), color=RED, linewidth=1.6)
        axes.plot((low + width / 2,) * 2, (is_sure, is_right), color=RED, linewidth=0.8)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_ylabel("share that is right", color=FAINT)
    key = "blue: share right, red: mean confidence"
    axes.text(0.03, 0.95, key, color=FAINT, fontsize=9, va="top")
    error = ece(bins)
    shown = "" if error is None else f", ECE {error:.3f}"
    axes.set_title(f"{title}{shown}", loc="left", color=INK, fontsize=11, parse_math=False)
    below.bar([b.low for b in bins], [b.n for b in bins], width, align="edge", color=GRID)
    below.set_xlabel("confidence", color=FAINT)
    below.set_ylabel("clips", color=FAINT)
    for part in (axes, below):
        tidy(part)
    return figure
