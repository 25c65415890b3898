"""A Whisper model with random weights in the format of real ones: what it hears is nonsense.

Tokens stand for bytes, a few words, the special tokens (languages among them if there are any), and
the timestamps. Sizes other than tiny serve to measure times.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from ctranslate2.specs import WhisperSpec
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

AUDIO_POSITIONS, TEXT_POSITIONS = 1500, 448
WORDS = ["Ġyes", "Ġno", "Ġrain", "Ġriver", "Ġstone", "Ġwind", "Ġlight", "Ġsalt"]
BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())


@dataclass(frozen=True)
class Size:
    """Measures of a model."""

    width: int
    layers: int
    heads: int
    mels: int = 80
    vocabulary: int = 0
    """Tokens at least: others that never come fill it up."""
    end: float = 4.0
    """How likely a reading ends after each word: words have 4."""
    decoder_layers: int | None = None
    """Where they are not as many as the encoder's."""


TINY = Size(32, 1, 2)
BRIEF = Size(32, 1, 2, end=5.5)
BASE = Size(512, 6, 8, vocabulary=51_864, end=5.5)
SMALL = Size(768, 12, 12, vocabulary=51_864, end=5.5)


@dataclass(frozen=True)
class Vocabulary:
    """Tokens in the order of their numbers."""

    text: tuple[str, ...]
    special: tuple[str, ...]

    @classmethod
    def of(cls, size: Size, languages: Sequence[str]) -> "Vocabulary":
        # CTranslate2 tells models of many languages by the empty token.
        text = [*BYTES, *WORDS, *([""] if languages else [])]
        special = [
            "<|endoftext|>",
            "<|startoftranscript|>",
            *(f"<|{language}|>" for language in languages),
            "<|translate|>",
            "<|transcribe|>",
            "<|startoflm|>",
            "<|startofprev|>",
            "<|nospeech|>",
            "<|notimestamps|>",
            *(f"<|{step * 0.02:.2f}|>" for step in range(1501)),
        ]
        fill = range(size.vocabulary - len(text) - len(special))
        return cls((*text, *(f"Ġ#{number}" for number in fill)), tuple(special))

    @property
    def all(self) -> list[str]:
        return [*self.text, *self.special]


def save(folder: Path, seed: int = 7, size: Size = TINY, languages: Sequence[str] = ()) -> Path:
    """Writes the model and its tokenizer into a new folder."""
    folder.mkdir()
    vocabulary = Vocabulary.of(size, languages)
    _model(np.random.default_rng(seed), size, vocabulary, languages).save(str(folder))
    _tokenizer(vocabulary).save(str(folder / "tokenizer.json"))
    return folder


def _model(
    random: np.random.Generator, size: Size, vocabulary: Vocabulary, languages: Sequence[str]
) -> WhisperSpec:
    layers = size.decoder_layers or size.layers
    spec = WhisperSpec(size.layers, size.heads, layers, size.heads)
    width, tokens = size.width, vocabulary.all

    def weights(*shape: int) -> np.ndarray:
        return (random.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)

    def fill_norm(norm) -> None:
        norm.gamma = np.ones(width, np.float32)
        norm.beta = np.zeros(width, np.float32)

    def fill_linear(linear, outputs: int, inputs: int) -> None:
        linear.weight = weights(outputs, inputs)
        linear.bias = np.zeros(outputs, np.float32)

    def fill_layer(layer) -> None:
        own = layer.self_attention
        fill_norm(own.layer_norm)
        fill_linear(own.linear[0], 3 * width, width)
        fill_linear(own.linear[1], width, width)
        if hasattr(layer, "attention"):
            fill_norm(layer.attention.layer_norm)
            for linear, outputs in zip(layer.attention.linear, (1, 2, 1), strict=True):
                fill_linear(linear, outputs * width, width)
        fill_norm(layer.ffn.layer_norm)
        fill_linear(layer.ffn.linear_0, 4 * width, width)
        fill_linear(layer.ffn.linear_1, width, 4 * width)

    for part in (spec.encoder, spec.decoder):
        fill_norm(part.layer_norm)
        for layer in part.layer:
            fill_layer(layer)
    for conv, inputs in ((spec.encoder.conv1, size.mels), (spec.encoder.conv2, width)):
        conv.weight = weights(width, inputs, 3)
        conv.bias = np.zeros(width, np.float32)
    spec.encoder.position_encodings.encodings = weights(AUDIO_POSITIONS, width)
    spec.decoder.position_encodings.encodings = weights(TEXT_POSITIONS, width)
    spec.decoder.embeddings.weight = weights(len(tokens), width) * 3
    fill_linear(spec.decoder.projection, len(tokens), width)
    # Words are likelier than single bytes, and a reading comes to an end.
    end = tokens.index("<|endoftext|>")
    spec.decoder.projection.bias[[tokens.index(word) for word in WORDS]] = 4.0
    spec.decoder.projection.bias[end] = size.end
    spec.decoder.projection.bias[len(BYTES) + len(WORDS) : end] = -20.0
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [end]
    spec.config.lang_ids = [tokens.index(f"<|{language}|>") for language in languages]
    heads = product(range(layers // 2, layers), range(size.heads))
    spec.config.alignment_heads = list(heads)
    spec.register_vocabulary(tokens)
    spec.validate()
    return spec


def _tokenizer(vocabulary: Vocabulary) -> Tokenizer:
    text = {token: number for number, token in enumerate(vocabulary.text)}
    tokenizer = Tokenizer(models.BPE(vocab=text, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t in vocabulary.special])
    return tokenizer
