"""Reading audio with Whisper, many pieces at once. Runs in workers.

The parts of faster-whisper's ``transcribe`` are put together anew here, since that reads the audio
of one person at a time: spectrogram, encoder, decoder and alignment run on batches.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.hearing.recognizers.faster_whisper.loudness import Loudness
from voice_agent.hearing.recognizers.faster_whisper.words import (
    ReadWord,
    heard,
    is_loop,
    joined,
    whole,
    without_loop,
)
from voice_agent.models.devices import DeviceName, Rank, device

FRAMES = 3000
"""Spectrogram frames that the encoder takes: 30 s."""

NO_SPEECH, UNLIKELY = 0.6, -1.0
"""A reading is taken for none with more than this probability of no speech, and less than this
mean log probability of its tokens: the thresholds of OpenAI's Whisper."""

TOKENS, TOKENS_PER_S = 32, 16
"""Bounds the length of a reading. People say about four tokens a second; a loop never ends."""

PROMPT_STEP, LONGEST_PROMPT = 16, 64
"""Tokens of a prompt. Only prompts of one length can be read in one batch, so it comes in steps."""

UNREAD_S, CONTINUATIONS = 1.0, 3
"""Sound behind the last word from which on it is read, too, and how often at most."""

PREPENDED, APPENDED = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"
"""Punctuation that belongs to the next and to the last word: faster-whisper's own lists."""


@dataclass(eq=False, slots=True)
class Request:
    """Audio to be read.

    Attributes:
        samples: At most 30 s of 16 kHz audio.
        prompt: What was said before it.
        dropped: Nobody waits for the reading any more. Set by the event loop.
    """

    samples: Samples
    prompt: str = ""
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """What readings must have in common to be one batch.

    Attributes:
        language: What is spoken; None to find it out.
        prompt_tokens: Length of the prompt.
        beam_size: Beams of the decoder.
    """

    language: str | None
    prompt_tokens: int
    beam_size: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read.

    Attributes:
        words: The words, with times from the beginning of the audio.
        loudness: Where in the audio something sounds.
        language: What is spoken; None where nothing was read.
        certainty: Probability of the language, where it was found out; else 1.
    """

    words: tuple[ReadWord, ...]
    loudness: Loudness
    language: str | None = None
    certainty: float = 1.0

    @classmethod
    def nothing(cls, samples: Samples) -> Self:
        """Of audio in which there is nothing to read."""
        return cls((), Loudness.of(samples))


class Reader:
    """A Whisper model on a device. Up to two threads may read at the same time."""

    def __init__(self, folder: Path, on: DeviceName, compute_type: str, hotwords: str) -> None:
        """Loads the model and reads something, so that whatever is missing is missed now.

        Raises:
            RuntimeError, ValueError, OSError: The model is broken, or cannot run here.
        """
        from faster_whisper import WhisperModel

        self._model: Any = WhisperModel(
            str(folder),
            device=on,
            compute_type=_compute_type(on) if compute_type == "default" else compute_type,
            # Half of the cores: its threads spin while they wait, and the voice must not.
            cpu_threads=max(1, (os.cpu_count() or 1) // 2),
            # The second one is for readings that must not wait for a partial one.
            num_workers=2,
            local_files_only=True,
        )
        self.device = on
        self._hotwords = hotwords.strip() or None
        self._tokenizers: dict[str, Any] = {}
        self.multilingual: bool = self._model.model.is_multilingual
        hum = np.sin(np.arange(HEARING_RATE) / 20).astype(np.float32)
        language = "en" if self.multilingual else None
        self._read([Request(hum)], Kind(language, 0, 1))

    def prompt_tokens(self, text: str) -> int:
        """How many tokens of a prompt are used: its last ones."""
        if not text:
            return 0
        tokens = min(len(self._tokenizer("en").encode(text)), LONGEST_PROMPT)
        return tokens - tokens % PROMPT_STEP

    def read(self, kind: Kind, requests: Sequence[Request]) -> list[Reading]:
        """Reads pieces of one kind. What cannot be speech is not read."""
        readings = self._read_once(kind, requests)
        return [
            self._read_on(request, kind, reading) if reading.words else reading
            for request, reading in zip(requests, readings, strict=True)
        ]

    def _read_on(self, request: Request, kind: Kind, reading: Reading) -> Reading:
        """Reads what follows the last word: Whisper sometimes takes a pause for the end."""
        for _ in range(CONTINUATIONS):
            end_s = reading.words[-1].end
            rest = request.samples[round(end_s * HEARING_RATE) :]
            if reading.loudness.sounding_s(after=end_s) < UNREAD_S or request.dropped:
                break
            before = f"{request.prompt} {joined(reading.words)}"
            more_kind = Kind(reading.language, self.prompt_tokens(before), kind.beam_size)
            (more,) = self._read_once(more_kind, [Request(rest, before)])
            if not more.words:
                break
            words = (*reading.words, *(word.later(end_s) for word in more.words))
            reading = replace(reading, words=words)
        return reading

    def _read_once(self, kind: Kind, requests: Sequence[Request]) -> list[Reading]:
        loud = [Loudness.of(request.samples) for request in requests]
        readings = [Reading((), loudness) for loudness in loud]
        wanted = [
            i for i, request in enumerate(requests) if loud[i].speech_like and not request.dropped
        ]
        if not wanted:
            return readings
        with device(self.device).turn(Rank.EAR):
            read = self._read([requests[i] for i in wanted], kind)
        for i, (pieces, language, certainty) in zip(wanted, read, strict=True):
            words = whole(pieces, language)
            if is_loop(joined(words)):
                if kind.prompt_tokens:
                    # Whisper goes on with what it was told of; without it, it listens.
                    alone = Kind(kind.language, 0, kind.beam_size)
                    readings[i] = self._read_once(alone, [requests[i]])[0]
                    continue
                words = without_loop(words)
            length_s = len(requests[i].samples) / HEARING_RATE
            kept = tuple(heard(words, loud[i], length_s))
            readings[i] = Reading(kept, loud[i], language, certainty)
        return readings

    def _read(
        self, requests: Sequence[Request], kind: Kind
    ) -> list[tuple[list[ReadWord], str, float]]:
        """Words as Whisper tells them, language, and how certain that is, for each request."""
        whisper = self._model
        features, frames = self._features(requests)
        encoded = whisper.encode(features)
        if all(request.dropped for request in requests):
            return [([], kind.language or "en", 0.0) for _ in requests]
        languages = self._languages(encoded, kind, len(requests))
        prompts = [
            self._prompt(language, request.prompt, kind.prompt_tokens)
            for (language, _), request in zip(languages, requests, strict=True)
        ]
        bounds = [
            TOKENS + round(TOKENS_PER_S * len(request.samples) / HEARING_RATE)
            for request in requests
        ]
        results = whisper.model.generate(
            encoded,
            prompts,
            beam_size=kind.beam_size,
            # CTranslate2 decodes half as many tokens, and none beyond this with the prompt.
            max_length=min(max(2 * max(bounds), len(prompts[0]) + max(bounds)), whisper.max_length),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=self._suppressed(languages[0][0]),
        )
        # Told to give no times, a model may give some all the same.
        text_end = self._tokenizer(languages[0][0]).eot
        tokens = [
            [] if _is_nothing(result) else [t for t in result.sequences_ids[0] if t < text_end]
            for result in results
        ]
        tokens = [said[:bound] for said, bound in zip(tokens, bounds, strict=True)]
        words = self._align(encoded, [language for language, _ in languages], tokens, frames)
        return [(found, *language) for found, language in zip(words, languages, strict=True)]

    def _features(self, requests: Sequence[Request]) -> tuple[NDArray[np.float32], list[int]]:
        """Spectrograms, padded to 30 s, and how many of their frames hold audio."""
        extractor = self._model.feature_extractor
        bands = self._model.model.n_mels
        features = np.zeros((len(requests), bands, FRAMES), np.float32)
        frames = []
        for i, request in enumerate(requests):
            spectrogram = extractor(request.samples)[:, :-1][:, :FRAMES]
            features[i, :, : spectrogram.shape[1]] = spectrogram
            frames.append(spectrogram.shape[1])
        return features, frames

    def _languages(self, encoded: Any, kind: Kind, count: int) -> list[tuple[str, float]]:
        if not self.multilingual:
            return [("en", 1.0)] * count
        if kind.language is not None:
            return [(kind.language, 1.0)] * count
        found = self._model.model.detect_language(encoded)
        return [(best[0][0][2:-2], best[0][1]) for best in found]

    def _prompt(self, language: str, before: str, tokens: int) -> list[int]:
        tokenizer = self._tokenizer(language)
        previous = tokenizer.encode(before)[-tokens:] if tokens else []
        prompt: list[int] = self._model.get_prompt(
            tokenizer, previous, without_timestamps=True, hotwords=self._hotwords
        )
        return prompt

    def _align(
        self,
        encoded: Any,
        languages: Sequence[str],
        tokens: Sequence[list[int]],
        frames: list[int],
    ) -> list[list[ReadWord]]:
        """Finds out when each word was said; one language at a time, as the model wants it."""
        from faster_whisper.transcribe import merge_punctuations

        words: list[list[ReadWord]] = [[] for _ in tokens]
        for language in {one for one, said in zip(languages, tokens, strict=True) if said}:
            found = self._model.find_alignment(self._tokenizer(language), tokens, encoded, frames)
            for i, alignment in enumerate(found):
                if languages[i] == language:
                    merge_punctuations(alignment, PREPENDED, APPENDED)
                    words[i] = [
                        ReadWord(
                            one["word"],
                            float(one["start"]),
                            float(one["end"]),
                            float(one["probability"]),
                        )
                        for one in alignment
                    ]
        return words

    def _tokenizer(self, language: str) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        if language not in self._tokenizers:
            self._tokenizers[language] = Tokenizer(
                self._model.hf_tokenizer, self.multilingual, task="transcribe", language=language
            )
        return self._tokenizers[language]

    def _suppressed(self, language: str) -> list[int]:
        """Tokens of what is no speech: speakers' names, music, notes in brackets."""
        from faster_whisper.transcribe import get_suppressed_tokens

        return list(get_suppressed_tokens(self._tokenizer(language), [-1]))


def _is_nothing(result: Any) -> bool:
    tokens = len(result.sequences_ids[0])
    likely = result.scores[0] * tokens / (tokens + 1)
    return bool(result.no_speech_prob > NO_SPEECH and likely < UNLIKELY)


def _compute_type(on: DeviceName) -> str:
    """The number format that is fast there and costs no accuracy worth naming."""
    from ctranslate2 import get_supported_compute_types

    wanted = "int8" if on == "cpu" else "float16"
    return wanted if wanted in get_supported_compute_types(on) else "auto"
