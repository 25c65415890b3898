"""Models and options that cannot be used, and what is said then."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from voice_agent.config import engine_options
from voice_agent.config import load as load_config
from voice_agent.errors import ConfigError, EngineUnavailable
from voice_agent.models import catalogue
from voice_agent.thinking.models.transformers import TransformersModel
from voice_agent.thinking.models.transformers.loading import load

pytest.importorskip("transformers", reason="needs the extra 'transformers'")
pytest.importorskip("torch", reason="needs the extra 'transformers'")

import tiny_language_model
from asking import text as answer

from voice_agent.events import Prompt, UserTurn


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": -1},
        {"top_p": 0},
        {"max_new_tokens": 1},
        {"device": "tpu"},
        {"dtype": "int4"},
        {"sessions": 0},
        {"context_tokens": 512, "max_new_tokens": 512},
        {"unknown": 1},
    ],
)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValidationError):
        TransformersModel.Options.model_validate(options)


async def test_a_missing_model_says_how_to_get_it_and_its_licence():
    with pytest.raises(EngineUnavailable) as error:
        await TransformersModel.create(TransformersModel.Options())

    assert "voice-agent models pull qwen2.5-1.5b-instruct" in str(error.value)
    assert "Apache-2.0" in str(error.value)
    assert "MB" in str(error.value)


@pytest.mark.parametrize("name", ["somebody/unknown", "/no/such/folder", "~/nothing"])
async def test_any_missing_model_is_told(create, name):
    with pytest.raises(EngineUnavailable, match="there is no model"):
        await create(name)


async def test_a_model_of_the_hub_is_found_where_it_was_put(create, untrained, tmp_path):
    revision = "0123456789abcdef0123456789abcdef01234567"
    cached = tmp_path / "hub" / "models--some--model"
    (cached / "snapshots").mkdir(parents=True)
    (cached / "snapshots" / revision).symlink_to(untrained)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text(revision)

    await create("some/model")


async def test_an_incomplete_model_is_told_by_its_folder(create, tmp_path):
    path = tiny_language_model.untrained(tmp_path / "model")
    (path / "model.safetensors").unlink()

    with pytest.raises(EngineUnavailable, match=str(path)):
        await create(path)


async def test_a_damaged_model_is_told_by_its_folder(create, tmp_path):
    path = tiny_language_model.untrained(tmp_path / "model")
    weights = path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])

    with pytest.raises(EngineUnavailable, match=str(path)):
        await create(path)


async def test_a_model_without_a_trained_head_is_refused(create, tmp_path):
    from transformers import BertConfig, BertModel

    tiny_language_model.tokenizer(tmp_path)
    shape = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    BertModel(BertConfig(vocab_size=700, intermediate_size=32, **shape)).save_pretrained(tmp_path)

    with pytest.raises(ConfigError, match="is no language model"):
        await create(tmp_path)


async def test_a_model_that_cannot_take_back_what_it_read_is_refused(create, tmp_path):
    from transformers import MambaConfig, MambaForCausalLM

    words = tiny_language_model.tokenizer(tmp_path)
    shape = {"hidden_size": 32, "num_hidden_layers": 1, "state_size": 4}
    MambaForCausalLM(MambaConfig(vocab_size=len(words), **shape)).save_pretrained(tmp_path)

    with pytest.raises(ConfigError, match="cannot take back what it has read"):
        await create(tmp_path)


@pytest.mark.parametrize("kind", ["llama", "gemma3_text", "gpt_neox", "mistral"])
async def test_other_transformers_run_alike(create, tmp_path, kind):
    from transformers import AutoConfig, AutoModelForCausalLM

    words = tiny_language_model.tokenizer(tmp_path)
    config = AutoConfig.for_model(
        kind,
        vocab_size=len(words),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=16,
        sliding_window=16,
        pad_token_id=0,
        eos_token_id=2,
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    said = []
    for session in ("a", ""):
        model = await create(tmp_path, temperature=0, max_new_tokens=16)
        asked = [Prompt(UserTurn(text), session=session) for text in ("hello", "hello there")]
        said.append([await answer(model, prompt) for prompt in asked])

    assert said[0] == said[1]


async def test_a_model_of_another_kind_is_refused(create, tmp_path):
    path = tiny_language_model.untrained(tmp_path / "model")
    (path / "config.json").write_text(json.dumps({"model_type": "wav2vec2"}))

    with pytest.raises(EngineUnavailable, match="cannot be loaded"):
        await create(path)


async def test_a_model_with_a_short_memory_keeps_to_it(create, tmp_path):
    path = tiny_language_model.untrained(tmp_path, max_position_embeddings=1200)
    model = await create(path, context_tokens=8192)

    assert model._runtime.context == 1200 - 64


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
async def test_numbers_of_16_bits_do(create, untrained, dtype):
    model = await create(untrained, dtype=dtype, max_new_tokens=16)
    full = await create(untrained, max_new_tokens=16)
    for engine in (model, full):
        assert await answer(engine, Prompt(UserTurn("hi"), session="a"))

    assert model.cache_bytes == pytest.approx(full.cache_bytes / 2, rel=0.05)


def test_a_gpu_that_is_not_there_is_told(untrained):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(EngineUnavailable, match="no CUDA device"):
        load(TransformersModel.Options(device="cuda"), untrained)


async def test_missing_packages_are_told_with_what_brings_them(create, untrained, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)

    with pytest.raises(EngineUnavailable, match=r"torch is not installed.*\[transformers\]"):
        await create(untrained)


def test_the_engine_is_known_without_loading_torch():
    script = (
        "import sys; from voice_agent import engines; "
        "engines.find('language_model', 'transformers'); "
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_example_of_the_documentation_is_a_valid_choice(tmp_path):
    page = (Path(__file__).parents[3] / "docs" / "language-models.md").read_text(encoding="utf-8")
    (example,) = [
        block.split("```")[0]
        for block in page.split("```yaml\n")[1:]
        if "engine: transformers" in block.split("```")[0]
    ]

    (tmp_path / "example.yaml").write_text(example)
    config = load_config(tmp_path / "example.yaml")
    _, options = engine_options("language_model", config.thinking.language_model)

    assert options.model in {model.hub for model in catalogue.catalogue()}
