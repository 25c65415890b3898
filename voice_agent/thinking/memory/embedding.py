"""Sentence embeddings by a model of the transformers library, to recall by meaning."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from voice_agent.errors import EngineUnavailable
from voice_agent.models import installed, local_transformers
from voice_agent.models.loading import alone
from voice_agent.workers import Worker

Vectors = npt.NDArray[np.float32]

_BATCH = 32
_LONGEST = 128
"""Tokens of a text that are read; memories and most turns are shorter."""


class Embedder:
    """Turns texts into vectors of length 1, in a thread of its own; shared by all sessions.

    Attributes:
        model: The model's name, which tells its vectors from those of another.
    """

    def __init__(self, model: str, worker: Worker, loaded: tuple[Any, Any]) -> None:
        """Use ``create``."""
        self.model = model
        self._worker = worker
        self._loaded = loaded

    @classmethod
    async def create(cls, model: str) -> Self:
        """Loads a model from disk; nothing is downloaded.

        Args:
            model: Folder or hub name of a model with a tokenizer that ``AutoModel`` can load.

        Raises:
            EngineUnavailable: A package or the model is missing; says how to get it.
        """
        worker = Worker.thread("memory embedding")
        try:
            async with alone():
                return cls(model, worker, await worker.call(_load, model))
        except BaseException:
            worker.close()
            raise

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One vector a text."""
        return await self._worker.call(_embed, self._loaded, list(texts))

    async def close(self) -> None:
        """Gives the model back."""
        self._loaded = (None, None)
        self._worker.close()


def _load(model: str) -> tuple[Any, Any]:
    try:
        folder = installed.require(model)
        local_transformers.ensure()
    except EngineUnavailable as error:
        raise EngineUnavailable(
            f"memory.embedding: {error}; or set memory.embedding to null"
        ) from error
    from transformers import AutoModel, AutoTokenizer

    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        network: Any = AutoModel.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise EngineUnavailable(
            f"memory.embedding: {model} is no model with a tokenizer that transformers can load: "
            f"{error}"
        ) from error
    return tokenizer, network.eval()


def _embed(loaded: tuple[Any, Any], texts: list[str]) -> Vectors:
    import torch

    tokenizer, network = loaded
    pieces = []
    for start in range(0, len(texts), _BATCH):
        batch = tokenizer(
            texts[start : start + _BATCH],
            padding=True,
            truncation=True,
            max_length=_LONGEST,
            return_tensors="pt",
        )
        with torch.inference_mode():
            hidden = network(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)
        pieces.append(torch.nn.functional.normalize(mean, dim=1).float().numpy())
    return np.concatenate(pieces) if pieces else np.zeros((0, 0), np.float32)
