"""The catalogue of models: what there is, under which licence, and where it lies."""

from pathlib import Path

import pytest

from voice_agent import catalogue
from voice_agent.config import shipped
from voice_agent.errors import ConfigError


def test_all_models_of_the_embedded_profile_are_here():
    for model in catalogue.catalogue():
        place = model.locate()
        assert place is not None, model.name
        assert catalogue.size_bytes(place) > 1_000
        assert model.licence
        assert model.source


def test_each_folder_of_weights_is_in_the_catalogue():
    listed = {model.path for model in catalogue.catalogue() if model.package is None}
    there = {path.name for path in shipped("models").iterdir() if path.is_dir()}
    assert there == listed


def test_a_model_whose_package_is_missing_is_not_here():
    model = catalogue.Model(
        name="a", purpose="b", licence="MIT", source="c", used_by=(),
        package="no-such-package", path="d",
    )  # fmt: skip
    assert model.locate() is None


def test_a_damaged_catalogue_is_named(monkeypatch, tmp_path: Path):
    (tmp_path / "catalogue.yaml").write_text("models: [{name: a}]")
    monkeypatch.setattr(catalogue, "shipped", lambda folder: tmp_path)

    with pytest.raises(ConfigError, match=r"catalogue\.yaml is damaged"):
        catalogue.catalogue()
