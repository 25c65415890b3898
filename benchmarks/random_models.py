"""Models of real sizes with random weights: nothing is fetched, and only one of them is ever saved.

Time and memory are those of the real models, since neither depends on the values of weights. What
random weights say would never come to an end, so what ends it is built in.
"""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any, Literal
from unittest import mock

import numpy as np
import torch
from tokenizers import Tokenizer, models

from voice_agent.models import torchaudio_import

torchaudio_import.ensure()

from transformers import WhisperConfig, WhisperForConditionalGeneration  # noqa: E402

Size = Literal["real", "small"]

WHISPER = {
    # That of whisper-large-v3-turbo: 809 million parameters.
    "real": {
        "d_model": 1280,
        "encoder_layers": 32,
        "decoder_layers": 4,
        "encoder_attention_heads": 20,
        "decoder_attention_heads": 20,
        "encoder_ffn_dim": 5120,
        "decoder_ffn_dim": 5120,
        "num_mel_bins": 128,
        "vocab_size": 51866,
    },
    "small": {
        "d_model": 64,
        "encoder_layers": 2,
        "decoder_layers": 1,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 128,
        "decoder_ffn_dim": 128,
        "num_mel_bins": 80,
        "vocab_size": 51866,
    },
}

READING_TOKENS = 24
"""After which a reading ends: those of six seconds."""

XTTS = {
    # That of XTTS v2: 467 million parameters with its decoder.
    "real": {"gpt_layers": 30, "gpt_n_model_channels": 1024, "gpt_n_heads": 16},
    "small": {"gpt_layers": 2, "gpt_n_model_channels": 64, "gpt_n_heads": 2},
}
XTTS_DECODER = {"real": 512, "small": 32}
"""Channels of the decoder's first layer, which no configuration names."""
XTTS_TEXT_TOKENS = 6681
SENTENCE_TOKENS = 60
"""Tokens of audio, 46 ms each, after which each sentence ends."""


def whisper(size: Size, device: str) -> Any:
    """A recognizer like whisper-large-v3-turbo, or a small one of its kind."""
    config = WhisperConfig(**WHISPER[size], decoder_start_token_id=50258)
    return made(WhisperForConditionalGeneration, config, device)


def faster_whisper(size: Size, folder: Path) -> Path:
    """As ``whisper``, in the format of CTranslate2, which has to be saved to be loaded.

    Raises:
        ImportError: CTranslate2 is not installed.
    """
    import tiny_whisper

    shape = WHISPER[size]
    measures = tiny_whisper.Size(
        width=shape["d_model"],
        layers=shape["encoder_layers"],
        heads=shape["encoder_attention_heads"],
        mels=shape["num_mel_bins"],
        vocabulary=shape["vocab_size"],
        decoder_layers=shape["decoder_layers"],
    )
    end = tiny_whisper.Vocabulary.of(measures, ()).all.index("<|endoftext|>")
    save = tiny_whisper.WhisperSpec.save

    def save_ending(spec: Any, *where: str) -> None:
        """After as many tokens as six seconds have, each place speaks for the end."""
        places = spec.decoder.position_encodings.encodings.array
        size = places.shape[1] ** 0.5
        direction = np.where(np.arange(places.shape[1]) % 2, 1, -1).astype(np.float32)
        # Before it, each place speaks for another word: a repetition would be taken for a mistake.
        places += 5 / size * np.random.default_rng(0).normal(size=places.shape)
        places[:READING_TOKENS] -= 3 / size * direction
        places[READING_TOKENS:] += 3 / size * direction
        spec.decoder.projection.weight.array[end] = direction
        save(spec, *where)

    with mock.patch.object(tiny_whisper.WhisperSpec, "save", save_ending):
        return tiny_whisper.save(folder / "whisper", size=measures)


def xtts(size: Size, device: str) -> Any:
    """A voice like XTTS v2, or a small one of its kind, with one speaker.

    Raises:
        ImportError: coqui-tts is not installed.
    """
    from TTS.tts.configs.xtts_config import XttsArgs, XttsConfig
    from TTS.tts.layers.xtts.xtts_manager import SpeakerManager
    from TTS.tts.models import xtts as library

    shape = {
        **XTTS[size],
        "gpt_number_text_tokens": XTTS_TEXT_TOKENS,
        "gpt_num_audio_tokens": 1026,
        "gpt_start_audio_token": 1024,
        "gpt_stop_audio_token": 1025,
        "gpt_use_perceiver_resampler": True,
        "decoder_input_dim": XTTS[size]["gpt_n_model_channels"],
    }
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        vocabulary = ["[STOP]", "[UNK]", "[SPACE]", "[START]", "[en]", *map(chr, range(33, 127))]
        vocabulary += [f"unused {number}" for number in range(len(vocabulary), XTTS_TEXT_TOKENS)]
        words = Tokenizer(
            models.BPE({token: at for at, token in enumerate(vocabulary)}, [], unk_token="[UNK]")
        )
        words.add_special_tokens(vocabulary[:5])
        words.save(str(Path(folder) / "vocab.json"))
        width = shape["gpt_n_model_channels"]
        speaker = {
            "gpt_cond_latent": torch.randn(1, 32, width),
            "speaker_embedding": torch.randn(1, 512, 1),
        }
        torch.save({"somebody": speaker}, Path(folder) / "speakers.pth")
        model = library.Xtts(XttsConfig(model_args=XttsArgs(**shape)))
        model.tokenizer = library.VoiceBpeTokenizer(str(Path(folder) / "vocab.json"))
        decoder = partial(library.HifiDecoder, upsample_initial_channel_decoder=XTTS_DECODER[size])
        with mock.patch.object(library, "HifiDecoder", decoder):
            model.init_models()
        model.speaker_manager = SpeakerManager(str(Path(folder) / "speakers.pth"))
    model.gpt.init_gpt_for_inference(kv_cache=True)
    _end_sentences(model.gpt)
    model.to(device).requires_grad_(False)
    model.eval()
    return model


def _end_sentences(gpt: Any) -> None:
    """Makes the model stop where a sentence of three seconds would end, and nowhere else."""
    places, head, stop = gpt.mel_pos_embedding.emb.weight, gpt.mel_head, gpt.stop_audio_token
    with torch.no_grad():
        direction = torch.zeros(places.shape[1], device=places.device)
        direction[0::2], direction[1::2] = 1, -1
        places[:SENTENCE_TOKENS] -= 3 * direction
        places[SENTENCE_TOKENS:] += 3 * direction
        head.weight[stop] = direction


def made(kind: Any, config: Any, device: str) -> Any:
    """A model of transformers on a device, in the number format that is fast there."""
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    torch.manual_seed(0)
    with torch.device(device):
        model = kind._from_config(config, dtype=dtype)
    return model.to(device).eval().requires_grad_(False)
