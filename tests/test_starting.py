"""Engines of a kind are loaded with what may be taken otherwise, and none of them twice."""

import logging
from typing import ClassVar

import pytest
from pydantic import BaseModel

from voice_agent import starting
from voice_agent.errors import ConfigError, EngineUnavailable
from voice_agent.settings import EngineChoice
from voice_agent.starting import start


class Fake:
    """An engine that notes that it was loaded and closed, or cannot be."""

    class Options(BaseModel):
        name: str
        fails: str = ""

    loaded: ClassVar[list[str]]
    closed: ClassVar[list[str]]

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    async def create(cls, options: Options) -> "Fake":
        if options.fails == "driver":
            raise RuntimeError("the driver gave up")
        if options.fails:
            raise EngineUnavailable(options.fails)
        cls.loaded.append(options.name)
        return cls(options.name)

    async def close(self) -> None:
        self.closed.append(self.name)


@pytest.fixture(autouse=True)
def _registry(monkeypatch):
    Fake.loaded, Fake.closed = [], []

    def options(kind: str, choice: EngineChoice) -> tuple[type[Fake], BaseModel]:
        if choice.engine == "unknown":
            raise ConfigError("there is no such engine")
        return Fake, Fake.Options(name=choice.engine, **choice.options)

    monkeypatch.setattr(starting, "engine_options", options)


def choice(name: str, *otherwise: EngineChoice, fails: str = "", why: str = "") -> EngineChoice:
    given = {"fails": fails} if fails else {}
    return EngineChoice(engine=name, otherwise=otherwise, why=why, **given)


async def test_the_chosen_one_runs_with_its_reserve_behind_it():
    line = await start("recognizer", [choice("a", choice("b")), choice("c")])

    assert [engine.name for engine in line.engines] == ["a", "c"]
    assert (line.label, line.why) == ("a", "")
    assert sorted(Fake.loaded) == ["a", "c"]


@pytest.mark.parametrize("fails", ["no model here", "driver"])
async def test_what_fails_to_load_gives_way_to_the_next_best_and_says_so(fails, caplog):
    line = await start(
        "synthesizer", [choice("a", choice("b", fails="nor here"), choice("c"), fails=fails)]
    )

    assert line.label == "c"
    assert "not a: " in line.why
    assert "not b: nor here" in line.why
    assert [record.message for record in caplog.records] == ["engine cannot be loaded"] * 2


async def test_why_it_was_chosen_is_said_before_what_failed():
    line = await start(
        "recognizer", [choice("a", choice("b"), fails="broken", why="not z: it needs a GPU")]
    )

    assert line.why == "not z: it needs a GPU; not a: broken"


async def test_without_another_way_the_first_failure_is_the_error():
    with pytest.raises(EngineUnavailable, match="pull it"):
        await start("recognizer", [choice("a", choice("b", fails="nor"), fails="pull it")])


async def test_a_reserve_alone_does_not_stand_in_at_the_start():
    with pytest.raises(EngineUnavailable, match="pull it"):
        await start("recognizer", [choice("a", fails="pull it"), choice("b")])

    assert Fake.closed == ["b"]


async def test_what_stands_in_reserve_anyway_is_not_loaded_twice():
    line = await start("recognizer", [choice("a", choice("b"), fails="gone"), choice("b")])

    assert Fake.loaded == ["b"]
    assert [engine.name for engine in line.engines] == ["b"]
    assert line.why == "not a: gone"


async def test_a_missing_reserve_is_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        line = await start("synthesizer", [choice("a"), choice("b", fails="gone")])

    assert [engine.name for engine in line.engines] == ["a"]
    assert "in reserve is missing (synthesizer): not b: gone" in caplog.text


async def test_the_last_language_model_has_to_run():
    with pytest.raises(EngineUnavailable, match="damaged"):
        await start("language_model", [choice("a"), choice("embedded", fails="damaged")])

    assert Fake.closed == ["a"]


async def test_a_mistake_in_the_configuration_is_never_passed_over():
    with pytest.raises(ConfigError):
        await start("recognizer", [choice("a"), choice("unknown")])

    assert Fake.closed == ["a"]
