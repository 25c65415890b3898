"""The model: finding, loading and trying it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voice_agent.errors import ConfigError, EngineUnavailable
from voice_agent.models import devices, local_transformers, memory
from voice_agent.models.devices import DeviceName
from voice_agent.models.slots.batches import SPARE, Row
from voice_agent.thinking.models.transformers.chat import Chat
from voice_agent.thinking.models.transformers.options import Options
from voice_agent.thinking.models.transformers.runtime import Runtime

if TYPE_CHECKING:
    from voice_agent.thinking.models.transformers.forward import Forward

log = logging.getLogger(__name__)

_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
_SHARE_FOR_SLOTS = 0.8
"""Of the memory that the weights leave: computing takes some of it, too."""


def load(options: Options, folder: Path) -> Runtime:
    """Loads a model; blocks, fetches nothing, and sets the threads of torch for this thread.

    No code that comes with the model is run.

    Raises:
        ConfigError: It is no model that can be used.
        EngineUnavailable: A package, a device, memory or a part of the model is missing; says how
            to get it.
    """
    local_transformers.ensure()
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging as library_logging

    local_transformers.use_threads(options.threads)
    library_logging.disable_progress_bar()
    library_logging.set_verbosity_error()
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        needs = {device: _Needs.of(options, folder, config, device) for device in _on(options)}
        with devices.reserve(
            options.device,
            "thinking.language_model.device",
            {device: need.bytes for device, need in needs.items()},
            f"the language model {options.model}",
        ) as device:
            if (slots := needs[device].slots) < options.sessions:
                log.warning(
                    "there is memory for %d conversations with the language model, not for %d; "
                    "further ones wait, or read what they began with anew",
                    slots,
                    options.sessions,
                )
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model, report = AutoModelForCausalLM.from_pretrained(
                folder,
                local_files_only=True,
                output_loading_info=True,
                dtype=getattr(torch, needs[device].dtype),
            )
            model = model.to(device)
            if untrained := sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]])):
                raise ConfigError(
                    f"thinking.language_model.model: {options.model} is no language model that "
                    f"transformers knows: its weights lack {', '.join(untrained[:3])}"
                )
            return wrap(model, tokenizer, options, slots)
    except (ConfigError, EngineUnavailable):
        raise
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


def wrap(model: Any, tokenizer: Any, options: Options, slots: int | None = None) -> Runtime:
    """Makes a model ready that is already loaded; blocks while it is tried and warmed up.

    Args:
        model: A causal language model of transformers, on its device and in its number format.
        tokenizer: Its tokenizer, with a chat template.
        options: The settings; those of loading have no effect.
        slots: Conversations that there is memory for, if fewer than ``options.sessions``.

    Raises:
        ConfigError: It is no model that can be used.
    """
    from voice_agent.thinking.models.transformers.forward import Forward

    chat = Chat(tokenizer, options.model)
    context = _context(options, model.config)
    forward = Forward(model, len(tokenizer), slots or options.sessions, context)
    _try(forward, len(tokenizer), options.model)
    if forward.capture():
        try:
            _try(forward, len(tokenizer), options.model)
        except ConfigError:
            log.warning("the language model runs without CUDA graphs: they compute something else")
            forward.release()
    return Runtime(options, forward, chat, _ends(model, tokenizer), context)


def auto_dtype(device: DeviceName) -> str:
    """bfloat16 where it is computed in hardware: it halves what is read from memory a token."""
    import torch

    if device == "cuda":
        return "bfloat16"
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    fast = capabilities.get("avx512_bf16") or capabilities.get("amx_bf16")
    return "bfloat16" if fast else "float32"


@dataclass(frozen=True, slots=True)
class _Needs:
    """What a model takes on a device.

    Attributes:
        dtype: Number format.
        slots: Conversations for which there is memory, at most as many as are wanted.
        bytes: Memory of weights and slots.
    """

    dtype: str
    slots: int
    bytes: int

    @classmethod
    def of(cls, options: Options, folder: Path, config: Any, device: DeviceName) -> "_Needs":
        dtype = auto_dtype(device) if options.dtype == "auto" else options.dtype
        stored = getattr(config.dtype, "itemsize", None) or _BYTES[dtype]
        weights = memory.weights(folder) * _BYTES[dtype] // stored
        slot = (_context(options, config) + SPARE) * _bytes_per_token(config, _BYTES[dtype])
        slots, free = options.sessions, memory.left(device)
        if slot and free is not None:
            slots = max(1, min(slots, int((free - weights) * _SHARE_FOR_SLOTS) // slot))
        return cls(dtype, slots, weights + slots * slot)


def _bytes_per_token(config: Any, number: int) -> int:
    """Memory of the keys and values of a token, as far as the configuration tells."""
    text = config.get_text_config()
    heads = getattr(text, "num_attention_heads", None) or 0
    key_heads = getattr(text, "num_key_value_heads", None) or heads
    size = getattr(text, "head_dim", None) or (text.hidden_size // heads if heads else 0)
    return int(2 * text.num_hidden_layers * key_heads * size * number)


def _on(options: Options) -> Sequence[DeviceName]:
    return ("cpu", "cuda") if options.device == "auto" else (options.device,)


def _context(options: Options, config: Any) -> int:
    longest: int | None = getattr(config.get_text_config(), "max_position_embeddings", None)
    return min(options.context_tokens, longest - SPARE if longest else options.context_tokens)


def _ends(model: Any, tokenizer: Any) -> frozenset[int]:
    given = getattr(model.generation_config, "eos_token_id", None)
    ends = set(given if isinstance(given, list) else [given])
    return frozenset(ends | {tokenizer.eos_token_id}) - {None}


def _try(forward: "Forward", vocabulary: int, name: str) -> None:
    """Sees whether tokens can be taken back, and rows computed together.

    The reuse of what was read rests on the one, and continuous batching on the other.
    """
    tokens = [number % vocabulary for number in range(5, 13)]
    short = tokens[:4]
    try:
        expected = forward.straight(tokens)
        forward.read(Row(0, 0, [*tokens[:6], *tokens[:3]]))
        forward.read(Row(0, 6, tokens[6:7]))
        fits = _close(forward.read(Row(0, 7, tokens[7:])), expected)
    except (RuntimeError, ValueError, TypeError, AttributeError, IndexError, KeyError) as error:
        raise _unfit(name) from error
    if not fits:
        raise _unfit(name)
    if not forward.batches or forward.cache.slots == 1:
        return
    try:
        forward.read(Row(1, 0, short[:3]))
        scores = forward.write([Row(1, 3, short[3:]), Row(0, 7, tokens[7:])])
        together = _close(scores, [*forward.straight(short), *expected])
    except (RuntimeError, ValueError, TypeError, AttributeError, IndexError, KeyError):
        together = False
    if not together:
        log.warning("%s computes its conversations one after another", name)
        forward.batches = False


def _close(scores: Any, expected: Any) -> bool:
    import torch

    # Numbers of 16 bits come out a little different in batches of another size.
    return all(
        torch.allclose(one, other, atol=0.05 * float(other.abs().max()) + 1e-3, equal_nan=True)
        for one, other in zip(scores, expected, strict=True)
    )


def _unfit(name: str) -> ConfigError:
    return ConfigError(
        f"thinking.language_model.model: {name} cannot take back what it has read, which this "
        "engine asks of a model; choose a transformer (Qwen, Llama, Gemma, Mistral, SmolLM, Phi…)"
    )
