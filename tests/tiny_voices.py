"""Small voices of coqui-tts in the format of real ones.

The VITS in ``tiny_voice`` has learnt to buzz (``tiny_voice/train.py``); all others have random
weights.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch

from voice_agent.models import torchaudio_import

torchaudio_import.ensure()

from tokenizers import Tokenizer, models  # noqa: E402
from TTS.config.shared_configs import BaseAudioConfig  # noqa: E402
from TTS.tts.configs.shared_configs import CharactersConfig  # noqa: E402
from TTS.tts.configs.vits_config import VitsArgs, VitsConfig  # noqa: E402
from TTS.tts.configs.xtts_config import XttsArgs, XttsConfig  # noqa: E402
from TTS.tts.layers.xtts.hifigan_decoder import HifiDecoder  # noqa: E402
from TTS.tts.models import xtts  # noqa: E402
from TTS.tts.models.vits import Vits  # noqa: E402

RATE = 16_000
HOP = 320
LETTERS = "abcdefghijklmnopqrstuvwxyz'"
BUZZING_VITS = Path(__file__).parent / "tiny_voice"
"""The trained voice: speakers ``calm`` (200 Hz), ``bright`` (250 Hz, faster), ``low`` (150 Hz)."""


def vits_config(speakers: Sequence[str] = (), **more: Any) -> VitsConfig:
    """The configuration of a small VITS that reads letters."""
    several = len(speakers) > 0
    shape: dict[str, Any] = {
        "hidden_channels": 32,
        "hidden_channels_ffn_text_encoder": 64,
        "num_heads_text_encoder": 2,
        "num_layers_text_encoder": 2,
        "num_layers_posterior_encoder": 1,
        "num_layers_flow": 1,
        "resblock_type_decoder": "2",
        "resblock_kernel_sizes_decoder": [3, 7],
        "resblock_dilation_sizes_decoder": [[1, 3], [1, 3]],
        "upsample_rates_decoder": [8, 8, 5],
        "upsample_kernel_sizes_decoder": [16, 16, 11],
        "upsample_initial_channel_decoder": 64,
        "speaker_embedding_channels": 16,
        "out_channels": 65,
        "use_sdp": False,
        "init_discriminator": False,
        "use_speaker_embedding": several,
    }
    return VitsConfig(
        model_args=VitsArgs(**(shape | more.pop("model_args", {}))),
        audio=BaseAudioConfig(
            fft_size=128, sample_rate=RATE, win_length=128, hop_length=HOP, num_mels=20
        ),
        characters=more.pop(
            "characters",
            CharactersConfig(
                characters_class="TTS.tts.models.vits.VitsCharacters",
                pad="_",
                blank="<BLNK>",
                characters=LETTERS,
                phonemes="",
                punctuations=" .,!?-;:",
            ),
        ),
        text_cleaner=more.pop("text_cleaner", "basic_cleaners"),
        use_phonemes=more.pop("use_phonemes", False),
        add_blank=True,
        speakers=list(speakers) or None,
        use_speaker_embedding=several,
        **more,
    )


def new_vits(speakers: Sequence[str] = (), **more: Any) -> Vits:
    """A small VITS with random weights."""
    torch.manual_seed(0)
    return Vits(vits_config(speakers, **more))


def save_vits(model: Vits, folder: Path) -> Path:
    """Saves a VITS as its authors publish one: the configuration, and all else in one file."""
    folder.mkdir(parents=True, exist_ok=True)
    model.config.save_json(folder / "config.json")
    torch.save({"model": model.state_dict()}, folder / "model_file.pth")
    return folder


def xtts_config(**more: Any) -> XttsConfig:
    """The configuration of a small XTTS whose sentences last about a second."""
    shape: dict[str, Any] = {
        "gpt_max_audio_tokens": 60,
        "gpt_max_text_tokens": 402,
        "gpt_layers": 2,
        "gpt_n_model_channels": 64,
        "gpt_n_heads": 2,
        "gpt_num_audio_tokens": 42,
        "gpt_start_audio_token": 40,
        "gpt_stop_audio_token": 41,
        "gpt_use_perceiver_resampler": True,
        "decoder_input_dim": 64,
    }
    return XttsConfig(
        model_args=XttsArgs(**(shape | more.pop("model_args", {}))),
        gpt_cond_len=6,
        gpt_cond_chunk_len=3,
        **more,
    )


@contextmanager
def narrow_decoders(width: int = 32) -> Iterator[None]:
    """Lets XTTS models be built with small decoders; their width is no part of a configuration."""
    whole = xtts.HifiDecoder
    xtts.HifiDecoder = partial(HifiDecoder, upsample_initial_channel_decoder=width)
    try:
        yield
    finally:
        xtts.HifiDecoder = whole


def save_xtts(folder: Path, speakers: Sequence[str] = ("Ana", "Ben")) -> Path:
    """Saves a small XTTS with random weights; to be saved and loaded with ``narrow_decoders``.

    Its decoder hums at 187.5 Hz whatever it is told, a little coloured by it, so that its pitch
    can be measured.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = xtts_config()
    config.save_json(folder / "config.json")
    vocabulary = ["[STOP]", "[UNK]", "[SPACE]", "[START]", "[en]", "[de]", *LETTERS, *".,!?-;:"]
    tokenizer = Tokenizer(
        models.BPE({token: at for at, token in enumerate(vocabulary)}, [], unk_token="[UNK]")
    )
    tokenizer.add_special_tokens(vocabulary[:6])
    tokenizer.save(str(folder / "vocab.json"))

    torch.manual_seed(0)
    model = xtts.Xtts(config)
    model.tokenizer = xtts.VoiceBpeTokenizer(str(folder / "vocab.json"))
    model.init_models()
    _hum(model)
    torch.save({"model": model.state_dict()}, folder / "model.pth")
    torch.save(
        {
            name: {
                "gpt_cond_latent": torch.randn(1, 32, config.model_args.gpt_n_model_channels),
                "speaker_embedding": torch.randn(1, config.model_args.d_vector_dim, 1),
            }
            for name in speakers
        },
        folder / "speakers_xtts.pth",
    )
    return folder


def _hum(model: xtts.Xtts) -> None:
    """Lets its decoder hum at 187.5 Hz, two waves a frame, coloured by what it is given."""
    generator = model.hifigan_decoder.waveform_decoder
    quiet = 0.05
    with torch.no_grad():
        generator.conv_pre.weight *= quiet
        generator.conv_pre.bias[0] = 1.0
        for layer in (generator.cond_layer, *generator.conds):
            layer.weight *= quiet
            layer.bias.zero_()
        for block in generator.resblocks:
            for layer in block.convs2:  # what it adds to its input
                layer.weight = quiet * layer.weight
                layer.bias.zero_()
        for at, up in enumerate(generator.ups):
            size, stride = up.kernel_size[0], up.stride[0]
            taps = torch.arange(size)
            wave = torch.sin(4 * torch.pi * (taps + 0.5) / stride) / 2
            line = 1 - (taps + 0.5 - stride).abs() / stride
            weight = quiet * up.weight
            if at:
                weight[0, 0] = weight[1, 1] = line
            else:
                weight[0, 0], weight[0, 1] = wave, -wave
            up.weight = weight
            up.bias.zero_()
        generator.conv_post.weight *= quiet
        # The difference of two waves of opposite signs is without DC.
        generator.conv_post.weight[0, :2, 3] = torch.tensor([0.5, -0.5])
