"""The catalogue of models: what there is, under which licence, and where it lies."""

from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from voice_agent import engines
from voice_agent.errors import ConfigError
from voice_agent.models import catalogue, hub
from voice_agent.shipped import shipped


def test_all_models_of_the_embedded_profile_are_here():
    for model in catalogue.catalogue():
        if model.hub is not None:
            continue
        place = model.locate()
        assert place is not None, model.name
        assert catalogue.size_bytes(place) > 1_000
        assert model.licence
        assert model.source


def test_each_folder_of_weights_is_in_the_catalogue():
    listed = {
        model.path for model in catalogue.catalogue() if model.package is None and model.hub is None
    }
    there = {path.name for path in shipped("models").iterdir() if path.is_dir()}
    assert there == listed


def test_a_model_whose_package_is_missing_is_not_here():
    model = catalogue.Model(
        name="a", purpose="b", licence="MIT", source="c", used_by=(),
        package="no-such-package", path="d",
    )  # fmt: skip
    assert model.locate() is None


def entry(**more: object) -> catalogue.Model:
    return catalogue.Model.model_validate(
        {"name": "a", "purpose": "b", "licence": "MIT", "source": "c", "used_by": ()} | more
    )


def test_models_to_fetch_say_what_they_are():
    models = [model for model in catalogue.catalogue() if model.hub is not None]

    assert models
    for model in models:
        assert model.licence
        assert model.source == f"https://huggingface.co/{model.hub}"
        assert set(model.used_by) <= {
            name for kind in get_args(engines.EngineKind) for name in engines.available(kind)
        }
    assert len({model.name for model in catalogue.catalogue()}) == len(catalogue.catalogue())


def test_a_model_of_the_hub_is_here_once_it_was_fetched(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(hub, "pulled", lambda name: tmp_path / "pulled")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    model = entry(hub="some/model", megabytes=3)

    assert model.locate() is None
    (tmp_path / "pulled").mkdir()
    assert model.locate() is None
    (tmp_path / "pulled" / "config.json").write_text("{}")
    assert model.locate() == tmp_path / "pulled"


@pytest.mark.parametrize("more", [{}, {"hub": "a/b", "path": "c"}, {"hub": "a/b"}])
def test_an_entry_has_one_place(more):
    with pytest.raises(ValidationError):
        entry(**more)


def test_a_damaged_catalogue_is_named(monkeypatch, tmp_path: Path):
    (tmp_path / "catalogue.yaml").write_text("models: [{name: a}]")
    monkeypatch.setattr(catalogue, "shipped", lambda folder: tmp_path)

    with pytest.raises(ConfigError, match=r"catalogue\.yaml is damaged"):
        catalogue.catalogue()
