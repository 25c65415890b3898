"""Clips picked out of recordings: by what is heard, joined where they are short."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voice_agent.audio.pcm import SPEAKING_RATE, Samples
from voice_agent.events import Estimate, Manner, Paralinguistics, VocalEvent
from voice_agent.hearing.vad import VadModel
from voice_agent.voice_making.picking import Picking, pick

Recorder = Callable[..., Path]


class Hears:
    """An analyzer that hears in each recording what the test says, told apart by its loudness."""

    def __init__(self, by_gain: dict[float, Paralinguistics]) -> None:
        self._by_level = {-17 + 20 * np.log10(gain): how for gain, how in by_gain.items()}
        self.learned = 0

    async def open(self) -> "Hears":
        return self

    async def analyze(self, samples: Samples, manner: Manner) -> Paralinguistics:
        peak = 20 * np.log10(np.abs(samples).max())
        return self._by_level[min(self._by_level, key=lambda level: abs(level + 3 - peak))]

    async def learn(self, samples: Samples) -> None:
        self.learned += 1

    async def close(self) -> None:
        pass


def sounds(label: str, share: float, **more: Any) -> Paralinguistics:
    rest = {"other": 1 - share}
    return Paralinguistics(emotion={label: share, **rest}, uncertain=False, **more)


def emotions(picking: Picking) -> dict[str, list[str]]:
    return {one.emotion: [h.take.path.name for h in one.takes] for one in picking.clips}


@pytest.fixture
def short(sentences: np.ndarray) -> np.ndarray:
    return sentences[: 2 * SPEAKING_RATE]


async def test_short_takes_of_an_emotion_make_one_clip(
    short: np.ndarray, record: Recorder, vad: VadModel
) -> None:
    paths = [record(short, f"{name}.wav", gain=0.5) for name in "abc"]
    paths.append(record(short, "d.wav", gain=2.0))
    hears = Hears({0.5: sounds("sad", 0.8), 2.0: sounds("anger", 0.9)})
    steps = []
    picking = await pick(paths, hears, vad, lambda: steps.append(1))

    assert emotions(picking) == {"sad": ["a.wav", "b.wav", "c.wav"]}
    (clip,) = picking.clips
    assert clip.samples.size / SPEAKING_RATE == pytest.approx(3 * 2.2, abs=0.7)
    assert clip.samples.dtype == np.float32
    assert [name for name, _ in picking.too_little] == ["angry"]
    assert hears.learned == len(paths)
    assert len(steps) == 2 * len(paths)


async def test_the_surest_takes_are_picked(
    sentences: np.ndarray, record: Recorder, vad: VadModel
) -> None:
    part = sentences[: 4 * SPEAKING_RATE]
    paths = [record(part, f"{gain}.wav", gain=gain) for gain in (0.5, 0.7, 0.9)]
    picking = await pick(
        paths,
        Hears({0.5: sounds("happy", 0.6), 0.7: sounds("happy", 0.98), 0.9: sounds("happy", 0.95)}),
        vad,
    )
    assert emotions(picking) == {"happy": ["0.7.wav", "0.9.wav"]}


@pytest.mark.parametrize(
    ("how", "emotion"),
    [
        (sounds("neutral", 0.9), "neutral"),
        (sounds("neutral", 0.9, calm=0.8), "comfort"),
        (sounds("happy", 0.9, arousal=Estimate(0.6, 0.8)), "joyful"),
        (sounds("happy", 0.9, arousal=Estimate(0.1, 0.8)), "happy"),
        (sounds("sad", 0.9, events=(VocalEvent("cry", 0, 1, 0.9),)), "tearful"),
        (sounds("fear", 0.9), "afraid"),
        (sounds("other", 0.9), None),
        (sounds("sad", 0.45), None),
        (Paralinguistics(emotion={"sad": 0.9}, uncertain=True), None),
        (Paralinguistics(), None),
    ],
)
async def test_what_is_heard_becomes_an_emotion_of_the_voice(
    sentences: np.ndarray,
    record: Recorder,
    vad: VadModel,
    how: Paralinguistics,
    emotion: str | None,
) -> None:
    picking = await pick([record(sentences)], Hears({1.0: how}), vad)
    assert list(emotions(picking)) == ([emotion] if emotion else [])


async def test_a_finer_emotion_that_is_rare_counts_as_the_coarser(
    short: np.ndarray, record: Recorder, vad: VadModel
) -> None:
    joyful = sounds("happy", 0.9, arousal=Estimate(0.6, 0.8))
    paths = [record(short, f"{gain}.wav", gain=gain) for gain in (0.5, 1.0)]
    picking = await pick(paths, Hears({0.5: joyful, 1.0: sounds("happy", 0.9)}), vad)
    assert list(emotions(picking)) == ["happy"]


async def test_what_cannot_be_used_is_told(
    sentences: np.ndarray, record: Recorder, vad: VadModel, tmp_path: Path
) -> None:
    (tmp_path / "letter.wav").write_text("no audio")
    paths = [
        record(sentences, "good.wav"),
        record(sentences, "noisy.wav", noise_db=-36),
        record(np.zeros(48_000), "silent.wav"),
        record(sentences[:12_000], "short.wav"),
        tmp_path / "letter.wav",
    ]
    picking = await pick(paths, Hears({1.0: sounds("sad", 0.9)}), vad)
    assert emotions(picking) == {"sad": ["good.wav"]}
    why = {path.name: reason for path, reason in picking.unused}
    assert set(why) == {"noisy.wav", "silent.wav", "short.wav", "letter.wav"}
    assert "noisy" in why["noisy.wav"]
    assert "no speech" in why["silent.wav"]
    assert "not audio" in why["letter.wav"]


async def test_an_actor_s_emotions_are_found_again(data: Path, vad: VadModel) -> None:
    """On a speaker that the embedded analyzer has never heard."""
    from voice_agent.hearing.paralinguistics.embedded import EmbeddedAnalyzer

    folder = data / "speech_emotion" / "ravdess" / "Actor_24"
    analyzer = await EmbeddedAnalyzer.create(EmbeddedAnalyzer.Options())
    # Third field of RAVDESS's names; the last of them is the repetition.
    labels = {"01": "neutral", "02": "comfort", "03": "joyful happy", "04": "sad tearful",
              "05": "angry", "06": "afraid", "07": "disgusted", "08": "surprised"}  # fmt: skip
    picking = await pick(sorted(folder.glob("*.flac")), analyzer, vad)
    await analyzer.close()
    taken = [
        one.emotion in labels[heard.take.path.name.split("-")[2]]
        for one in picking.clips
        for heard in one.takes
    ]
    assert len(picking.clips) >= 5
    assert sum(taken) >= 0.85 * len(taken)
