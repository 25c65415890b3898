"""The profile ``auto``: the best of each kind that runs here, all together in memory, and why."""

from dataclasses import replace

import pytest
import tiny_whisper
from pydantic import BaseModel

from voice_agent import auto, config, engines
from voice_agent.agent import Agent
from voice_agent.auto import Pick, select
from voice_agent.engines import EngineKind
from voice_agent.errors import EngineUnavailable
from voice_agent.models import machine as this_machine
from voice_agent.models.machine import Gpu, Machine
from voice_agent.settings import Config, EngineChoice

GB = 1_000_000_000
LAPTOP = Machine(4, 16 * GB, 100 * GB, None, None, None)


def on_gpu(gigabytes: float, memory: float = 64) -> Machine:
    size = int(gigabytes * GB)
    gpu = Gpu("some GPU", size, size)
    return Machine(16, int(memory * GB), 100 * GB, gpu, "2.13.0+cu130", "13.0")


def choice(engine: str, model: str | None = None, **options) -> dict:
    return {"engine": engine, **({"model": model} if model else {}), **options}


GPU = Config.model_validate(
    {
        "hearing": {
            "recognizer": choice("faster_whisper", "large-v3-turbo", device="cuda"),
            "fallback": [choice("pocketsphinx")],
        },
        "thinking": {
            "language_model": choice(
                "transformers",
                "qwen2.5-7b-instruct",
                device="cuda",
                otherwise=[choice("transformers", "qwen2.5-1.5b-instruct", device="cuda")],
            ),
        },
    }
)
CPU = Config.model_validate(
    {
        "hearing": {"recognizer": choice("faster_whisper", "small.en", device="cpu")},
        "thinking": {
            "language_model": choice("transformers", "qwen2.5-0.5b-instruct", device="cpu")
        },
    }
)
PROFILES = {"gpu": GPU, "cpu": CPU, "embedded": Config()}


def options(kind: EngineKind, choice: EngineChoice) -> BaseModel:
    return config.engine_options(kind, choice)[1]


def chosen(machine: Machine, *missing: str, why: str = "it is missing") -> dict[str, Pick]:
    """What is taken where the models of these names are not there."""

    def obstacle(kind: EngineKind, choice: EngineChoice, options: BaseModel) -> str | None:
        return why if choice.options.get("model") in missing else None

    return select(PROFILES, machine, options, obstacle)


def labels(picks: dict[str, Pick]) -> dict[str, str]:
    return {kind: pick.choice.label for kind, pick in picks.items()}


def test_a_large_gpu_gets_the_best_of_everything():
    picks = chosen(on_gpu(48))

    assert labels(picks) == {
        "language_model": "transformers (qwen2.5-7b-instruct)",
        "synthesizer": "espeak",
        "recognizer": "faster_whisper (large-v3-turbo)",
        "paralinguistics": "embedded",
    }
    assert not any(pick.why for pick in picks.values())


def test_without_a_gpu_the_processor_serves_and_the_reason_is_said():
    picks = chosen(LAPTOP)

    assert picks["recognizer"].choice.label == "faster_whisper (small.en)"
    assert picks["recognizer"].profile == "cpu"
    assert picks["recognizer"].why == "not faster_whisper (large-v3-turbo): it needs an NVIDIA GPU"
    assert picks["language_model"].choice.label == "transformers (qwen2.5-0.5b-instruct)"


def test_what_cannot_run_gives_way_to_the_next_best_and_its_reason_is_said():
    picks = chosen(LAPTOP, "small.en", why="there is no model 'small.en' here")

    assert picks["recognizer"].choice.label == "pocketsphinx"
    assert "not faster_whisper (small.en): there is no model" in picks["recognizer"].why
    assert picks["language_model"].choice.label == "transformers (qwen2.5-0.5b-instruct)"


def test_nothing_but_the_embedded_engines_is_the_embedded_profile():
    picks = chosen(LAPTOP, "small.en", "qwen2.5-0.5b-instruct")

    made = Config.model_validate(auto.settings(picks))

    assert {kind: c.engine for kind, c in made.engine_choices.items()} == {
        kind: c.engine for kind, c in Config().engine_choices.items()
    }
    assert made.profile == "auto"


def test_a_mixture_that_does_not_fit_into_the_gpu_together_is_not_taken():
    # Each of the two fits alone: 17.5 and 2.6 GB.
    picks = chosen(on_gpu(18.5))

    assert labels(picks)["language_model"] == "transformers (qwen2.5-7b-instruct)"
    assert labels(picks)["recognizer"] == "faster_whisper (small.en)"
    assert "with the others it needs 20.1 GB of GPU memory" in picks["recognizer"].why
    assert "18.5 GB are free" in picks["recognizer"].why


def test_what_is_too_big_alone_makes_room_for_the_rest():
    picks = chosen(on_gpu(8))

    assert labels(picks)["language_model"] == "transformers (qwen2.5-1.5b-instruct)"
    assert labels(picks)["recognizer"] == "faster_whisper (large-v3-turbo)"
    assert "(qwen2.5-7b-instruct): it needs 17.5 GB of GPU memory" in picks["language_model"].why


def test_a_small_memory_is_not_filled_beyond_its_end():
    picks = chosen(replace(LAPTOP, memory_free=3 * GB))

    # 2.5 GB of the language model and 1 GB of the agent are too much.
    assert labels(picks)["language_model"] == "embedded"
    assert labels(picks)["recognizer"] == "faster_whisper (small.en)"


def test_a_gpu_whose_memory_is_unknown_is_tried():
    unknown = replace(on_gpu(1), gpu=Gpu("NVIDIA GPU", None, None))

    assert labels(chosen(unknown))["recognizer"] == "faster_whisper (large-v3-turbo)"


def test_fallbacks_come_from_the_profile_of_the_engine():
    picks = chosen(on_gpu(48), "qwen2.5-7b-instruct", "qwen2.5-1.5b-instruct")

    made = Config.model_validate(auto.settings(picks))

    assert [each.engine for each in made.hearing.fallback] == ["pocketsphinx"]
    assert made.thinking.fallback == ()


def test_what_may_be_taken_otherwise_is_only_what_can_run():
    otherwise = chosen(on_gpu(48), "qwen2.5-1.5b-instruct")["language_model"].otherwise

    assert [each.label for each in otherwise] == [
        "transformers (qwen2.5-0.5b-instruct)",
        "embedded",
    ]


def test_an_engine_that_is_not_installed_is_passed_over():
    broken = Config.model_validate({"speaking": {"synthesizer": {"engine": "no such engine"}}})

    picks = select({**PROFILES, "gpu": broken}, LAPTOP, options, lambda *_: None)

    assert picks["synthesizer"].choice.engine == "espeak"
    assert "no such engine" in picks["synthesizer"].why


def test_auto_can_be_taken_and_extended_like_any_profile(tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("extends: auto\nhearing: {paralinguistics: {engine: manner}}\n")

    assert config.load("auto").profile == "auto"
    extended = config.load(mine)
    assert extended.hearing.paralinguistics == EngineChoice(engine="manner")
    assert extended.thinking == config.load("auto").thinking


def test_what_an_engine_lacks_is_asked_of_the_engine(monkeypatch):
    def check(options: BaseModel) -> None:
        raise EngineUnavailable("the espeak library is missing")

    _, given = config.engine_options("synthesizer", EngineChoice(engine="espeak"))
    speak = config.engines.find("synthesizer", "espeak")
    monkeypatch.setattr(speak, "check", check, raising=False)

    assert auto.cannot_run("synthesizer", EngineChoice(engine="espeak"), given) == (
        "the espeak library is missing"
    )


@pytest.mark.parametrize("device", ["cpu", "auto"])
def test_an_engine_for_the_gpu_is_refused_without_one(device, monkeypatch):
    monkeypatch.setattr(this_machine, "gpu", lambda: None)
    wanted = EngineChoice.model_validate({"engine": "faster_whisper", "device": "cuda"})
    _, given = config.engine_options("recognizer", wanted)

    with pytest.raises(EngineUnavailable, match="no NVIDIA GPU here"):
        engines.check("recognizer", "faster_whisper", given)
    monkeypatch.setattr(engines.find("recognizer", "faster_whisper"), "check", lambda _: None)
    engines.check("recognizer", "faster_whisper", given.model_copy(update={"device": device}))


@pytest.fixture
def models(tmp_path, monkeypatch):
    """The folder of the pulled models, empty; no GPU, and room for all of them."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(this_machine, "gpu", lambda: None)
    monkeypatch.setattr(this_machine, "look", lambda: LAPTOP)
    folder = tmp_path / "voice-agent" / "models"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def pulled(models):
    """Puts a small Whisper where a model of the catalogue would lie."""
    return lambda name: tiny_whisper.save(models / name)


@pytest.mark.parametrize("profile", ["gpu", "cpu"])
def test_each_engine_of_a_profile_tells_before_it_is_loaded_that_its_model_is_missing(
    profile, models, monkeypatch
):
    gpu = Gpu("some GPU", 48 * GB, 48 * GB)
    monkeypatch.setattr(this_machine, "gpu", lambda: gpu)
    monkeypatch.setattr(this_machine, "torch_build", lambda: ("2.13.0", "13.0"))
    monkeypatch.setattr("voice_agent.models.devices._has_gpu", lambda _: True)
    for kind, chosen in config.load(profile).engine_choices.items():
        if not auto.models(chosen, options(kind, chosen)):
            continue
        with pytest.raises(EngineUnavailable, match="voice-agent models pull"):
            engines.check(kind, chosen.engine, options(kind, chosen))


async def running(tmp_path) -> dict:
    agent = await Agent.create(config.load("auto", store__path=tmp_path / "conversations.db"))
    try:
        return {kind: (line.label, line.why) for kind, line in agent.started.items()}
    finally:
        await agent.close()


async def test_a_model_that_was_pulled_is_taken_from_then_on(pulled, tmp_path):
    assert (await running(tmp_path))["recognizer"][0] == "pocketsphinx"

    pulled("faster-distil-whisper-small.en")

    label, why = (await running(tmp_path))["recognizer"]
    assert label == "faster_whisper (distil-small.en)"
    assert why == "not faster_whisper (large-v3-turbo): it needs an NVIDIA GPU"


async def test_a_model_that_turns_out_damaged_gives_way_to_the_next_and_that_is_said(
    pulled, tmp_path
):
    damaged = pulled("faster-distil-whisper-small.en")
    (damaged / "model.bin").write_bytes(b"\0" * 1000)
    pulled("faster-whisper-base.en")

    label, why = (await running(tmp_path))["recognizer"]

    assert label == "faster_whisper (base.en)"
    assert "not faster_whisper (distil-small.en): the Whisper model in" in why
