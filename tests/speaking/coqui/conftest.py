"""Small voices of coqui-tts; tests here are skipped where it is not installed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("TTS", reason="needs the extra 'neural'")

import tiny_voices
from speaking_steps import options

from voice_agent.speaking.synthesizers.coqui import CoquiSynthesizer
from voice_agent.speaking.synthesizers.coqui.loading import load


@pytest.fixture(autouse=True)
def no_voices_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where voices and models of the user would lie."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "voice-agent"


@pytest.fixture(scope="session")
def small_xtts(tmp_path_factory) -> Iterator[Path]:
    """Folder of a small XTTS with the speakers Ana and Ben."""
    with tiny_voices.narrow_decoders():
        yield tiny_voices.save_xtts(tmp_path_factory.mktemp("voices") / "xtts")


@pytest.fixture(scope="session")
def xtts(small_xtts: Path) -> Any:
    """Its voice, loaded."""
    return load(options(small_xtts))[0]


@pytest.fixture
async def create() -> Any:
    """Creates synthesizers out of folders."""
    created = []

    async def new(folder: Path, **more: Any) -> CoquiSynthesizer:
        created.append(await CoquiSynthesizer.create(options(folder, **more)))
        return created[-1]

    yield new
    for synthesizer in created:
        await synthesizer.close()
