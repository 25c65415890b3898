"""Whisper by transformers as a recognizer, for machines on which CTranslate2 has no GPU.

It reads in batches over all conversations and computes all of a reading: features, the encoder over
half a minute, and as many tokens as six seconds have. What it says is given.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from random_models import READING_TOKENS
from transformers import WhisperFeatureExtractor

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.batching import Batcher
from voice_agent.events import Hypothesis
from voice_agent.models.devices import Rank, device
from voice_agent.workers import Worker

MOST = 8
LINGER_S = {"cpu": 0.0, "cuda": 0.004}
PARTIAL = HEARING_RATE
"""Samples from one partial reading to the next."""


class TorchWhisper:
    """All conversations share the model and one thread."""

    name: ClassVar[str] = "transformers_whisper"

    def __init__(self, model: Any, says: str) -> None:
        self.says = says
        self._model = model
        self._on = model.device.type
        self._features = WhisperFeatureExtractor(feature_size=model.config.num_mel_bins)
        self._worker = Worker.thread(self.name)
        self._finals, self._partials = (
            Batcher[None, Samples, int](self._worker, self._read, MOST, LINGER_S[self._on])
            for _ in range(2)
        )

    async def open(self) -> "TorchWhisperStream":
        return TorchWhisperStream(self)

    async def read(self, samples: Samples, *, final: bool = True) -> None:
        await (self._finals if final else self._partials).submit(None, samples)

    async def close(self) -> None:
        self._finals.close()
        self._partials.close()
        self._worker.close()

    @torch.inference_mode()
    def _read(self, _: None, turns: Sequence[Samples]) -> list[int]:
        model = self._model
        with device(self._on).turn(Rank.EAR):
            features = self._features(
                list(turns), sampling_rate=HEARING_RATE, return_tensors="pt", device=self._on
            )["input_features"]
            heard = model.get_encoder()(features.to(self._on, model.dtype))
            tokens = torch.full(
                (len(turns), 1), model.config.decoder_start_token_id, device=self._on
            )
            cache = None
            for _ in range(READING_TOKENS):
                result = model(
                    encoder_outputs=heard,
                    decoder_input_ids=tokens,
                    past_key_values=cache,
                    use_cache=True,
                )
                cache = result.past_key_values
                tokens = result.logits[:, -1:].argmax(-1)
            return [int(token) for token in tokens[:, 0].cpu()]


class TorchWhisperStream:
    """One person's speech, turn after turn."""

    def __init__(self, engine: TorchWhisper) -> None:
        self._engine = engine
        self._turn: list[Samples] = []
        self._unread = 0
        self._text = ""
        self._partial: asyncio.Task[None] | None = None

    async def feed(self, samples: Samples) -> Hypothesis:
        self._turn.append(samples)
        self._unread += samples.size
        if self._unread >= PARTIAL and self._partial is None:
            self._unread = 0
            self._partial = asyncio.create_task(self._read_partial())
        return Hypothesis(self._text)

    async def settle(self) -> Hypothesis:
        self._drop_partial()
        await self._engine.read(np.concatenate(self._turn))
        return Hypothesis(self._engine.says, stable=self._engine.says, final=True)

    async def reset(self) -> None:
        self._drop_partial()
        self._turn, self._unread, self._text = [], 0, ""

    async def close(self) -> None:
        self._drop_partial()

    async def _read_partial(self) -> None:
        heard = np.concatenate(self._turn)
        await self._engine.read(heard, final=False)
        words = self._engine.says.split()
        self._text = " ".join(words[: 1 + 2 * heard.size // HEARING_RATE])
        self._partial = None

    def _drop_partial(self) -> None:
        if self._partial is not None:
            self._partial.cancel()
            self._partial = None
