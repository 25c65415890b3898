"""Trains the model of the voice: emotion and gender."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from voice_agent.audio.files import read_whole
from voice_agent.audio.pcm import Samples
from voice_agent.errors import ManifestError
from voice_agent.evaluation.manifest import Clip
from voice_agent.evaluation.metrics import Confusion
from voice_agent.hearing.paralinguistics.log_mel import log_mel
from voice_agent.hearing.paralinguistics.voice_model import (
    CLASSES,
    GENDERS,
    features,
    levelled,
    spectrum,
)
from voice_agent.training.paralinguistics import spectra
from voice_agent.training.paralinguistics.augmentation import vary
from voice_agent.training.paralinguistics.loop import Epoch, confused, fit, judged
from voice_agent.training.paralinguistics.network import VoiceEnsemble, VoiceNet
from voice_agent.training.paralinguistics.recipe import Recipe, Voice
from voice_agent.training.paralinguistics.recordings import Recordings

# Of speech that nobody labelled: read aloud, it is most of all neutral.
_PLAIN = {"neutral": 0.75, "calm": 0.1, "happy": 0.05, "sad": 0.05, "disgust": 0.05}
_USUAL_CLIPS = (6, 24)
_GENDER_WEIGHT = 0.2

Batch = tuple[Tensor, Tensor, Tensor, Tensor]
"""Spectrograms, emotion targets, gender targets, and weights of the latter."""


@dataclass(frozen=True, slots=True)
class Example:
    """A recording ready to train on.

    Attributes:
        mels: Its log-mel spectrogram and those of its variants, float16 of shape (frames, 64).
        spectrum: Mean spectrum of the recording, shape (64,).
        emotion: Target over ``CLASSES``.
        labelled: Whether that is a label rather than an assumption.
        gender: Index into ``GENDERS``, or None.
        speaker: Who speaks.
    """

    mels: tuple[NDArray[np.float16], ...]
    spectrum: NDArray[np.float32]
    emotion: NDArray[np.float32]
    labelled: bool
    gender: int | None
    speaker: str


@dataclass(frozen=True, slots=True)
class Fitted:
    """A trained model of the voice.

    Attributes:
        network: The ensemble, on the CPU, in evaluation mode.
        average: Mean spectrum of the training speakers, shape (64,).
        temperature: What the emotion logits are divided by.
        gender_temperature: What those of gender are divided by.
        confusion: On the speakers kept aside.
        curves: Of each member, its passes.
    """

    network: VoiceEnsemble
    average: NDArray[np.float32]
    temperature: float
    gender_temperature: float
    confusion: Confusion
    curves: tuple[tuple[Epoch, ...], ...]


def check(recordings: Recordings) -> None:
    """Makes sure that there is something to learn.

    Raises:
        ManifestError: There are fewer than two emotions.
    """
    if len({clip.emotion for clip in recordings.train} - {None}) < 2:
        raise ManifestError(
            "the recordings to train on have fewer than two emotions; "
            "--only vocal_events trains the other model alone"
        )


def train(
    recordings: Recordings,
    noises: Sequence[Samples],
    recipe: Recipe,
    device: torch.device,
    tell: Callable[[str, float], None],
) -> Fitted:
    """Trains the ensemble.

    Args:
        recordings: Clips with an emotion; those with neither emotion nor sound label are taken
            for plain speech.
        noises: Recordings to take noise from.
        recipe: Lengths, rates and chances.
        device: Where to train.
        tell: Told what is under way, and how far it is from 0 to 1.
    """
    settings = recipe.voice
    spoken = [clip for clip in recordings.train if clip.event is None]
    tell("variants", 0.0)
    examples = prepare(spoken, noises, settings, recipe.seed)
    kept = [clip for clip in recordings.dev if clip.event is None and clip.emotion is not None]
    dev = prepare(kept, noises, settings.model_copy(update={"variants": 2}), recipe.seed)
    average = np.mean([e.spectrum for e in examples if e.labelled], axis=0)
    members: list[VoiceNet] = []
    curves: list[tuple[Epoch, ...]] = []
    for member in range(settings.members):
        torch.manual_seed(recipe.seed + member)
        passes: list[Epoch] = []

        def pass_done(epoch: Epoch, member: int = member, passes: list[Epoch] = passes) -> None:
            passes.append(epoch)
            done = member + epoch.number / settings.fit.epochs
            told = f"voice {member + 1}/{settings.members}: loss {epoch.loss:.3f}"
            tell(f"{told}, dev {epoch.dev_loss:.3f}, UAR {epoch.score:.3f}", done)

        feed = _Feed(examples, average, settings, recipe.seed + member)
        network = fit(
            VoiceNet(settings.width, len(CLASSES), settings.fit.dropout),
            feed.batches,
            feed.count,
            partial(_loss, device=device, settings=settings),
            partial(_judge, dev=dev, average=average, device=device),
            settings.fit,
            device,
            pass_done,
        )
        assert isinstance(network, VoiceNet)
        members.append(network)
        curves.append(tuple(passes))
    ensemble = VoiceEnsemble(members).eval()
    emotions, genders = _read(ensemble, dev, average, torch.device("cpu"))
    targets = _targets(dev)
    known = [i for i, (e, _) in enumerate(_heard(dev)) if e.gender is not None]
    gender_targets = torch.tensor([e.gender for e, _ in _heard(dev) if e.gender is not None])
    return Fitted(
        ensemble,
        average.astype(np.float32),
        temperature(emotions, targets),
        temperature(genders[known], gender_targets),
        confused(emotions, targets, CLASSES),
        tuple(curves),
    )


def prepare(
    clips: Sequence[Clip], noises: Sequence[Samples], settings: Voice, seed: int
) -> list[Example]:
    """Reads recordings and makes their variants, on all cores."""
    seeds = [(seed, index) for index in range(len(clips))]
    with ProcessPoolExecutor(
        os.cpu_count(), initializer=_share, initargs=(noises, settings)
    ) as pool:
        return list(pool.map(_prepare, clips, seeds, chunksize=8))


def temperature(logs: Tensor, targets: Tensor) -> float:
    """The temperature that makes the posteriors likeliest (Guo et al. 2017); 1 without data."""
    if not len(targets):
        return 1.0
    candidates = np.exp(np.linspace(np.log(0.3), np.log(3.0), 93))
    rows = logs.double()
    losses = [float(functional.cross_entropy(rows / t, targets)) for t in candidates]
    return float(candidates[int(np.argmin(losses))])


_shared: tuple[Sequence[Samples], Voice] = ((), Voice())
"""In a process that prepares: the noises, sent there once, and the settings."""


def _share(noises: Sequence[Samples], settings: Voice) -> None:
    global _shared
    _shared = noises, settings


def _prepare(clip: Clip, seed: tuple[int, int]) -> Example:
    noises, settings = _shared
    random = np.random.default_rng(seed)
    samples = read_whole(clip.path)
    variants = [vary(samples, settings.chances, noises, random) for _ in range(settings.variants)]
    target = np.zeros(len(CLASSES), np.float32)
    shares = _PLAIN if clip.emotion is None else {clip.emotion: 1.0}
    for name, share in shares.items():
        target[CLASSES.index(name)] = share
    mels = tuple(log_mel(one).astype(np.float16) for one in (samples, *variants))
    return Example(
        mels,
        spectrum(mels[0].astype(np.float32)),
        target,
        clip.emotion is not None,
        GENDERS.index(clip.gender) if clip.gender else None,
        clip.speaker or str(clip.path),
    )


class _Feed:
    """Draws the batches of one member's training."""

    def __init__(
        self, examples: Sequence[Example], average: NDArray[np.float32], settings: Voice, seed: int
    ) -> None:
        self._labelled = [e for e in examples if e.labelled]
        self._average = average
        self._settings = settings
        self._random = np.random.default_rng((seed, 1))
        self._speakers: dict[str, list[Example]] = {}
        for example in self._labelled:
            self._speakers.setdefault(example.speaker, []).append(example)
        plain: dict[str, list[Example]] = {}
        for example in examples:
            if not example.labelled:
                plain.setdefault(example.speaker, []).append(example)
        self._plain = list(plain.values())
        self._plain_count = round(settings.plain * len(self._labelled)) if plain else 0
        self.count = (len(self._labelled) + self._plain_count) // settings.fit.batch

    def batches(self) -> Iterator[Batch]:
        """The batches of a pass."""
        size = self._settings.fit.batch
        drawn = list(self._labelled)
        for _ in range(self._plain_count):
            # Every speaker counts the same, however much there is of one.
            group = self._plain[self._random.integers(len(self._plain))]
            drawn.append(group[self._random.integers(len(group))])
        order = self._random.permutation(len(drawn))
        for begin in range(0, self.count * size, size):
            yield self._batch([drawn[i] for i in order[begin : begin + size]])

    def _batch(self, examples: Sequence[Example]) -> Batch:
        mels = torch.from_numpy(np.stack([self._spectrogram(e) for e in examples]))
        emotions = torch.from_numpy(np.stack([e.emotion for e in examples]))
        genders = torch.tensor([e.gender or 0 for e in examples])
        known = torch.tensor([float(e.gender is not None) for e in examples])
        gender = functional.one_hot(genders, len(GENDERS)).float()
        if self._random.random() < self._settings.fit.mixing:
            share = float(self._random.beta(0.4, 0.4))
            other = torch.from_numpy(self._random.permutation(len(examples)))
            mels = share * mels + (1 - share) * mels[other]
            emotions = share * emotions + (1 - share) * emotions[other]
            gender = share * gender + (1 - share) * gender[other]
            known = known * known[other]
        return mels, emotions, gender, known

    def _spectrogram(self, example: Example) -> NDArray[np.float32]:
        random, settings = self._random, self._settings
        mel = example.mels[int(random.integers(len(example.mels)))].astype(np.float32)
        microphone = spectra.microphone(settings.gain, settings.colour, random)
        usual = self._usual(example.speaker)
        mel = mel + microphone
        # The speaker's other recordings came through the same microphone.
        reference = levelled(self._average, mel) if usual is None else usual + microphone
        seen = features(mel, reference)
        return spectra.gap(spectra.cut(seen, settings.frames, random).copy(), random)

    def _usual(self, speaker: str) -> NDArray[np.float32] | None:
        """The speaker's usual spectrum, as it shows in some recordings; None: not known."""
        others = self._speakers.get(speaker, [])
        if len(others) < _USUAL_CLIPS[1] or self._random.random() >= self._settings.usual:
            return None
        count = self._random.integers(*_USUAL_CLIPS)
        chosen = self._random.choice(len(others), count, replace=False)
        heard = [others[i].spectrum for i in chosen]
        mean: NDArray[np.float32] = np.mean(heard, axis=0, dtype=np.float32)
        return mean


def _loss(network: nn.Module, batch: Batch, device: torch.device, settings: Voice) -> Tensor:
    mels, emotions, genders, known = (part.to(device) for part in batch)
    emotion, gender = network(mels.to(memory_format=torch.channels_last))
    smoothing = settings.fit.smoothing
    wanted = emotions * (1 - smoothing) + smoothing / len(CLASSES)
    loss = functional.cross_entropy(emotion.float(), wanted)
    of_gender = functional.cross_entropy(gender.float(), genders, reduction="none")
    return loss + _GENDER_WEIGHT * (of_gender * known).sum() / known.sum().clamp_min(1.0)


def _judge(
    network: nn.Module, dev: Sequence[Example], average: NDArray[np.float32], device: torch.device
) -> tuple[float, float]:
    emotions, _ = _read(network, dev, average, device)
    return judged(emotions, _targets(dev))


def _heard(examples: Sequence[Example]) -> list[tuple[Example, NDArray[np.float16]]]:
    """Each recording and each of its variants, with the example that it is of."""
    return [(example, mel) for example in examples for mel in example.mels]


def _targets(examples: Sequence[Example]) -> Tensor:
    return torch.tensor([int(e.emotion.argmax()) for e, _ in _heard(examples)], dtype=torch.long)


@torch.no_grad()  # type: ignore[untyped-decorator]
def _read(
    network: nn.Module,
    examples: Sequence[Example],
    average: NDArray[np.float32],
    device: torch.device,
) -> tuple[Tensor, Tensor]:
    """Log-posteriors of emotion and of gender for all that ``_heard`` gives."""
    emotions, genders = [torch.zeros(0, len(CLASSES))], [torch.zeros(0, len(GENDERS))]
    for _, mel in _heard(examples):
        heard = mel.astype(np.float32)
        seen = torch.from_numpy(features(heard, levelled(average, heard))[None]).to(device)
        emotion, gender = network(seen)
        emotions.append(torch.log_softmax(emotion.float(), -1).cpu())
        genders.append(torch.log_softmax(gender.float(), -1).cpu())
    return torch.cat(emotions), torch.cat(genders)
