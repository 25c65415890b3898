"""How those who keep the catalogue pin what the hub has."""

import hashlib
from collections.abc import Iterator

import pytest
import yaml
from hub_server import COMMIT, Hub, serving

from voice_agent.errors import ModelError
from voice_agent.models import fetching, pinning
from voice_agent.models.catalogue import Archive, Model, Source, catalogue
from voice_agent.shipped import shipped

FILES = {"config.json": b"{}", "vocabulary.txt": b"a b", "model.bin": b"weights", "x.py": b""}


@pytest.fixture
def hub(monkeypatch) -> Iterator[Hub]:
    monkeypatch.setattr(fetching, "PAUSES_S", ())
    models = {"Systran/faster-whisper-small": FILES, "some/model": FILES}
    with serving(Hub(models=models)) as hub:
        path = "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", hub.url + path)
        yield hub


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_the_newest_commit_is_pinned_with_all_its_files(hub):
    old = Source(
        name="a", licence="MIT", commercial="yes", hub="some/model", revision="f" * 40,
        include=("*.json", "*.bin"),
    )  # fmt: skip

    assert pinning.pin(old) == {
        "revision": COMMIT,
        "files": [
            {"path": "config.json", "size": 2, "sha256": sha256(b"{}")},
            {"path": "model.bin", "size": 7, "sha256": sha256(b"weights")},
        ],
    }
    assert hub.asked("config.json")
    assert not hub.asked("model.bin")


def test_an_archive_is_pinned_anew(hub):
    hub.archives["a.zip"] = b"archive"
    archive = Archive(url=f"{hub.url}/archives/a.zip", size=1, sha256="0" * 64)
    source = Source(name="a", licence="MIT", commercial="yes", archive=archive)

    assert pinning.pin(source) == {"archive": {"size": 7, "sha256": sha256(b"archive")}}


def test_pins_are_written_and_those_of_others_stay(hub, tmp_path):
    path = tmp_path / "pins.yaml"
    path.write_text("other: {revision: x}\n")

    pinning.write(["small"], path)

    pins = yaml.safe_load(path.read_text())
    assert pins["other"] == {"revision": "x"}
    entry = next(each for each in catalogue() if each.name == "faster-whisper-small")
    assert (
        Model.model_validate(entry.model_dump() | pins["faster-whisper-small"]).revision == COMMIT
    )
    assert [file["path"] for file in pins["faster-whisper-small"]["files"]] == [
        "config.json", "model.bin", "vocabulary.txt",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["nothing", "base"])
def test_pins_stay_as_they_were_if_one_cannot_be_had(hub, tmp_path, name):
    path = tmp_path / "pins.yaml"
    path.write_text("other: {revision: x}\n")

    with pytest.raises(ModelError, match=name):
        pinning.write(["small", name], path)
    assert path.read_text() == "other: {revision: x}\n"


def test_each_pin_belongs_to_a_model():
    pins = yaml.safe_load((shipped("models") / "pins.yaml").read_text())

    assert set(pins) <= {model.name for model in catalogue() if not model.comes_along}
