"""XTTS as a voice that streams: its audio is decoded while its language model is still writing.

Casanova et al. 2024, https://arxiv.org/abs/2406.04904. What ``Xtts.inference_stream`` of coqui-tts
does is done here token by token, with three differences: the language model writes all sentences
that are under way together, where the library keeps one on the model; the first piece is small and
later ones grow; and only new audio is decoded, with as much around it as it depends on, where
``inference_stream`` decodes all again for each piece and fades one into the other.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from voice_agent.audio.pcm import Samples
from voice_agent.speaking.synthesizers.coqui import decoding
from voice_agent.speaking.synthesizers.coqui.sentences import Sentence
from voice_agent.speaking.synthesizers.coqui.voice import Sound
from voice_agent.speaking.synthesizers.coqui.writing import Writer

_FIRST_TOKENS = 8
_MORE_TOKENS = (8, 12, 18, 24)
"""Tokens of 46 ms until the first piece is decoded, and each further one; the last for ever."""

_FALLBACK_LIMIT = 200
_PACE = 14.0
"""Characters a second, until the voice has been measured."""
_PACES = (5.0, 40.0)
_PATIENCE = 3.5
"""A sentence is ended when it is this many times as long as its text lets expect, and two seconds:
the model sometimes misses its end and babbles on."""
_PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True)
class Style:
    """How a voice sounds: what XTTS makes of recordings of it.

    Attributes:
        latents: Conditions the language model; shape (1, positions, width).
        speaker: Conditions the decoder; shape (1, width, 1).
    """

    latents: Any
    speaker: Any


class XttsVoice:
    """An XTTS model of coqui-tts as a voice (``voice.Voice``).

    Args:
        model: A ``TTS.tts.models.xtts.Xtts`` in evaluation mode.
        language: What it speaks, as ``en``.
        styles: Its styles by reply emotion; ``neutral`` at least.
        rows: Sentences that its language model writes at once.
    """

    together = True

    def __init__(self, model: Any, language: str, styles: Mapping[str, Style], rows: int) -> None:
        decoder = model.hifigan_decoder
        self.rate = int(decoder.output_sample_rate)
        self.limit = int(model.tokenizer.char_limits.get(language.split("-")[0], _FALLBACK_LIMIT))
        self.language = language
        self._writer = Writer(model, rows)
        self._model = model
        self._styles = styles
        self._pace = _PACE
        self._token_s = decoder.ar_mel_length_compression / decoder.input_sample_rate

    def has_style(self, emotion: str) -> bool:
        """Whether there are recordings of the voice in the emotion."""
        return emotion in self._styles and emotion != "neutral"

    def say(
        self, sentence: Sentence, emotion: str, speed: float, seed: int
    ) -> Iterator[Sound | None]:
        """See ``voice.Voice``. The times of words are estimates out of the pace of the voice."""
        style = self._styles.get(emotion, self._styles["neutral"])
        decoder = _Decoder(self._model.hifigan_decoder, style, speed)
        times = _WordTimes(sentence, self._pace * speed / self.rate)
        expected_s = _PATIENCE_S + _PATIENCE * len(sentence.said) / self._pace
        tokens = self._writer.write(
            sentence.said, self.language, style.latents, seed, int(expected_s / self._token_s)
        )
        sizes = iter((_FIRST_TOKENS, *_MORE_TOKENS))
        size = next(sizes)
        waiting: list[Any] = []
        with closing(tokens):
            for latent in tokens:
                if latent is not None:
                    waiting.append(latent)
                if len(waiting) < size:
                    yield None
                    continue
                samples = decoder.take(waiting)
                waiting = []
                size = next(sizes, size)
                yield Sound(samples, times.until(decoder.given))
        samples = decoder.take(waiting, last=True)
        yield Sound(samples, times.rest(decoder.given))
        self._measure(len(sentence.said), decoder.given / self.rate * speed)

    def _measure(self, characters: int, seconds: float) -> None:
        """Learns the pace of the voice from a whole sentence."""
        if seconds > 0:
            measured = max(_PACES[0], min(_PACES[1], characters / seconds))
            self._pace += 0.3 * (measured - self._pace)


class _Decoder:
    """Turns what the language model writes into audio, each piece once.

    Attributes:
        given: Samples given so far.
    """

    def __init__(self, decoder: Any, style: Style, speed: float) -> None:
        self._decoder = decoder
        self._generator = decoder.waveform_decoder
        self._hop = decoding.hop(self._generator)
        self._reach = decoding.reach(self._generator)
        self._style = style
        self._scales = [
            1.0 / speed,
            decoder.ar_mel_length_compression / decoder.output_hop_length,
            decoder.output_sample_rate / decoder.input_sample_rate,
        ]
        # Between two tokens is interpolated: the last one's frames wait for the one after it.
        self._open = math.ceil(math.prod(self._scales))
        self._latents: list[Any] = []
        self._frames = 0
        self.given = 0

    def take(self, latents: list[Any], last: bool = False) -> Samples:
        """Takes more; returns the audio that can no longer change."""
        self._latents.extend(latents)
        if not self._latents:
            return np.zeros(0, np.float32)
        with torch.inference_mode():
            frames = torch.cat(self._latents)[None].transpose(1, 2)
            for scale in self._scales:
                if scale != 1.0 and frames.shape[2] * scale >= 1:
                    frames = torch.nn.functional.interpolate(
                        frames, scale_factor=[scale], mode="linear"
                    )
            count = int(frames.shape[2])
            fixed = count if last else count - self._open
            end = count if last else fixed - self._reach
            if end <= self._frames:
                return np.zeros(0, np.float32)
            left = max(0, self._frames - self._reach)
            audio = self._generator(frames[:, :, left:fixed], g=self._style.speaker)[0, 0]
            audio = audio[(self._frames - left) * self._hop : (end - left) * self._hop]
            samples: Samples = audio.float().cpu().numpy()
        self._frames = end
        self.given += samples.size
        return samples


class _WordTimes:
    """Where words probably begin: the model aligns nothing, so the pace of the voice tells."""

    def __init__(self, sentence: Sentence, characters_a_sample: float) -> None:
        self._sizes = [len(word.said) for word in sentence.words]
        self._samples_a_character = 1 / characters_a_sample
        self._next = 0.0  # where the next word begins by that

    def until(self, end: int) -> list[int]:
        """The starts before ``end``."""
        starts = []
        while self._sizes and self._next < end:
            starts.append(round(self._next))
            self._next += self._sizes.pop(0) * self._samples_a_character
        return starts

    def rest(self, end: int) -> list[int]:
        """The starts that are left, now that the sentence is known to end at ``end``."""
        begin = min(self._next, float(end))
        left = sum(self._sizes)
        self._samples_a_character = max(0.0, end - begin) / left if left else 0.0
        self._next = begin
        return self.until(end) + [end] * len(self._sizes)
