"""Sentences that XTTS writes at once: in each pass of its language model a token of every one.

Imports torch and transformers; imported only where a model is loaded.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers.generation.logits_process import (
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from voice_agent.errors import EngineError
from voice_agent.models.slots.batches import Row
from voice_agent.speaking.synthesizers.coqui.language_model import LanguageModel

_IN_PLACE_OF_TEXT = 1
"""The token that the library counts as written, since it stands where the text is embedded."""


@dataclass(eq=False, slots=True)
class _Draft:
    """A sentence under way.

    Attributes:
        prefix: What its row begins with, [1, positions, width].
        random: Its draws.
        most: Tokens after which it is ended.
        stop: The token by which it ends itself.
        tokens: What was written, from the token that starts it.
        slot: Its row; None while it has none.
        fresh: Whether the outcome of a pass is still to be handed out.
        latent: That outcome, [1, width]; None where it had no row.
        number: Of that pass.
        broken: Whether its outcome was no numbers.
    """

    prefix: torch.Tensor
    random: torch.Generator
    most: int
    stop: int
    tokens: list[int]
    slot: int | None = None
    fresh: bool = False
    latent: torch.Tensor | None = None
    number: int = 0
    broken: bool = False

    @property
    def over(self) -> bool:
        """Whether its last token is written."""
        return self.broken or self.tokens[-1] == self.stop or len(self.tokens) > self.most

    @property
    def row(self) -> Row:
        """What it reads next, once its row has been read."""
        assert self.slot is not None
        return Row(self.slot, self.prefix.shape[1] + len(self.tokens) - 1, self.tokens[-1:])


class Writer:
    """Writes sentences, each in its own time, as many as have a row; used by one thread.

    Whoever asks for a token first has it computed for all that will ask. More sentences than rows
    wait; a sentence whose tokens are not taken gives up its row, and is read anew afterwards.

    Args:
        model: A ``TTS.tts.models.xtts.Xtts`` in evaluation mode.
        rows: Sentences that are written at once.
    """

    def __init__(self, model: Any, rows: int) -> None:
        self._model = model
        self._forward = LanguageModel(model, rows)
        self._free = list(range(rows))
        self._drafts: list[_Draft] = []
        self._passes = 0
        self._prepared = False
        config = model.config
        self._warp = LogitsProcessorList(
            [
                RepetitionPenaltyLogitsProcessor(float(config.repetition_penalty)),
                TemperatureLogitsWarper(float(config.temperature)),
                TopKLogitsWarper(int(config.top_k)),
                TopPLogitsWarper(float(config.top_p)),
            ]
        )

    def write(
        self, text: str, language: str, conditioning: torch.Tensor, seed: int, most: int
    ) -> Generator[torch.Tensor | None]:
        """Writes a sentence.

        Args:
            text: What to say.
            language: Its language.
            conditioning: How to say it: latents of a voice, [1, positions, width].
            seed: Of the draws; they disturb no others and are not disturbed.
            most: Tokens after which it is ended.

        Yields:
            What the decoder takes for each token, of shape [1, width]; None at the beginning, and
            while others have all the rows.

        Raises:
            EngineError: The model gave no numbers.
        """
        spelt = self._model.tokenizer.encode(text.strip().lower(), lang=language)
        with torch.inference_mode():
            if not self._prepared:
                # Here, since a GPU is to be prepared by the thread that will use it.
                self._forward.prepare()
                self._prepared = True
            draft = _Draft(
                prefix=self._forward.prefix(
                    conditioning, spelt[: self._model.args.gpt_max_text_tokens - 1]
                ),
                random=torch.Generator(self._model.device).manual_seed(seed),
                most=min(most, self._model.gpt.max_gen_mel_tokens),
                stop=self._forward.stop,
                tokens=[self._forward.start],
            )
        self._drafts.append(draft)
        try:
            # It joins the others' next pass. So in rounds, in which each takes one token, there is
            # one pass a round, and whose last token was not taken by then has sat out a round.
            yield None
            while draft.fresh or not draft.over:
                if not draft.fresh:
                    self._pass()
                draft.fresh = False
                if draft.broken:
                    raise EngineError("the coqui voice gave no numbers")
                yield draft.latent
        finally:
            self._drafts.remove(draft)
            self._unseat(draft)

    def _pass(self) -> None:
        """Writes a token of each sentence that has handed out its last one."""
        self._passes += 1
        due = [draft for draft in self._drafts if not draft.fresh and not draft.over]
        # Those first of which nothing may have been heard yet.
        due.sort(key=lambda draft: len(draft.tokens))
        seated = [draft for draft in due if draft.slot is not None]
        unread = [draft for draft in due if draft.slot is None and self._seat(draft)]
        for draft in due:
            draft.latent, draft.number = None, self._passes
        try:
            if seated or unread:
                with torch.inference_mode():
                    self._compute(seated, unread)
        except BaseException:
            for draft in unread:
                self._unseat(draft)
            raise
        for draft in due:
            draft.fresh = True

    def _compute(self, seated: Sequence[_Draft], unread: Sequence[_Draft]) -> None:
        parts = [self._forward.write([draft.row for draft in seated])] if seated else []
        for draft in unread:
            assert draft.slot is not None
            parts.append(self._forward.read(draft.slot, draft.prefix, draft.tokens))
        latents = torch.cat(parts)
        drafts = [*seated, *unread]
        tokens = self._drawn(latents, drafts)
        for at, (draft, token) in enumerate(zip(drafts, tokens, strict=True)):
            if token is None:
                assert draft.slot is not None
                self._forward.clear(draft.slot)
                draft.broken = True
            else:
                draft.tokens.append(token)
                draft.latent = latents[at : at + 1]
            if draft.over:
                self._unseat(draft)

    def _drawn(self, latents: torch.Tensor, drafts: Sequence[_Draft]) -> list[int | None]:
        """The next token of each row; None where its scores are no numbers."""
        longest = max(len(draft.tokens) for draft in drafts)
        written = [
            [*[_IN_PLACE_OF_TEXT] * (longest + 1 - len(draft.tokens)), *draft.tokens]
            for draft in drafts
        ]
        scores = self._warp(
            torch.tensor(written, device=latents.device), self._forward.scores(latents)
        )
        shares = scores.softmax(dim=-1)
        # As torch.multinomial draws of a row alone; it takes no generator for each of many.
        races = torch.stack(
            [
                torch.empty_like(row).exponential_(generator=draft.random)
                for row, draft in zip(shares, drafts, strict=True)
            ]
        )
        broken = ~shares.isfinite().all(dim=-1)
        tokens = (shares / races).argmax(dim=-1).masked_fill(broken, -1).tolist()
        return [None if token < 0 else token for token in tokens]

    def _seat(self, draft: _Draft) -> bool:
        """Finds a row; if need be, that of the sentence that has sat out longest."""
        if not self._free:
            idle = [other for other in self._drafts if other.slot is not None and other.fresh]
            if not idle:
                return False
            self._unseat(min(idle, key=lambda other: other.number))
        draft.slot = min(self._free)  # side by side, so that little has to be gathered
        self._free.remove(draft.slot)
        return True

    def _unseat(self, draft: _Draft) -> None:
        if draft.slot is not None:
            self._free.append(draft.slot)
            draft.slot = None
