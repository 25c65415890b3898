"""Rows that go through a model together get what the library gives each alone."""

import random

import pytest

pytest.importorskip("torch", reason="needs the extra 'transformers'")
pytest.importorskip("transformers", reason="needs the extra 'transformers'")

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from voice_agent.models import local_transformers

local_transformers.ensure()

from transformers import AutoConfig, AutoModelForCausalLM, DynamicCache  # noqa: E402

from voice_agent.models.slots.batches import Row  # noqa: E402
from voice_agent.models.slots.graphs import Graphs  # noqa: E402
from voice_agent.thinking.models.transformers.forward import Forward  # noqa: E402
from voice_agent.thinking.models.transformers.loading import wrap  # noqa: E402
from voice_agent.thinking.models.transformers.options import Options  # noqa: E402

VOCABULARY = 97
FAMILIES = {
    "llama": {},
    "qwen2": {},
    "qwen2, one window": {
        "use_sliding_window": True, "sliding_window": 8, "max_window_layers": 1
    },
    "qwen3": {"head_dim": 16},
    "mistral": {"sliding_window": 8},
    "phi3": {"pad_token_id": 0},
    "gemma": {"head_dim": 16},
    "gemma2": {"head_dim": 16, "sliding_window": 8},
    "gemma3_text": {"head_dim": 16, "sliding_window": 8},
    "gpt_neox": {},
}  # fmt: skip


def made(family: str):
    torch.manual_seed(0)
    shape = {
        "vocab_size": VOCABULARY,
        "hidden_size": 64,
        "intermediate_size": 64,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        # Large, so that no two tokens are about as likely.
        "initializer_range": 0.3,
        "eos_token_id": None,
    }
    config = AutoConfig.for_model(family.partition(",")[0], **shape | FAMILIES[family])
    return AutoModelForCausalLM.from_config(config).eval()


def alone(model, prompt: list[int], number: int) -> list[int]:
    # Without the configuration: the cache keeps everything, as ours does.
    tokens = model.generate(
        torch.tensor([prompt]),
        # Else it takes tokens that happen to be the filling one for none.
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        max_new_tokens=number,
        do_sample=False,
        past_key_values=DynamicCache(),
    )
    return tokens[0, len(prompt) :].tolist()


def together(forward: Forward, prompts: list[list[int]], slots: list[int]) -> list[list[int]]:
    """Each joins as soon as its prompt is read, and leaves after twelve tokens."""
    answers: list[list[int]] = [[] for _ in prompts]
    for joined in range(1, len(prompts) + 24):
        if joined <= len(prompts):
            prompt, slot = prompts[joined - 1], slots[joined - 1]
            forward.read(Row(slot, 0, prompt[:5]))
            scores = forward.read(Row(slot, 5, prompt[5:]))
            answers[joined - 1].append(int(scores.argmax()))
        rows = [
            at for at in range(min(joined, len(prompts))) if 0 < len(answers[at]) < 12
        ]  # fmt: skip
        if rows:
            scores = forward.write(
                [
                    Row(slots[at], len(prompts[at]) + len(answers[at]) - 1, answers[at][-1:])
                    for at in rows
                ]
            )
            for at, token in zip(rows, scores.argmax(-1).tolist(), strict=True):
                answers[at].append(token)
    return answers


def some_prompts() -> list[list[int]]:
    chance = random.Random(5)
    return [[chance.randrange(VOCABULARY) for _ in range(size)] for size in (30, 7, 18, 11)]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("slots", [[0, 1, 2, 3], [5, 0, 3, 1]], ids=["side by side", "apart"])
def test_rows_of_different_lengths_get_what_each_gets_alone(family, slots):
    model = made(family)
    prompts = some_prompts()
    forward = Forward(model, VOCABULARY, 6, 64)

    said = together(forward, prompts, slots)

    assert said == [alone(model, prompt, 12) for prompt in prompts]
    assert forward.batches


@pytest.mark.parametrize("family", ["qwen2", "gemma3_text", "gpt_neox"])
@pytest.mark.parametrize("slots", [4, 9], ids=["all slots", "some slots"])
def test_passes_of_fixed_sizes_give_the_same(family, slots):
    """What is captured on a GPU, computed out of the same buffers."""
    model = made(family)
    prompts = some_prompts()
    forward = Forward(model, VOCABULARY, slots, 64)
    graphs = Graphs(forward, forward.cache, torch.device("cpu"))
    graphs.capture()
    forward._graphs = graphs

    said = together(forward, prompts, [2, 0, 3, 1])

    assert said == [alone(model, prompt, 12) for prompt in prompts]


def test_a_copied_beginning_serves_another_row():
    model = made("llama")
    prompt = some_prompts()[0]
    forward = Forward(model, VOCABULARY, 3, 64)
    forward.read(Row(0, 0, prompt))

    forward.copy(0, 2, 20)
    scores = forward.read(Row(2, 20, prompt[20:]))

    assert torch.allclose(scores, forward.straight(prompt), atol=1e-4)


def test_an_emptied_slot_spoils_nothing_beside_it():
    model = made("llama")
    forward = Forward(model, VOCABULARY, 2, 64)
    prompts = some_prompts()
    forward.read(Row(0, 0, prompts[0]))
    with torch.inference_mode():
        for tensor in forward.cache._tensors():
            tensor[1] = float("nan")

    forward.clear(1)
    forward.read(Row(1, 0, prompts[1]))
    both = forward.write([Row(0, 30, [1]), Row(1, 7, [2])])

    assert torch.allclose(both[0], forward.straight([*prompts[0], 1])[0], atol=1e-4)
    assert torch.allclose(both[1], forward.straight([*prompts[1], 2])[0], atol=1e-4)


def test_memory_is_taken_as_it_is_used():
    forward = Forward(made("llama"), VOCABULARY, 2, 64)
    forward.read(Row(0, 0, [1, 2, 3]))

    # Keys and values of 3 layers, 2 heads of 16 numbers of 4 bytes.
    assert forward.cache.bytes_per_token == 2 * 3 * 2 * 16 * 4


@pytest.mark.parametrize("wrong", [0, 5], ids=["right", "wrong"])
def test_captured_passes_are_tried_before_they_are_used(wrong, untrained, monkeypatch, caplog):
    from transformers import AutoTokenizer

    class Captured(Graphs):
        def run(self, rows):
            scores = super().run(rows)
            return scores if scores is None else scores.flip(-1) * wrong if wrong else scores

    def capture(forward) -> bool:
        forward._graphs = Captured(forward, forward.cache, torch.device("cpu"))
        forward._graphs.capture()
        return True

    monkeypatch.setattr(Forward, "capture", capture)
    runtime = wrap(
        AutoModelForCausalLM.from_pretrained(untrained),
        AutoTokenizer.from_pretrained(untrained),
        Options(context_tokens=1000, max_new_tokens=16),
    )

    assert (runtime.forward._graphs is None) == bool(wrong)
    assert ("without CUDA graphs" in caplog.text) == bool(wrong)


class Operations(TorchDispatchMode):
    """Notes what is computed."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        self.names.add(operation.overloadpacket.__name__)
        indices = [index for given in args if isinstance(given, list | tuple) for index in given]
        if any(isinstance(index, torch.Tensor) and index.dtype == torch.bool for index in indices):
            self.names.add("index by a mask")
        return operation(*args, **(kwargs or {}))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_pass_of_fixed_size_can_be_captured(family):
    """It asks no value back of the device and brings none to it: a CUDA graph cannot."""
    forward = Forward(made(family), VOCABULARY, 4, 64)
    forward.read(Row(0, 0, [1, 2, 3]))
    graphs = Graphs(forward, forward.cache, torch.device("cpu"))
    graphs.capture()

    with torch.inference_mode(), Operations() as computed:
        for one in graphs._passes.values():
            one._compute()

    assert "embedding" in computed.names
    assert not computed.names & {
        "_local_scalar_dense", "is_nonzero", "item", "lift_fresh", "masked_select", "nonzero",
        "unique", "index by a mask",
    }  # fmt: skip
