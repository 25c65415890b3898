"""Models of real sizes with random weights: nothing is fetched, and only one of them is ever saved.

Time and memory are those of the real models, since neither depends on the values of weights. What
random weights say would never come to an end, so each says what it is told to: the computation
is done in full, and then a script decides.
"""

import json
import tempfile
from dataclasses import dataclass
from functools import partial
from itertools import pairwise, product
from pathlib import Path
from typing import Any, Literal
from unittest import mock

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from voice_agent.events import Conduct
from voice_agent.models import torchaudio_import
from voice_agent.thinking.instructions import render_instructions

torchaudio_import.ensure()

from transformers import (  # noqa: E402
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
    WhisperConfig,
    WhisperForConditionalGeneration,
)

Size = Literal["real", "small"]

LANGUAGE_MODEL = {
    # That of Qwen3-8B: 8.2 billion parameters, 147 kB of keys and values a token in bfloat16.
    "real": {
        "hidden_size": 4096,
        "intermediate_size": 12288,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "vocab_size": 151936,
    },
    "small": {
        "hidden_size": 256,
        "intermediate_size": 768,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 64,
        "vocab_size": 8192,
    },
}

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

CHATML = (
    "{%- for message in messages %}"
    "<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MARKS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
THOUGHT_BEGUN = "<think><linguistic"
THOUGHT = (
    ">They tell what weighs on them at work</linguistic><stimulus>a hard week behind "
    "schedule</stimulus><appraisal>too much for one person</appraisal><need>to be heard before "
    "anything else</need><paralinguistic>the voice sounds tired, rather low</paralinguistic>"
    "<stage>exploration</stage><strategy>Reflection of feelings</strategy><reason>advice would "
    "come early</reason><emotion>comfort</emotion><style>warm, slow and close</style></think>"
)
"""About as long as a thought is to be. No word comes twice: each token has one successor."""
REPLY = (
    "That must feel heavy. You carried all this alone, with nobody beside you. What part could "
    "rest until tomorrow?"
)
TURN = "I had to stay late again and nobody even noticed how much there was to do this week"
"""What the person says, whatever is heard."""
LONG_REPLY = " ".join(
    "".join(syllables) + ("." if number % 12 == 11 else "")
    for number, syllables in enumerate(product(("ba", "de", "ki", "lo", "mu", "ra"), repeat=3))
)


@dataclass(frozen=True)
class LanguageModel:
    """A language model and its tokenizer."""

    model: Any
    tokenizer: Any

    def is_to_say(self, reply: str) -> None:
        """Makes this its reply to everything, after the thought where it thinks."""
        self.model.follow(
            [
                (THOUGHT_BEGUN, THOUGHT + reply),
                ("\n", reply + "<|im_end|>"),
            ],
            self.tokenizer,
        )


class Scripted(Qwen3ForCausalLM):
    """Computes as it is, then says what comes in its script after the token that it read last."""

    def __init__(self, config: Qwen3Config) -> None:
        super().__init__(config)
        following = torch.zeros(config.vocab_size, dtype=torch.long)
        self.register_buffer("following", following, persistent=False)

    def follow(self, scripts: list[tuple[str, str]], tokenizer: Any) -> None:
        """Takes scripts: what each follows on, and what it says."""
        following: dict[int, int] = {}
        for before, script in scripts:
            tokens = [
                *tokenizer(before, add_special_tokens=False)["input_ids"][-1:],
                *tokenizer(script, add_special_tokens=False)["input_ids"],
            ]
            if clash := [
                tokenizer.decode([one])
                for one, other in pairwise(tokens)
                if following.setdefault(one, other) != other
            ]:
                raise ValueError(f"these come twice in the script: {clash}")
        first = following[tokenizer("\n", add_special_tokens=False)["input_ids"][-1]]
        table = torch.full(self.following.shape, first)
        for one, other in following.items():
            table[one] = other
        self.following.copy_(table)
        if self.following.is_cuda:
            # Engines compute in streams of their own.
            torch.cuda.synchronize()

    def forward(self, input_ids: Any = None, logits_to_keep: Any = 0, **more: Any) -> Any:
        result = super().forward(input_ids=input_ids, logits_to_keep=logits_to_keep, **more)
        at = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        wanted = self.following[input_ids[:, at]][..., None]
        result.logits.scatter_add_(-1, wanted, torch.full_like(wanted, 100, dtype=self.dtype))
        return result


def language_model(size: Size, device: str) -> LanguageModel:
    """A language model like Qwen3-8B, or a small one of its kind."""
    config = Qwen3Config(
        **LANGUAGE_MODEL[size], max_position_embeddings=40960, tie_word_embeddings=False
    )
    words = tokenizer(config.vocab_size)
    config.eos_token_id = words.eos_token_id
    made = LanguageModel(_made(Scripted, config, device), words)
    made.is_to_say(REPLY)
    return made


def tokenizer(size: int) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer with a chat template, in which each word used here is one token.

    The rest of its vocabulary is never written, but chosen from.
    """
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"<[^>\s]*>?| ?[^\s<]+|\s+"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    inner.decoder = decoders.ByteLevel()
    inner.train_from_iterator(
        [
            THOUGHT_BEGUN,
            THOUGHT + REPLY,
            REPLY,
            LONG_REPLY,
            TURN,
            *(render_instructions(Conduct(think=think)) for think in ("tags", "none")),
            "\n",
        ],
        trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=list(MARKS),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    whole = json.loads(inner.to_str())
    vocabulary = whole["model"]["vocab"]
    vocabulary |= {f"unused {number}": number for number in range(len(vocabulary), size)}
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(whole)),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
    )
    wrapped.chat_template = CHATML
    return wrapped


def whisper(size: Size, device: str) -> Any:
    """A recognizer like whisper-large-v3-turbo, or a small one of its kind."""
    config = WhisperConfig(**WHISPER[size], decoder_start_token_id=50258)
    return _made(WhisperForConditionalGeneration, config, device)


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


def _made(kind: Any, config: Any, device: str) -> Any:
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    torch.manual_seed(0)
    with torch.device(device):
        model = kind._from_config(config, dtype=dtype)
    return model.to(device).eval().requires_grad_(False)
