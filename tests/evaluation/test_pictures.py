"""Pictures: they are written, show what there is, and take any title."""

import struct
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from voice_agent.errors import PictureError
from voice_agent.evaluation import metrics
from voice_agent.evaluation.pictures import confusion_picture, reliability_picture, write
from voice_agent.evaluation.recording import Reading, Recording, Turn
from voice_agent.evaluation.timeline import timeline_picture
from voice_agent.events import EMOTIONS, Estimate, Paralinguistics, VocalEvent


def how(label="happy", **more) -> Paralinguistics:
    emotion = dict.fromkeys(EMOTIONS, 0.02) | {label: 0.86}
    return Paralinguistics(
        emotion=emotion, valence=Estimate(0.5, 0.7), arousal=Estimate(-0.4, 0.2), **more
    )


def recording(turns=1, events=(), seconds=10.0) -> Recording:
    spoken = [
        Turn(
            start := 0.5 + 3 * n,
            start + 2,
            (Reading(start + 0.7, how("sad")), Reading(start + 1.2, how())),
            how(),
            np.full(125, 200.0),
        )
        for n in range(turns)
    ]
    return Recording(seconds, tuple(spoken), events, np.full(625, 0.3, np.float32))


def texts(figure) -> set[str]:
    axes = figure.axes
    found = {text.get_text() for part in axes for text in part.texts}
    legends = [part.get_legend() for part in axes if part.get_legend()]
    found |= {text.get_text() for legend in legends for text in legend.get_texts()}
    return found | {part.get_title(loc="left") for part in axes}


def share_of_colour(figure, colour: str) -> float:
    """Share of the pixels that have about this colour."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3] / 255
    return float((np.abs(pixels - to_rgb(colour)).max(axis=-1) < 0.03).mean())


def size_of(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", data[16:24])


def test_a_recording_shows_its_sounds_emotions_and_feelings(tmp_path):
    events = (VocalEvent("laugh", 1.0, 1.8, 0.9), VocalEvent("cough", 1.9, 2.1, 0.9))

    figure = timeline_picture(recording(2, events), "call.wav")

    assert {"laugh", "cough", "valence", "arousal", *EMOTIONS} <= texts(figure)
    assert share_of_colour(figure, "#f0b840") > 0.02
    assert share_of_colour(figure, "#cf4452") < 0.02
    write(figure, tmp_path / "deep" / "down" / "call.png")
    width, height = size_of(tmp_path / "deep" / "down" / "call.png")
    assert width > height > 600


@pytest.mark.parametrize("seconds", [0.0, 0.1, 59.9, 3_600.0])
def test_any_length_can_be_drawn(seconds, tmp_path):
    write(timeline_picture(recording(0, seconds=seconds), "long"), tmp_path / "picture.png")

    assert size_of(tmp_path / "picture.png")[0] <= 3_200


def test_without_speech_the_picture_says_so():
    figure = timeline_picture(recording(0, (VocalEvent("cough", 1, 2, 0.5),)), "cough.wav")

    assert {"no speech", "cough"} <= texts(figure)
    assert len(figure.axes) == 1


def test_an_engine_that_tells_nothing_leaves_its_panels_empty(tmp_path):
    silent = Recording(
        3.0, (Turn(0.0, 2.0, (), Paralinguistics(), np.zeros(0)),), (), np.zeros(0, np.float32)
    )

    write(timeline_picture(silent, "a.wav"), tmp_path / "a.png")

    assert "valence" not in texts(timeline_picture(silent, "a.wav"))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("title", ["a$b$.wav", r"\frac{1}", "会話.wav", "x" * 300, ""])
def test_any_file_name_can_be_a_title(title, tmp_path):
    write(timeline_picture(recording(), title), tmp_path / "picture.png")

    assert size_of(tmp_path / "picture.png")


def test_a_confusion_shows_its_counts():
    matrix = metrics.confusion(["a"] * 7 + ["b"] * 3, ["a"] * 6 + ["b"] * 4, ["a", "b"])

    shown = texts(confusion_picture(matrix, "Letters"))

    assert {"6", "1", "3", "Letters"} <= shown
    assert "0" not in shown


def test_reliability_shows_the_calibration_error():
    bins = metrics.reliability([0.9, 0.9], [True, False])

    assert "Emotion, ECE 0.400" in texts(reliability_picture(bins, "Emotion"))
    assert "Emotion" in texts(reliability_picture(metrics.reliability([], []), "Emotion"))


def test_a_picture_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "taken").touch()

    with pytest.raises(PictureError, match=r"picture\.png cannot be written: "):
        write(timeline_picture(recording(), "a"), tmp_path / "taken" / "picture.png")
