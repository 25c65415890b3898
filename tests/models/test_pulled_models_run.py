"""From the hub to an engine: what was pulled is what runs, by the name it was pulled by."""

import socket
from pathlib import Path

import pytest
import tiny_whisper
from hub_server import Hub, serving

from voice_agent.config import engine_options
from voice_agent.engines import EngineKind
from voice_agent.models import pulling
from voice_agent.models.catalogue import known
from voice_agent.settings import EngineChoice


@pytest.fixture
def pull(monkeypatch, tmp_path):
    """Puts the files of a folder on a hub and pulls them, then cuts the network."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))

    def pull(folder: Path, **more: object) -> Path:
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        with serving(Hub(models={"some/model": files})) as hub:
            path = "/{repo_id}/resolve/{revision}/{filename}"
            monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
            monkeypatch.setattr(
                "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", hub.url + path
            )
            source = pulling.source("some/model").model_copy(update=more)
            place = pulling.pull(pulling.plan(source))
        monkeypatch.setattr(
            socket.socket, "connect", lambda *_: pytest.fail("it went to the network")
        )
        return place

    return pull


async def created(kind: EngineKind, **choice: object):
    engine, options = engine_options(kind, EngineChoice.model_validate(choice))
    return await engine.create(options)


async def test_a_language_model_runs_once_it_was_pulled(pull, tmp_path):
    pytest.importorskip("transformers", reason="needs the extra 'transformers'")
    import tiny_language_model

    pull(tiny_language_model.untrained(tmp_path / "model"))

    engine = await created("language_model", engine="transformers", model="some/model", threads=1)
    await engine.close()


async def test_a_recognizer_runs_with_the_files_that_the_catalogue_names(pull, tmp_path):
    pull(tiny_whisper.save(tmp_path / "whisper"), include=known("small").include)

    engine = await created("recognizer", engine="faster_whisper", model="some/model", device="cpu")
    await engine.close()
