"""The language model of XTTS, a GPT-2 that writes audio in tokens, for many sentences at once.

Imports torch and transformers; imported only where a model is loaded.
"""

import logging
from collections.abc import Sequence
from typing import Any

import torch

from voice_agent.models.slots import masks
from voice_agent.models.slots.batches import Batch, Row
from voice_agent.models.slots.cache import SlotCache, Span
from voice_agent.models.slots.graphs import Graphs, captured
from voice_agent.speaking.synthesizers.coqui.needs import row_length

log = logging.getLogger(__name__)


class LanguageModel:
    """The language model with a memory of rows, each of one sentence; used by one thread.

    A row begins with what is to be said and how, as embeddings; tokens of audio follow, from the
    one that starts them. On a GPU the passes that write tokens are captured as CUDA graphs.

    Attributes:
        rows: Rows that there are.
    """

    def __init__(self, model: Any, rows: int) -> None:
        """Wraps the model; nothing is computed yet.

        Args:
            model: A ``TTS.tts.models.xtts.Xtts`` in evaluation mode, on its device.
            rows: Rows that the memory is to hold.
        """
        self.rows = rows
        self._gpt = model.gpt
        self._device: torch.device = model.device
        self._cache = SlotCache(rows, row_length(model.args))
        # Where the tokens of each row begin: they have places of their own, counted from there.
        self._begins = torch.zeros(rows, dtype=torch.long, device=self._device)
        self._graphs: Graphs | None = None

    @property
    def start(self) -> int:
        """The token before the first."""
        return int(self._gpt.start_audio_token)

    @property
    def stop(self) -> int:
        """The token after the last."""
        return int(self._gpt.stop_audio_token)

    def prefix(self, conditioning: torch.Tensor, text: Sequence[int]) -> torch.Tensor:
        """What a row begins with.

        Args:
            conditioning: How to say it: latents of a voice, [1, positions, width].
            text: What to say, in the tokenizer's tokens.

        Returns:
            Embeddings of [1, positions, width].
        """
        ids = torch.tensor([text], dtype=torch.int, device=self._device)
        # It leaves them on the model, where another sentence's may lie by the next token.
        self._gpt.compute_embeddings(conditioning, ids)
        prefix: torch.Tensor = self._gpt.gpt_inference.cached_prefix_emb
        return prefix

    def read(self, slot: int, prefix: torch.Tensor, tokens: Sequence[int]) -> torch.Tensor:
        """Reads a row from its beginning, all that was written of it included.

        Returns:
            The latent after it: [1, width].
        """
        begin = prefix.shape[1]
        used = begin + len(tokens)
        self._begins[slot] = begin
        written = self._embedded(self._tensor([tokens]), self._tensor([range(len(tokens))]))
        span = Span(slice(slot, slot + 1), self._tensor([range(used)]), used)
        return self._compute(torch.cat([prefix, written], dim=1), span)

    def write(self, rows: Sequence[Row]) -> torch.Tensor:
        """Reads the last token of each row, together.

        Returns:
            The latents after them, which the decoder takes: [rows, width].
        """
        if self._graphs is not None and (latents := self._graphs.run(rows)) is not None:
            return latents
        batch, which = Batch.in_order(rows)
        span = Span.of(batch, self._device)
        tokens = self._tensor(batch.tokens)
        if len(rows) == 1:
            # Of a row alone the library knows best how it is computed.
            return self._compute(self._embedded(tokens, self._places(span)), span)
        return self.masked(tokens, span)[which]

    def masked(
        self, tokens: torch.Tensor, span: Span, last: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The latents after one token in each row, whose lengths differ; see ``Graphs``."""
        given = self._embedded(tokens, self._places(span))
        mask = masks.make(self._gpt.gpt.config, span.positions, span.used, given.dtype)
        return self._compute(given, span, attention_mask=mask)

    def scores(self, latents: torch.Tensor) -> torch.Tensor:
        """Scores of the tokens that may follow latents: float32, [rows, tokens]."""
        scores: torch.Tensor = self._gpt.mel_head(latents).float()
        return scores

    def clear(self, slot: int) -> None:
        """Empties a row whose numbers are no longer any: they would spoil others in its place."""
        self._cache.clear(slot)

    def prepare(self) -> None:
        """Captures passes where there is a GPU; they are used from then on if they are right.

        Not verified on a GPU. To be called before any row is read: it writes over all of them.
        """
        if self._device.type != "cuda":
            return
        prefix = torch.zeros(1, 2, self._gpt.model_dim, device=self._device)
        self.read(0, prefix, [self.start])  # makes room
        graphs = captured("the voice", self, self._cache, self._device, parts=())
        if graphs is not None and self._are_right(graphs, prefix):
            self._graphs = graphs

    def _are_right(self, graphs: Graphs, prefix: torch.Tensor) -> bool:
        """Whether captured passes compute what passes do, of one row and of all."""
        tokens = [self.start, self.stop]
        for slot in range(self.rows):
            self.read(slot, prefix, tokens)
        at = prefix.shape[1] + len(tokens) - 1
        rows = [Row(slot, at, tokens[-1:]) for slot in range(self.rows)]
        for some in (rows[:1], rows):
            found, expected = graphs.run(some), self.write(some)
            if found is None or not torch.allclose(found, expected, rtol=0.02, atol=0.02):
                log.warning("the voice runs without CUDA graphs: they compute something else")
                return False
        return True

    def _places(self, span: Span) -> torch.Tensor:
        """Where tokens stand among those of their row; what only fills up stands anywhere."""
        places = span.positions - self._begins[span.rows][:, None]
        return places.clamp(0, self._gpt.mel_pos_embedding.seq_len - 1)

    def _embedded(self, tokens: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        embedded: torch.Tensor = self._gpt.mel_embedding(tokens)
        return embedded + self._gpt.mel_pos_embedding.emb(places)

    def _compute(self, given: torch.Tensor, span: Span, **more: Any) -> torch.Tensor:
        self._cache.span = span
        hidden = self._gpt.gpt(
            inputs_embeds=given,
            position_ids=span.positions,
            past_key_values=self._cache,
            use_cache=True,
            **more,
        ).last_hidden_state[:, -1]
        latents: torch.Tensor = self._gpt.final_norm(hidden)
        return latents

    def _tensor(self, numbers: Sequence[Sequence[int]]) -> torch.Tensor:
        return torch.tensor([list(row) for row in numbers], device=self._device)
