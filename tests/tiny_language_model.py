"""Small language models in the format of real ones: one says garbage, one a few learnt answers."""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from voice_agent.models import torchaudio_import

torchaudio_import.ensure()

from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM  # noqa: E402
from transformers.utils import logging  # noqa: E402

from voice_agent.events import Conduct  # noqa: E402
from voice_agent.thinking.instructions import render_instructions  # noqa: E402

MARKS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
VOCABULARY = 640

CHATML = """\
{%- if tools %}<|im_start|>system
{%- if messages[0].role == 'system' %}
{{ messages[0].content }}
{%- endif %}
# Tools
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}
Call as <tool_call>{"name": ..., "arguments": ...}</tool_call><|im_end|>
{%- elif messages[0].role == 'system' %}<|im_start|>system
{{ messages[0].content }}<|im_end|>
{%- endif %}
{%- for message in messages if message.role != 'system' %}
<|im_start|>{{ 'user' if message.role == 'tool' else message.role }}
{% if message.role == 'tool' %}<tool_response>{{ message.content }}</tool_response>
{%- else %}{{ message.content }}{% endif %}
{%- for call in message.tool_calls %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>
{%- endfor %}<|im_end|>
{%- endfor %}
{%- if add_generation_prompt %}
<|im_start|>assistant
{% endif %}"""
"""A chat template like that of Qwen2.5."""

ANSWERS = {
    "": "<think><linguistic>They tell of their day</linguistic><need>to be heard</need>"
    "<paralinguistic>the voice is even</paralinguistic><strategy>Question</strategy>"
    "<emotion>comfort</emotion><style>warm and slow</style></think>"
    "I am with you. What happened then, and what would you like to do now?",
    "weather": "<think><linguistic>A look at the sky</linguistic><need>a forecast</need>"
    "<strategy>Information</strategy><emotion>neutral</emotion><style>plain</style></think>"
    '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo"}}\n</tool_call>',
    "snowman": "<think><linguistic>Snow lies outside</linguistic><need>play</need>"
    "<strategy>Others</strategy><emotion>joyful</emotion><style>bright</style></think>"
    "Look: ☃ 雪人 👩‍🚀! Żółw.",
    "forever": "<think><linguistic>No end</linguistic></think>"
    "Mine goes on.\n<words>and so does yours</words>",
}
"""What the trained model answers, by the last word of the turn; the first to any other."""


def tokenizer(folder: Path, template: str | None = CHATML) -> PreTrainedTokenizerFast:
    """Saves a byte-level tokenizer of its own with a chat template, and returns it."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r" ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    inner.decoder = decoders.ByteLevel()
    learnt = [f" {key} {answer}" for key, answer in ANSWERS.items() if answer.isascii()]
    texts = [render_instructions(Conduct()), " snowman", *learnt]
    inner.train_from_iterator(
        texts * 3,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY,
            special_tokens=list(MARKS),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    wrapped.chat_template = template
    wrapped.save_pretrained(folder)
    return wrapped


def untrained(folder: Path, **more: Any) -> Path:
    """Saves a model that says garbage, in which each token depends on all before it."""
    size = len(tokenizer(folder, more.pop("template", CHATML)))
    torch.manual_seed(more.pop("seed", 0))
    config = _config(size, initializer_range=0.3, **more)
    model = Qwen2ForCausalLM(config)
    with torch.no_grad():
        # It goes on and on.
        model.get_input_embeddings().weight[: len(MARKS)] *= 0.01
    _save(model, folder)
    return folder


def trained(folder: Path) -> Path:
    """Saves a model that gives the learnt answers after any prompt, however long.

    It looks back over a window only, so that what lies further back cannot distract it.
    """
    words = tokenizer(folder)
    torch.manual_seed(0)
    model = Qwen2ForCausalLM(
        _config(len(words), use_sliding_window=True, sliding_window=40, max_window_layers=0)
    )
    _train(model, words, steps=220)
    _save(model, folder)
    return folder


def _config(size: int, **more: Any) -> Qwen2Config:
    shape = {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "tie_word_embeddings": True,
    }
    # A few rows more than there are tokens, as in real models.
    return Qwen2Config(**shape | {"vocab_size": size + 8, "eos_token_id": 2} | more)


def _save(model: Qwen2ForCausalLM, folder: Path) -> None:
    logging.disable_progress_bar()
    model.generation_config.eos_token_id = 2
    model.save_pretrained(folder)


def _train(model: Qwen2ForCausalLM, words: PreTrainedTokenizerFast, steps: int) -> None:
    chance = random.Random(0)
    soup = render_instructions(Conduct()).split()
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, steps, pct_start=0.1)
    model.train()
    for _ in range(steps):
        batch = [_example(words, chance, soup) for _ in range(8)]
        tokens, labels = _padded(batch)
        loss = model(input_ids=tokens, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    model.eval()


def _example(
    words: PreTrainedTokenizerFast, chance: random.Random, soup: Sequence[str]
) -> tuple[list[int], list[int]]:
    """A prompt with much chance in it, and the answer to it."""
    key = chance.choice([*ANSWERS, ""])
    said = [chance.choice(soup) for _ in range(chance.randrange(12))]
    turn = f"<words>{' '.join([*said, *([key] if key else [])])}</words>"
    if not key and chance.random() < 0.5:
        turn += f"\n<manner>{' '.join(chance.choices(soup, k=4))}</manner>"
    before = " ".join(chance.choices(soup, k=chance.randrange(30)))
    prompt = f"{before}<|im_end|>\n<|im_start|>user\n{turn}<|im_end|>\n<|im_start|>assistant\n"
    asked = words(prompt, add_special_tokens=False)["input_ids"]
    answer = words(f"{ANSWERS[key]}<|im_end|>", add_special_tokens=False)["input_ids"]
    return asked, answer


def _padded(batch: Iterable[tuple[list[int], list[int]]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Filled up at the end, where a causal model does not look; only answers are learnt."""
    pairs = list(batch)
    length = max(len(asked) + len(answer) for asked, answer in pairs)
    tokens = torch.zeros(len(pairs), length, dtype=torch.long)
    labels = torch.full((len(pairs), length), -100)
    for row, (asked, answer) in enumerate(pairs):
        whole = len(asked) + len(answer)
        tokens[row, :whole] = torch.tensor(asked + answer)
        labels[row, len(asked) : whole] = torch.tensor(answer)
    return tokens, labels
