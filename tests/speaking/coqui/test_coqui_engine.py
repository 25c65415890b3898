"""What holds for the engine whatever its model is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_voices
from pydantic import ValidationError
from speaking_steps import TEXT, options

from voice_agent.errors import EngineError, EngineUnavailable
from voice_agent.events import Phrase
from voice_agent.models import memory
from voice_agent.speaking.synthesizers.coqui import CoquiOptions, CoquiSynthesizer, files

CHECK = """
import json, sys
from voice_agent.speaking.synthesizers.coqui import CoquiOptions, CoquiSynthesizer
CoquiSynthesizer.check(CoquiOptions(model=sys.argv[1]))
print(json.dumps([name for name in ("torch", "transformers", "TTS") if name in sys.modules]))
"""


def test_checking_loads_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHECK, str(tiny_voices.BUZZING_VITS)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == []


def test_a_model_that_was_not_pulled_is_told_with_the_command_that_brings_it() -> None:
    with pytest.raises(EngineUnavailable, match=r"models pull xtts-v2.*CPML"):
        CoquiSynthesizer.check(CoquiOptions())


@pytest.mark.parametrize("package", ["torch", "TTS", "num2words"])
async def test_a_missing_package_is_told_with_what_brings_it(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = files.find_spec
    monkeypatch.setattr(files, "find_spec", lambda name: None if name == package else find(name))
    with pytest.raises(EngineUnavailable, match=rf"{package} is not installed.*\[neural\]"):
        CoquiSynthesizer.check(options(tiny_voices.BUZZING_VITS))
    with pytest.raises(EngineUnavailable, match=rf"{package} is not installed"):
        await CoquiSynthesizer.create(options(tiny_voices.BUZZING_VITS))


async def test_a_model_that_does_not_fit_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free", lambda device: 1_000_000)
    with pytest.raises(EngineUnavailable, match=r"the voice .* needs 3 MB of memory, and 1 MB"):
        await CoquiSynthesizer.create(options(tiny_voices.BUZZING_VITS))


def test_an_emotion_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"gloomy is no reply emotion.*tearful"):
        CoquiOptions(emotions={"gloomy": "p226"})


async def test_the_same_phrase_sounds_the_same_and_another_seed_says_it_otherwise(
    create, small_xtts: Path
) -> None:
    async def audio(**more: int) -> list[float]:
        voice = await create(small_xtts, **more)
        pieces = [piece async for piece in voice.synthesize(Phrase(TEXT))]
        return [float(sample) for piece in pieces for sample in piece.samples]

    first = await audio()
    assert await audio() == first
    assert await audio(seed=1) != first


async def test_an_error_of_the_model_is_an_error_of_the_engine(
    create, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = await create(tiny_voices.BUZZING_VITS)

    def fails(*_: object) -> None:
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr(voice._voice._model, "inference", fails)
    with pytest.raises(EngineError, match="coqui voice failed: CUDA out of memory"):
        async for _ in voice.synthesize(Phrase(TEXT)):
            pass
    monkeypatch.undo()
    assert [piece async for piece in voice.synthesize(Phrase(TEXT))]
