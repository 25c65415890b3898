"""Models and options that cannot be used, and what is said then."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from voice_agent.config import engine_options
from voice_agent.errors import ConfigError, EngineUnavailable
from voice_agent.hearing.paralinguistics.transformers import TransformersAnalyzer
from voice_agent.hearing.paralinguistics.transformers.readers import load_all
from voice_agent.models import catalogue
from voice_agent.settings import Config

pytest.importorskip("transformers", reason="needs the extra 'transformers'")
pytest.importorskip("torch", reason="needs the extra 'transformers'")

import tiny_classifiers
from models_at_work import FOUR


def test_a_model_must_be_named():
    for nothing in ({}, {"models": []}):
        with pytest.raises(ValidationError, match="models"):
            TransformersAnalyzer.Options.model_validate(nothing)


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ([{"model": "a", "reads": "emotion"}, {"model": "b", "reads": "emotion"}], "choose one"),
        ([{"model": "a", "reads": ["emotion", "events"]}], "of their own"),
        ([{"model": "a", "reads": "mood"}], "Input should be"),
        ([{"model": "a", "reads": []}], "at least 1"),
        ([{"model": "a", "reads": "dimensions", "scale": [1, 1]}], "lowest"),
        ([{"model": "a", "reads": "emotion", "temperature": 0}], "greater than 0"),
    ],
)
def test_choices_that_make_no_sense_are_refused(models, message):
    with pytest.raises(ValidationError, match=message):
        TransformersAnalyzer.Options.model_validate({"models": models})


async def test_a_missing_model_says_how_to_get_it_and_its_licence(create):
    name = "audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim"

    with pytest.raises(EngineUnavailable) as error:
        await create({"model": name, "reads": "dimensions"})

    assert "voice-agent models pull wav2vec2-emotion-msp-dim" in str(error.value)
    assert "CC-BY-NC-SA-4.0" in str(error.value)
    assert "661 MB" in str(error.value)


@pytest.mark.parametrize("name", ["somebody/unknown", "/no/such/folder", "~/nothing"])
async def test_any_missing_model_is_told(create, name):
    with pytest.raises(EngineUnavailable, match="there is no model"):
        await create({"model": name, "reads": "emotion"})


async def test_a_model_of_the_hub_is_found_where_it_was_put(create, masked, tmp_path, monkeypatch):
    revision = "0123456789abcdef0123456789abcdef01234567"
    cached = tmp_path / "hub" / "models--some--model"
    (cached / "snapshots").mkdir(parents=True)
    (cached / "snapshots" / revision).symlink_to(masked["model"])
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text(revision)
    await create({"model": "some/model", "reads": "emotion"})

    pulled = tmp_path / "data" / "voice-agent" / "models"
    pulled.mkdir(parents=True)
    (pulled / "other--model").symlink_to(masked["model"])
    if sys.platform == "linux":
        await create({"model": "other/model", "reads": "emotion"})


async def test_an_incomplete_model_is_told_by_its_folder(create, tmp_path):
    path = tiny_classifiers.wav2vec2(tmp_path / "model", FOUR)
    (path / "model.safetensors").unlink()

    with pytest.raises(EngineUnavailable, match=str(path)):
        await create({"model": str(path), "reads": "emotion"})


async def test_a_model_without_a_trained_head_is_refused(create, tmp_path):
    path = tiny_classifiers.headless(tmp_path / "model")

    with pytest.raises(ConfigError, match=r"its weights lack classifier\.bias"):
        await create({"model": str(path), "reads": "emotion", "labels": {"a": "sad", "b": "fear"}})


async def test_a_model_for_another_rate_is_refused(create, tmp_path):
    path = tiny_classifiers.wav2vec2(tmp_path / "model", FOUR)
    file = path / "preprocessor_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"sampling_rate": 44100}))

    with pytest.raises(ConfigError, match="44100 Hz"):
        await create({"model": str(path), "reads": "emotion"})


async def test_a_model_of_another_kind_is_refused(create, tmp_path):
    path = tiny_classifiers.wav2vec2(tmp_path / "model", FOUR)
    file = path / "config.json"
    file.write_text(json.dumps({"model_type": "gpt2"}))

    with pytest.raises(EngineUnavailable, match="cannot be loaded"):
        await create({"model": str(path), "reads": "emotion"})


async def test_labels_of_a_real_model_must_be_clear(create, tmp_path):
    path = tiny_classifiers.wav2vec2(tmp_path / "model", ["LABEL_0", "sad"])

    with pytest.raises(ConfigError, match="'LABEL_0', 'sad'"):
        await create({"model": str(path), "reads": "emotion"})


async def test_a_gpu_that_is_not_there_is_told():
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    path = Path(__file__).parent
    (choice,) = [{"model": "a", "reads": "emotion"}]
    options = TransformersAnalyzer.Options.model_validate({"models": [choice], "device": "cuda"})

    with pytest.raises(EngineUnavailable, match="no CUDA device"):
        load_all(options, [path])


async def test_missing_packages_are_told_with_what_brings_them(create, masked, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)

    with pytest.raises(EngineUnavailable, match=r"torch is not installed.*\[transformers\]"):
        await create(masked)


def test_the_engine_is_known_without_loading_torch():
    script = (
        "import sys; from voice_agent import engines; "
        "engines.find('paralinguistics', 'transformers'); "
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_example_of_the_documentation_is_a_valid_choice():
    page = (Path(__file__).parents[3] / "docs" / "paralinguistics.md").read_text(encoding="utf-8")
    (example,) = [
        block.split("```")[0]
        for block in page.split("```yaml\n")[1:]
        if "engine: transformers" in block.split("```")[0]
    ]

    config = Config.model_validate(yaml.safe_load(example) | {"profile": "example"})
    _, options = engine_options("paralinguistics", config.hearing.paralinguistics)

    known = {model.hub for model in catalogue.catalogue()}
    assert {choice.model for choice in options.models} <= known
