"""The catalogue of models: what there is, and under which licence."""

from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from voice_agent import engines
from voice_agent.errors import ConfigError
from voice_agent.models import catalogue
from voice_agent.models.catalogue import Archive, File, Model
from voice_agent.models.installed import locate, size_bytes
from voice_agent.shipped import shipped

USERS_BESIDE_ENGINES = {"vad", "memory"}


def entry(**more: object) -> Model:
    fields = {
        "name": "a",
        "kind": "recognition",
        "purpose": "b",
        "licence": "MIT",
        "commercial": "yes",
        "source": "c",
        "memory": {"cpu": 1},
        "used_by": (),
    }
    return Model.model_validate(fields | more)


def test_all_models_of_the_embedded_profile_are_here():
    for model in catalogue.catalogue():
        if not model.comes_along:
            continue
        place = locate(model)
        assert place is not None, model.name
        assert size_bytes(place) > 1_000


def test_each_folder_of_weights_is_in_the_catalogue():
    listed = {model.path for model in catalogue.catalogue() if model.path and not model.package}
    there = {path.name for path in shipped("models").iterdir() if path.is_dir()}
    assert there == listed


def test_a_model_whose_package_is_missing_is_not_here():
    assert locate(entry(package="no-such-package", path="d")) is None


@pytest.mark.parametrize(
    "model", [each for each in catalogue.catalogue() if not each.comes_along], ids=lambda m: m.name
)
def test_a_model_to_fetch_says_what_it_is(model: Model):
    assert model.licence
    assert model.commercial.startswith(("yes", "no"))
    if model.hub:
        assert model.source == f"https://huggingface.co/{model.hub}"
    if model.files:
        pinned = sum(file.size for file in model.files) / 1e6
        assert 0.98 * model.megabytes - 1 < pinned < model.megabytes + 1
    if model.archive and model.archive.size:
        assert model.megabytes == pytest.approx(model.archive.size / 1e6, rel=0.01, abs=1)
    # The engine of the Coqui voices is registered only with the voices' own packages.
    known = {name for kind in get_args(engines.EngineKind) for name in engines.available(kind)}
    assert set(model.used_by) <= known | USERS_BESIDE_ENGINES | {"coqui"}


def test_a_name_means_one_model():
    names = [
        name
        for model in catalogue.catalogue()
        for name in (model.name, model.hub, *model.aliases)
        if name
    ]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "name", ["faster-whisper-small.en", "small.en", "Systran/faster-whisper-small.en"]
)
def test_a_model_is_known_by_each_of_its_names(name):
    model = catalogue.known(name)
    assert model is not None
    assert model.name == "faster-whisper-small.en"


def test_no_other_name_is_known():
    assert catalogue.known("small.") is None


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"hub": "a/b", "path": "c", "megabytes": 1},
        {"hub": "a/b"},
        {"path": "c", "megabytes": 1},
        {"hub": "a/b", "megabytes": 1, "name": "../a"},
    ],
)
def test_an_entry_has_one_place(more):
    with pytest.raises(ValidationError):
        entry(**more)


@pytest.mark.parametrize("path", ["/etc/passwd", "../a", "a/../../b", "", "a\\b", "C:a", "a\0"])
def test_a_file_of_a_model_lies_inside_of_its_folder(path):
    with pytest.raises(ValidationError):
        File(path=path, size=1, sha256="0" * 64)


def test_an_archive_comes_over_http():
    with pytest.raises(ValidationError):
        Archive(url="file:///etc/passwd")


def test_a_damaged_catalogue_is_named(monkeypatch, tmp_path: Path):
    (tmp_path / "catalogue.yaml").write_text("models: [{name: a}]")
    (tmp_path / "pins.yaml").write_text("{}")
    monkeypatch.setattr(catalogue, "shipped", lambda folder: tmp_path)
    catalogue.catalogue.cache_clear()

    with pytest.raises(ConfigError, match=r"the catalogue in .* is damaged"):
        catalogue.catalogue()
