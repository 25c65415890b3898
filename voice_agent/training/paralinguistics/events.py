"""Trains the model of vocal events, on a second of sound at a time."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from voice_agent.audio.files import read_whole
from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.errors import ManifestError
from voice_agent.evaluation.manifest import Clip
from voice_agent.evaluation.metrics import Confusion
from voice_agent.hearing.paralinguistics.event_model import CLASSES, FRAMES, windows
from voice_agent.hearing.paralinguistics.log_mel import BANDS, log_mel
from voice_agent.training.paralinguistics import spectra
from voice_agent.training.paralinguistics.augmentation import add_noise, coloured_noise, vary
from voice_agent.training.paralinguistics.loop import Epoch, confused, fit, judged
from voice_agent.training.paralinguistics.network import EventNet
from voice_agent.training.paralinguistics.recipe import Events, Recipe
from voice_agent.training.paralinguistics.recordings import Recordings

_NONE, _SPEECH = CLASSES.index("none"), CLASSES.index("speech")
_SHARES = {"none": 0.28, "speech": 0.12}
_ROOM = 3 * HEARING_RATE // 2
_ACTIVE = 0.1
_AUDIBLE = 0.06
_LEVELS_DB = (-40.0, -12.0)
_BLOCK = HEARING_RATE // 20
_SPEECH_CLIPS = 500


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording and its level every 50 ms, over a tenth of a second."""

    samples: Samples
    levels: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A trained model of vocal events.

    Attributes:
        network: On the CPU, in evaluation mode.
        average: Mean spectrum of the training windows, shape (64,).
        confusion: On the windows kept aside.
        curve: The passes.
    """

    network: EventNet
    average: NDArray[np.float32]
    confusion: Confusion
    curve: tuple[Epoch, ...]


def check(recordings: Recordings) -> None:
    """Makes sure that there is something to learn.

    Raises:
        ManifestError: There are no vocal events, or no other sounds.
    """
    kinds = {_kind(clip) for clip in recordings.train}
    if not kinds - {_NONE, _SPEECH}:
        raise ManifestError(
            "no recording to train on is labelled as a vocal event; "
            "--only voice trains the other model alone"
        )
    if _NONE not in kinds:
        raise ManifestError(
            "training vocal events needs other sounds too, labelled as what they are"
        )


def train(
    recordings: Recordings,
    recipe: Recipe,
    device: torch.device,
    tell: Callable[[str, float], None],
) -> Fitted:
    """Trains the network.

    Args:
        recordings: Clips with a sound label; those without are taken for speech.
        recipe: Lengths, rates and chances.
        device: Where to train.
        tell: Told what is under way, and how far it is from 0 to 1.
    """
    settings = recipe.events
    tell("windows", 0.0)
    count = settings.windows
    mels, labels = make_windows(recordings.train, settings, count, (recipe.seed, 0))
    dev = make_windows(recordings.dev, settings, count // 10, (recipe.seed, 1))
    average = mels[:2000].astype(np.float32).mean((0, 1))
    random = np.random.default_rng((recipe.seed, 2))
    passes: list[Epoch] = []

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        order = random.permutation(len(mels))
        size = settings.fit.batch
        for begin in range(0, len(mels) // size * size, size):
            chosen = order[begin : begin + size]
            yield _batch(mels[chosen], labels[chosen], average, settings, random)

    def pass_done(epoch: Epoch) -> None:
        passes.append(epoch)
        told = f"events: loss {epoch.loss:.3f}, dev {epoch.dev_loss:.3f}"
        tell(f"{told}, UAR {epoch.score:.3f}", epoch.number / settings.fit.epochs)

    torch.manual_seed(recipe.seed)
    network = fit(
        EventNet(settings.width, len(CLASSES), settings.fit.dropout),
        batches,
        len(mels) // settings.fit.batch,
        partial(_loss, device=device, settings=settings),
        partial(_judge, dev=dev, average=average, device=device),
        settings.fit,
        device,
        pass_done,
    )
    assert isinstance(network, EventNet)
    logits = _logits(network, dev[0], average, torch.device("cpu"))
    confusion = confused(logits, torch.from_numpy(dev[1]), CLASSES)
    return Fitted(network, average, confusion, tuple(passes))


def make_windows(
    clips: Sequence[Clip], settings: Events, count: int, seed: tuple[int, int]
) -> tuple[NDArray[np.float16], NDArray[np.int64]]:
    """Makes examples of one second, on all cores.

    Returns:
        Log-mel spectrograms of shape (count, 98, 64) and indices into ``CLASSES``; none where the
        clips hold no vocal event.
    """
    random = np.random.default_rng((*seed, 0))
    silent = [clip for clip in clips if clip.event is None]
    chosen = random.permutation(len(silent))[:_SPEECH_CLIPS]
    clips = [clip for clip in clips if clip.event is not None] + [silent[i] for i in chosen]
    kinds = {_kind(clip) for clip in clips}
    if not kinds - {_NONE, _SPEECH}:
        return np.zeros((0, FRAMES, BANDS), np.float16), np.zeros(0, np.int64)
    workers = os.cpu_count() or 1
    parts = [count // workers + (i < count % workers) for i in range(workers)]
    with ProcessPoolExecutor(workers) as pool:
        made = list(
            pool.map(
                partial(_make, clips, settings),
                parts,
                [(*seed, 1 + i) for i in range(workers)],
            )
        )
    return np.concatenate([m for m, _ in made]), np.concatenate([k for _, k in made])


def _kind(clip: Clip) -> int:
    if clip.event is None:
        return _SPEECH
    return CLASSES.index(clip.event) if clip.event in CLASSES else _NONE


def _make(
    clips: Sequence[Clip], settings: Events, count: int, seed: tuple[int, ...]
) -> tuple[NDArray[np.float16], NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    sounds: dict[int, list[Sound]] = {}
    for clip in clips:
        samples = read_whole(clip.path)
        if np.mean(samples**2) > 1e-8:
            sounds.setdefault(_kind(clip), []).append(Sound(samples, _levels(samples)))
    kinds = sorted(sounds)
    rest = (1 - sum(_SHARES.values())) / (len(CLASSES) - len(_SHARES))
    shares = np.array([_SHARES.get(CLASSES[kind], rest) for kind in kinds])
    mels, labels = [], []
    for _ in range(count):
        kind = int(random.choice(kinds, p=shares / shares.sum()))
        sound = sounds[kind][random.integers(len(sounds[kind]))]
        samples, audible = _window(sound, settings, random)
        if random.random() < settings.chances.noise:
            samples = _with_noise(samples, sounds.get(_NONE, []), random)
        wanted = 10 ** (random.uniform(*_LEVELS_DB) / 20)
        rms = max(float(np.sqrt(np.mean(samples**2))), 1e-6)
        mels.append(log_mel(np.clip(samples * (wanted / rms), -1, 1).astype(np.float32)))
        labels.append(kind if audible or kind == _SPEECH else _NONE)
    return np.array(mels, np.float16).reshape(-1, FRAMES, BANDS), np.array(labels, np.int64)


def _window(sound: Sound, settings: Events, random: Generator) -> tuple[Samples, bool]:
    """A second around a loud place of a sound, and whether the sound can be heard in it."""
    active = np.flatnonzero(sound.levels > sound.levels.max() * _ACTIVE)
    centre = int(random.choice(active)) * _BLOCK + int(random.integers(-6000, 6000))
    begin = int(np.clip(centre - _ROOM // 2, 0, max(0, sound.samples.size - _ROOM)))
    piece = sound.samples[begin : begin + _ROOM]
    piece = np.pad(piece, (0, _ROOM - piece.size))
    chances = settings.chances.model_copy(update={"noise": 0.0})
    piece = vary(piece, chances, [], random)
    offset = int(random.integers(max(1, piece.size - HEARING_RATE)))
    piece = piece[offset : offset + HEARING_RATE]
    piece = np.pad(piece, (0, HEARING_RATE - piece.size))
    rms = float(np.sqrt(np.mean(piece**2)))
    if rms < 1e-6:
        piece = 1e-3 * coloured_noise(HEARING_RATE, random.uniform(0, 1.2), random)
    return piece, rms >= sound.levels.max() * _AUDIBLE


def _with_noise(samples: Samples, others: Sequence[Sound], random: Generator) -> Samples:
    if others and random.random() < 0.4:
        noise = others[int(random.integers(len(others)))].samples
        begin = int(random.integers(max(1, noise.size - HEARING_RATE)))
        noise = noise[begin : begin + HEARING_RATE]
        if np.mean(noise**2) > 1e-8:
            return add_noise(samples, noise, random.uniform(5, 25), random)
    noise = coloured_noise(samples.size, random.uniform(0, 1.2), random)
    return add_noise(samples, noise, random.uniform(5, 40), random)


def _levels(samples: Samples) -> NDArray[np.float32]:
    padded = np.pad(samples.astype(np.float64), _BLOCK)
    energy = np.concatenate(([0.0], np.cumsum(padded**2)))
    mean = (energy[2 * _BLOCK :] - energy[: -2 * _BLOCK]) / (2 * _BLOCK)
    levels: NDArray[np.float32] = np.sqrt(np.maximum(mean, 0))[:-1:_BLOCK].astype(np.float32)
    return levels


def _batch(
    mels: NDArray[np.float16],
    labels: NDArray[np.int64],
    average: NDArray[np.float32],
    settings: Events,
    random: Generator,
) -> tuple[Tensor, Tensor]:
    seen = np.concatenate([windows(mel.astype(np.float32), average) for mel in mels])
    inputs = torch.from_numpy(spectra.gap(seen, random))
    targets = functional.one_hot(torch.from_numpy(labels), len(CLASSES)).float()
    if random.random() < settings.fit.mixing:
        share = float(random.beta(0.4, 0.4))
        other = torch.from_numpy(random.permutation(len(labels)))
        inputs = share * inputs + (1 - share) * inputs[other]
        targets = share * targets + (1 - share) * targets[other]
    return inputs, targets


def _loss(
    network: nn.Module, batch: tuple[Tensor, Tensor], device: torch.device, settings: Events
) -> Tensor:
    inputs, targets = (part.to(device) for part in batch)
    logits = network(inputs.to(memory_format=torch.channels_last))
    smoothing = settings.fit.smoothing
    wanted = targets * (1 - smoothing) + smoothing / len(CLASSES)
    return functional.cross_entropy(logits.float(), wanted)


def _judge(
    network: nn.Module,
    dev: tuple[NDArray[np.float16], NDArray[np.int64]],
    average: NDArray[np.float32],
    device: torch.device,
) -> tuple[float, float]:
    mels, labels = dev
    return judged(_logits(network, mels, average, device), torch.from_numpy(labels))


@torch.no_grad()  # type: ignore[untyped-decorator]
def _logits(
    network: nn.Module,
    mels: NDArray[np.float16],
    average: NDArray[np.float32],
    device: torch.device,
) -> Tensor:
    rows = [torch.zeros(0, len(CLASSES))]
    for begin in range(0, len(mels), 256):
        part = mels[begin : begin + 256].astype(np.float32)
        seen = np.concatenate([windows(mel, average) for mel in part])
        rows.append(network(torch.from_numpy(seen).to(device)).float().cpu())
    return torch.cat(rows)
