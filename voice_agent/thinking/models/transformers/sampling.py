"""The choice of the next token."""

from typing import Any

from voice_agent.errors import EngineError
from voice_agent.thinking.models.transformers.options import Options


class Choice:
    """Chooses tokens by their scores; the same seed and scores give the same tokens."""

    def __init__(self, options: Options, device: Any, seed: int) -> None:
        import torch
        from transformers import TemperatureLogitsWarper, TopPLogitsWarper

        self._greedy = options.temperature == 0
        self._generator = torch.Generator(device).manual_seed(seed % 2**63)
        self._warpers: list[Any] = []
        if not self._greedy:
            self._warpers.append(TemperatureLogitsWarper(float(options.temperature)))
        if options.top_p < 1:
            self._warpers.append(TopPLogitsWarper(options.top_p))

    def __call__(self, scores: Any) -> int:
        """The next token.

        Raises:
            EngineError: The scores are no numbers.
        """
        import torch

        if scores.isnan().any():
            raise EngineError(
                "the language model gave no numbers; another thinking.language_model.dtype may "
                "help: float32 or bfloat16"
            )
        if self._greedy:
            return int(scores.argmax())
        row = scores[None]
        for warp in self._warpers:
            row = warp(None, row)
        # In the order of the vocabulary: scores that change places by a rounding change nothing.
        return int(torch.multinomial(row.softmax(-1)[0], 1, generator=self._generator))
