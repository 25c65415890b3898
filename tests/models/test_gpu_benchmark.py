"""The benchmark of the GPU on a processor: its small models do what those of real sizes will."""

import importlib
from pathlib import Path

import pytest

from voice_agent.events import Conduct, Phrase, Prompt, UserTurn

pytest.importorskip("torch", reason="needs the extra 'transformers'")
pytest.importorskip("transformers", reason="needs the extra 'transformers'")

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


async def test_the_language_model_thinks_and_answers_by_its_script(module):
    models, stages = module("scripted_language_model"), module("model_stages")
    made = models.language_model("small", "cpu")
    engine = await stages.TransformersModel.of(made.model, made.tokenizer, stages.options(2))

    async def say(**conduct) -> str:
        prompt = Prompt(UserTurn("Hello"), conduct=Conduct(**conduct), session="one")
        return "".join([str(piece) async for piece in engine.generate(prompt)])

    assert await say() == models.THOUGHT_BEGUN + models.THOUGHT + models.REPLY
    assert await say(think="none") == models.REPLY
    turn = stages.prompt(made, 0)
    first_ms = await stages.first_token_ms(engine, turn)
    rate = await stages.tokens_per_s(engine, [turn])
    await engine.close()
    assert first_ms > 0
    assert rate > 0
    made.is_to_say(models.LONG_REPLY)


def test_a_prompt_has_the_context_that_is_measured(module):
    models, stages = module("scripted_language_model"), module("model_stages")
    made = models.language_model("small", "cpu")
    chat = stages.Chat(made.tokenizer, "small")

    prompts = [stages.prompt(made, number) for number in range(2)]

    assert prompts[0].history != prompts[1].history
    for prompt in prompts:
        size = len(chat.read(prompt, 10**6).tokens)
        assert stages.CONTEXT_TOKENS <= size <= stages.CONTEXT_TOKENS + 60


async def test_the_recognizer_hears_what_it_is_told(module):
    models, whisper = module("random_models"), module("torch_whisper")
    stages = module("model_stages")
    turn = module("scripted_language_model").TURN
    engine = whisper.TorchWhisper(models.whisper("small", "cpu"), turn)
    stream = await engine.open()
    audio = stages.np.zeros(whisper.PARTIAL, stages.np.float32)
    await stream.feed(audio)
    final = await stream.settle()
    figure = await stages.recognition(engine)
    await stream.close()
    await engine.close()

    assert final.text == turn
    assert final.final
    assert figure.value > 0


async def test_a_sentence_of_the_voice_lasts_three_seconds(module):
    pytest.importorskip("TTS", reason="needs the extra 'neural'")
    from voice_agent.speaking.synthesizers.coqui.engine import CoquiOptions, CoquiSynthesizer

    models = module("random_models")
    engine = await CoquiSynthesizer.of(models.xtts("small", "cpu"), CoquiOptions())
    seconds = 0.0
    async for speech in engine.synthesize(Phrase("That must feel heavy.")):
        seconds += speech.samples.size / speech.rate
    await engine.close()

    assert seconds == pytest.approx(models.SENTENCE_TOKENS * 1024 / 22050, abs=0.2)


@pytest.mark.parametrize(
    ("value", "target", "better", "met"),
    [
        (39.0, 40.0, "less", True),
        (41.0, 40.0, "less", False),
        (100.0, 100.0, "more", True),
        (99.0, 100.0, "more", False),
        (None, 40.0, "less", None),
        (1.0, None, "less", None),
    ],
)
def test_a_figure_tells_whether_its_target_was_met(module, value, target, better, met):
    figure = module("model_stages").Figure("", value, "ms", target, better)

    assert figure.met is met
