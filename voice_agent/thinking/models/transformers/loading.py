"""The model: finding and loading it, and what it makes of tokens."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voice_agent.errors import ConfigError, EngineUnavailable
from voice_agent.models import devices, local_transformers
from voice_agent.thinking.models.transformers.options import Options

_AT_ONCE = {"cpu": 32, "cuda": 512}
"""Tokens that are read in one step: what others wait for at most."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A causal language model.

    Attributes:
        tokenizer: Its tokenizer.
        context: Tokens that it can have before it.
        ends: Tokens by which it says by its own account that it has finished.
        at_once: Tokens to read in one step.
    """

    tokenizer: Any
    context: int
    ends: frozenset[int]
    at_once: int
    _model: Any
    _extra: dict[str, Any]

    @property
    def device(self) -> Any:
        """Where it runs."""
        return self._model.device

    def read(self, tokens: Sequence[int], cache: Any) -> Any:
        """Reads on from what is in the cache, and adds to it; blocks.

        Returns:
            A score for each token that may follow, float32.
        """
        import torch

        inputs = torch.tensor([list(tokens)], device=self._model.device)
        with torch.inference_mode():
            result = self._model(
                input_ids=inputs, past_key_values=cache, use_cache=True, **self._extra
            )
        # Weights are often padded beyond the tokens that there are.
        return result.logits[0, -1, : len(self.tokenizer)].float()


def load(options: Options, folder: Path) -> LoadedModel:
    """Loads a model; blocks, fetches nothing, and sets the threads of torch for this thread.

    No code that comes with the model is run.

    Raises:
        ConfigError: It is no model that can be used.
        EngineUnavailable: A package, a device or a part of the model is missing; says how to get
            it.
    """
    local_transformers.ensure()
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    device = devices.choose(options.device, "thinking.language_model.device")
    dtype = options.dtype
    if dtype == "auto":
        dtype = "bfloat16" if device == "cuda" else "float32"
    local_transformers.use_threads(options.threads)
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model, report = AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, output_loading_info=True, dtype=getattr(torch, dtype)
        )
        model = model.to(device).eval()
    except torch.cuda.OutOfMemoryError as error:
        raise EngineUnavailable(
            f"{options.model} does not fit into the memory of the GPU; choose a smaller model, or "
            "set thinking.language_model.device to cpu"
        ) from error
    except Exception as error:  # each format of files has errors of its own
        reason = str(error).partition("\n")[0]
        raise EngineUnavailable(
            f"the model {options.model} in {folder} cannot be loaded: {reason}"
        ) from error
    if untrained := sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]])):
        raise ConfigError(
            f"thinking.language_model.model: {options.model} is no language model that "
            f"transformers knows: its weights lack {', '.join(untrained[:3])}"
        )
    loaded = LoadedModel(
        tokenizer,
        min(options.context_tokens, _longest(model.config) or options.context_tokens),
        _ends(model, tokenizer),
        _AT_ONCE[device],
        model,
        # Scores of the last token alone, where the model can be asked for them.
        {"logits_to_keep": 1} if _takes(model, "logits_to_keep") else {},
    )
    _check_cache(loaded, options.model)
    return loaded


def _takes(model: Any, argument: str) -> bool:
    return argument in inspect.signature(model.forward).parameters


def _longest(config: Any) -> int | None:
    longest: int | None = getattr(config.get_text_config(), "max_position_embeddings", None)
    return longest


def _ends(model: Any, tokenizer: Any) -> frozenset[int]:
    given = getattr(model.generation_config, "eos_token_id", None)
    ends = set(given if isinstance(given, list) else [given])
    return frozenset(ends | {tokenizer.eos_token_id}) - {None}


def _check_cache(model: LoadedModel, name: str) -> None:
    """Sees that tokens can be taken back out of the cache, on which the reuse of prefixes rests."""
    import torch
    from transformers import DynamicCache

    tokens = [number % len(model.tokenizer) for number in range(5, 13)]
    try:
        straight = model.read(tokens, DynamicCache())
        cache = DynamicCache()
        model.read([*tokens[:6], *tokens[:3]], cache)
        cache.crop(-3)
        model.read(tokens[6:7], cache)
        again = model.read(tokens[7:], cache)
        # Numbers of 16 bits come out a little different in batches of another size.
        loose = 0.05 * float(straight.abs().max()) + 1e-3
        fits = cache.get_seq_length() == len(tokens) and torch.allclose(
            straight, again, atol=loose, equal_nan=True
        )
    except (RuntimeError, ValueError, TypeError, AttributeError, IndexError, KeyError) as error:
        raise _unfit(name) from error
    if not fits:
        raise _unfit(name)


def _unfit(name: str) -> ConfigError:
    return ConfigError(
        f"thinking.language_model.model: {name} cannot take back what it has read, which this "
        "engine asks of a model; choose a transformer (Qwen, Llama, Gemma, Mistral, SmolLM, Phi…)"
    )
