"""A Whisper model with random weights in the format of real ones: what it hears is nonsense.

An English-only one: tokens stand for bytes, a few words, the special tokens and the timestamps.
"""

from itertools import product
from pathlib import Path

import numpy as np
from ctranslate2.specs import WhisperSpec
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

WIDTH, LAYERS, HEADS, MELS, AUDIO_POSITIONS, TEXT_POSITIONS = 32, 1, 2, 80, 1500, 448
WORDS = ["Ġyes", "Ġno", "Ġrain", "Ġriver", "Ġstone", "Ġwind", "Ġlight", "Ġsalt"]
TEXT = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *WORDS]
SPECIAL = [
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
]
VOCABULARY = [*TEXT, *SPECIAL, *(f"<|{step * 0.02:.2f}|>" for step in range(1501))]
END = VOCABULARY.index("<|endoftext|>")


def save(folder: Path, seed: int = 7) -> Path:
    """Writes the model and its tokenizer into a new folder."""
    folder.mkdir()
    _model(np.random.default_rng(seed)).save(str(folder))
    _tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def _model(random: np.random.Generator) -> WhisperSpec:
    spec = WhisperSpec(LAYERS, HEADS, LAYERS, HEADS)

    def weights(*shape: int) -> np.ndarray:
        return (random.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)

    def fill_norm(norm) -> None:
        norm.gamma = np.ones(WIDTH, np.float32)
        norm.beta = np.zeros(WIDTH, np.float32)

    def fill_linear(linear, outputs: int, inputs: int) -> None:
        linear.weight = weights(outputs, inputs)
        linear.bias = np.zeros(outputs, np.float32)

    def fill_layer(layer) -> None:
        own = layer.self_attention
        fill_norm(own.layer_norm)
        fill_linear(own.linear[0], 3 * WIDTH, WIDTH)
        fill_linear(own.linear[1], WIDTH, WIDTH)
        if hasattr(layer, "attention"):
            fill_norm(layer.attention.layer_norm)
            for linear, outputs in zip(layer.attention.linear, (1, 2, 1), strict=True):
                fill_linear(linear, outputs * WIDTH, WIDTH)
        fill_norm(layer.ffn.layer_norm)
        fill_linear(layer.ffn.linear_0, 4 * WIDTH, WIDTH)
        fill_linear(layer.ffn.linear_1, WIDTH, 4 * WIDTH)

    for part in (spec.encoder, spec.decoder):
        fill_norm(part.layer_norm)
        for layer in part.layer:
            fill_layer(layer)
    for conv, inputs in ((spec.encoder.conv1, MELS), (spec.encoder.conv2, WIDTH)):
        conv.weight = weights(WIDTH, inputs, 3)
        conv.bias = np.zeros(WIDTH, np.float32)
    spec.encoder.position_encodings.encodings = weights(AUDIO_POSITIONS, WIDTH)
    spec.decoder.position_encodings.encodings = weights(TEXT_POSITIONS, WIDTH)
    spec.decoder.embeddings.weight = weights(len(VOCABULARY), WIDTH) * 3
    fill_linear(spec.decoder.projection, len(VOCABULARY), WIDTH)
    # Words are likelier than single bytes, and a reading comes to an end.
    spec.decoder.projection.bias[[VOCABULARY.index(word) for word in WORDS]] = 4.0
    spec.decoder.projection.bias[END] = 4.0
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [END]
    spec.config.lang_ids = []
    spec.config.alignment_heads = list(product(range(LAYERS), range(HEADS)))
    spec.register_vocabulary(VOCABULARY)
    spec.validate()
    return spec


def _tokenizer() -> Tokenizer:
    text = {token: number for number, token in enumerate(TEXT)}
    tokenizer = Tokenizer(models.BPE(vocab=text, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t in VOCABULARY[len(TEXT) :]])
    return tokenizer
