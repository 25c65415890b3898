"""A language model of a real size with random weights, which says what it is told to.

All is computed as in the real one, and then a script decides what comes next.
"""

import json
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import torch
from random_models import Size, made
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from voice_agent.events import Conduct
from voice_agent.thinking.instructions import render_instructions

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
    model = LanguageModel(made(Scripted, config, device), words)
    model.is_to_say(REPLY)
    return model


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
