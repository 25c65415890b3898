"""What the transformers analyzer promises beyond the conformance suite."""

import asyncio
import gc
import json
import math
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from voice_agent import catalogue
from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.config import Config, engine_options
from voice_agent.errors import ConfigError, EngineError, EngineUnavailable, Overloaded
from voice_agent.events import EMOTIONS, Manner, Paralinguistics
from voice_agent.hearing.paralinguistics.transformers import TransformersAnalyzer
from voice_agent.hearing.paralinguistics.transformers.classifier import Classifier
from voice_agent.hearing.paralinguistics.transformers.readers import load_all

pytest.importorskip("transformers", reason="needs the extra 'transformers'")
pytest.importorskip("torch", reason="needs the extra 'transformers'")

import tiny_classifiers

FOUR = ["neu", "hap", "ang", "sad"]
MANNER = Manner(speech_s=1.0)

Create = Callable[..., Awaitable[TransformersAnalyzer]]


def sound(seconds: float, seed: int = 0) -> Samples:
    random = np.random.default_rng(seed)
    return random.normal(0, 0.1, round(seconds * HEARING_RATE)).astype(np.float32)


def log(*shares: float) -> list[float]:
    """Scores of which the softmax gives these shares."""
    return [math.log(share) for share in shares]


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path) -> None:
    """A machine without models, on which a download would be noticed."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it went to the network"))


@pytest.fixture
async def create() -> AsyncIterator[Create]:
    created: list[TransformersAnalyzer] = []

    async def new(*models: dict[str, Any], **options: Any) -> TransformersAnalyzer:
        chosen = TransformersAnalyzer.Options(models=models, device="cpu", threads=1, **options)
        created.append(await TransformersAnalyzer.create(chosen))
        return created[-1]

    yield new
    for analyzer in created:
        await analyzer.close()


@pytest.fixture
def read(create) -> Callable[..., Awaitable[Paralinguistics]]:
    async def read(samples: Samples, *models: dict[str, Any], **options: Any) -> Paralinguistics:
        stream = await (await create(*models, **options)).open()
        return await stream.analyze(samples, MANNER)

    return read


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def masked(folder) -> dict[str, Any]:
    return {"model": str(tiny_classifiers.wav2vec2(folder / "masked", FOUR)), "reads": "emotion"}


@pytest.fixture(scope="module")
def unmasked(folder) -> dict[str, Any]:
    path = tiny_classifiers.wav2vec2(folder / "unmasked", FOUR, masked=False)
    return {"model": str(path), "reads": "emotion"}


@pytest.fixture(scope="module")
def spectrogram(folder) -> dict[str, Any]:
    path = tiny_classifiers.spectrogram(folder / "spectrogram", ["Speech", "Laughter", "Cough"])
    return {"model": str(path), "reads": "events", "threshold": 0.01}


class Passes:
    """The forward passes of all models: how many pieces each read. A gate can hold them up."""

    def __init__(self, monkeypatch) -> None:
        self.sizes: list[int] = []
        self.begun = threading.Event()
        self.gate = threading.Event()
        self.gate.set()
        original = Classifier.read

        def read(classifier: Classifier, pieces: list[Samples]) -> Any:
            self.sizes.append(len(pieces))
            self.begun.set()
            assert self.gate.wait(30)
            return original(classifier, pieces)

        monkeypatch.setattr(Classifier, "read", read)


@pytest.fixture
def passes(monkeypatch) -> Passes:
    return Passes(monkeypatch)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


# --- what is read ---


async def test_a_model_says_which_emotion_a_voice_has(read, tmp_path):
    path = tiny_classifiers.wav2vec2(tmp_path / "model", FOUR, says=log(0.1, 0.7, 0.15, 0.05))

    how = await read(sound(2), {"model": str(path), "reads": "emotion"})

    assert how.emotion == pytest.approx(
        dict.fromkeys(EMOTIONS, 0.0) | {"neutral": 0.1, "happy": 0.7, "anger": 0.15, "sad": 0.05}
    )
    assert how.manner == MANNER
    assert not how.uncertain
    assert (how.gender, how.age, how.events, how.arousal) == ({}, {}, (), None)


@pytest.mark.parametrize(
    ("shares", "uncertain"),
    [((0.4, 0.3, 0.2, 0.1), True), ((0.51, 0.47, 0.01, 0.01), True), ((0.6, 0.2, 0.1, 0.1), False)],
)
async def test_weak_emotions_are_marked_uncertain(read, tmp_path, shares, uncertain):
    path = tiny_classifiers.wav2vec2(tmp_path / "model", FOUR, says=log(*shares))

    how = await read(sound(2), {"model": str(path), "reads": "emotion"})

    assert how.uncertain == uncertain


async def test_a_temperature_takes_a_model_back(read, tmp_path):
    path = tiny_classifiers.wav2vec2(tmp_path / "model", FOUR, says=log(0.9, 0.06, 0.02, 0.02))

    how = await read(sound(2), {"model": str(path), "reads": "emotion", "temperature": 4})

    assert how.emotion["neutral"] < 0.5
    assert how.uncertain


async def test_calm_is_neutral_and_at_ease(read, tmp_path):
    path = tiny_classifiers.wav2vec2(
        tmp_path / "model", ["neutral", "calm", "Angry"], says=log(0.3, 0.5, 0.2)
    )

    how = await read(sound(2), {"model": str(path), "reads": "emotion"})

    assert how.emotion["neutral"] == pytest.approx(0.8)
    assert how.calm == pytest.approx(0.5)


async def test_several_models_read_side_by_side(read, tmp_path):
    emotion = tiny_classifiers.wav2vec2(tmp_path / "one", FOUR, says=log(0.1, 0.7, 0.1, 0.1))
    person = tiny_classifiers.wav2vec2(
        tmp_path / "two", ["woman", "man", "child"], masked=False, says=log(0.3, 0.1, 0.6)
    )

    how = await read(
        sound(2),
        {"model": str(emotion), "reads": "emotion"},
        {
            "model": str(person),
            "reads": ["gender", "age"],
            "labels": {"woman": ["female", "adult"], "man": ["male", "adult"]},
        },
    )

    assert max(how.emotion, key=how.emotion.__getitem__) == "happy"
    assert how.gender == pytest.approx({"female": 0.75, "male": 0.25})
    assert how.age == pytest.approx({"child": 0.6, "adult": 0.4, "old": 0.0})


async def test_a_gender_that_a_model_hardly_speaks_of_stays_open(read, tmp_path):
    path = tiny_classifiers.wav2vec2(
        tmp_path / "model", ["female", "male", "child"], says=log(0.01, 0.01, 0.98)
    )

    how = await read(sound(2), {"model": str(path), "reads": "gender", "labels": {"child": None}})

    assert how.gender == {}


@pytest.mark.parametrize("head", ["classifier", "pooled"])
async def test_arousal_valence_and_dominance_are_scaled(read, tmp_path, head):
    labels, says = ["arousal", "dominance", "valence"], [0.75, 0.5, -0.2]
    path = tmp_path / "model"
    if head == "pooled":
        tiny_classifiers.pooled(path, labels, says)
    else:
        tiny_classifiers.wav2vec2(path, labels, says=says, problem_type="regression")

    how = await read(sound(2), {"model": str(path), "reads": "dimensions"})

    assert how.arousal
    assert how.dominance
    assert how.valence
    assert how.arousal.value == pytest.approx(0.5)
    assert how.dominance.value == pytest.approx(0.0)
    assert how.valence.value == -1
    assert how.uncertain


async def test_a_pooled_head_is_computed_as_published(create, tmp_path):
    import torch
    from safetensors.torch import load_file
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    path = tiny_classifiers.pooled(tmp_path / "model", ["arousal", "dominance", "valence"])
    audio = sound(1)
    weights = load_file(path / "model.safetensors")
    body = Wav2Vec2Model(Wav2Vec2Config.from_pretrained(path)).eval()
    body.load_state_dict(
        {key[9:]: value for key, value in weights.items() if key.startswith("wav2vec2.")}
    )
    with torch.inference_mode():
        normal = (audio - audio.mean()) / np.sqrt(audio.var() + 1e-7)
        pooled = body(torch.from_numpy(normal)[None]).last_hidden_state.mean(dim=1)
        dense = torch.tanh(
            pooled @ weights["classifier.dense.weight"].T + weights["classifier.dense.bias"]
        )
        expected = dense @ weights["classifier.out_proj.weight"].T
        expected += weights["classifier.out_proj.bias"]

    analyzer = await create({"model": str(path), "reads": "dimensions"})
    (scores,) = await analyzer.scores(analyzer.readers[0], [audio])

    np.testing.assert_allclose(scores, expected[0], rtol=1e-4, atol=1e-4)


async def test_a_model_saved_by_an_older_library_is_the_same(read, masked, tmp_path):
    import torch
    from safetensors.torch import load_file

    old = {
        "weight_g": "parametrizations.weight.original0",
        "weight_v": "parametrizations.weight.original1",
    }
    weights = load_file(Path(masked["model"]) / "model.safetensors")
    for before, now in old.items():
        name = f"wav2vec2.encoder.pos_conv_embed.conv.{now}"
        weights[name.replace(now, before)] = weights.pop(name)
    del weights["wav2vec2.masked_spec_embed"]
    torch.save(weights, tmp_path / "pytorch_model.bin")
    for name in ("config.json", "preprocessor_config.json"):
        (tmp_path / name).write_bytes((Path(masked["model"]) / name).read_bytes())

    older = await read(sound(2), masked | {"model": str(tmp_path)})

    assert older.emotion == pytest.approx((await read(sound(2), masked)).emotion, abs=1e-5)


async def test_labels_that_do_not_exclude_each_other_are_taken_one_by_one(read, tmp_path):
    path = tiny_classifiers.spectrogram(
        tmp_path / "model",
        ["Speech", "Laughter", "Giggle", "Cough"],
        says=[4.0, 1.0, 0.5, -2.0],
        problem_type="multi_label_classification",
    )

    how = await read(sound(2.2), {"model": str(path), "reads": "events"})

    (event,) = how.events
    assert event.label == "laugh"
    assert event.confidence == pytest.approx(1 / (1 + math.exp(-1)))
    assert (event.start, event.end) == (0.0, pytest.approx(2.2))


async def test_a_sound_must_reach_the_threshold(read, tmp_path):
    path = tiny_classifiers.spectrogram(
        tmp_path / "model", ["Speech", "Laughter", "Giggle"], says=log(0.6, 0.2, 0.2)
    )
    model = {"model": str(path), "reads": "events"}

    assert (await read(sound(2), model)).events == ()
    (event,) = (await read(sound(2), model | {"threshold": 0.35})).events
    assert event.confidence == pytest.approx(0.4)


async def test_only_the_end_of_a_turn_is_read(create, masked, unmasked):
    for model in (masked, unmasked):
        stream = await (await create(model, window_s=2)).open()
        end = sound(2, seed=1)
        one = await stream.analyze(np.concatenate([sound(3, seed=2), end]), MANNER)
        two = await stream.analyze(np.concatenate([sound(5, seed=3), end]), MANNER)
        other = await stream.analyze(sound(5, seed=4), MANNER)

        assert one == two
        assert one != other


@pytest.mark.parametrize(
    "audio", [sound(0.29), np.zeros(HEARING_RATE, np.float32), np.zeros(0, np.float32)]
)
async def test_nothing_is_read_from_too_little(read, passes, masked, spectrogram, audio):
    how = await read(audio, masked, spectrogram)

    assert how == Paralinguistics(manner=MANNER, uncertain=True)
    assert passes.sizes == []


async def test_nothing_is_learned(create, masked):
    stream = await (await create(masked)).open()
    before = await stream.analyze(sound(2), MANNER)

    await stream.learn(sound(3, seed=1))

    assert await stream.analyze(sound(2), MANNER) == before


# --- many at once ---


@pytest.mark.parametrize("kind", ["masked", "unmasked", "spectrogram"])
async def test_a_reading_is_the_same_alone_and_among_others(request, create, passes, kind):
    analyzer = await create(request.getfixturevalue(kind))
    turns = [sound(seconds, seed) for seed, seconds in enumerate((0.5, 1.0, 1.5, 1.6, 2.0, 2.0, 4))]
    streams = [await analyzer.open() for _ in turns]
    together = await asyncio.gather(
        *(stream.analyze(turn, MANNER) for stream, turn in zip(streams, turns, strict=True))
    )
    joined = max(passes.sizes)
    alone = [await (await analyzer.open()).analyze(turn, MANNER) for turn in turns]

    assert joined > 1
    assert len({tuple(how.emotion.values()) + how.events for how in alone}) == len(turns)
    for one, other in zip(alone, together, strict=True):
        assert one.emotion == pytest.approx(other.emotion, abs=1e-4)
        assert [(event.label, event.start, event.end) for event in one.events] == [
            (event.label, event.start, event.end) for event in other.events
        ]
        assert [event.confidence for event in one.events] == pytest.approx(
            [event.confidence for event in other.events], abs=1e-4
        )


async def test_what_comes_at_once_is_read_in_one_pass(create, passes, masked):
    analyzer = await create(masked)
    streams = [await analyzer.open() for _ in range(5)]

    await asyncio.gather(
        *(stream.analyze(sound(1 + n), MANNER) for n, stream in enumerate(streams))
    )

    assert passes.sizes == [5]


async def test_what_came_during_a_pass_makes_the_next(create, passes, masked):
    analyzer = await create(masked, max_batch=4)
    streams = [await analyzer.open() for _ in range(7)]
    passes.gate.clear()
    first = asyncio.create_task(streams[0].analyze(sound(1), MANNER))
    await until(passes.begun.is_set)
    rest = [asyncio.create_task(stream.analyze(sound(1), MANNER)) for stream in streams[1:]]
    await until(lambda: analyzer.waiting == 6)
    passes.gate.set()
    await asyncio.gather(first, *rest)

    assert passes.sizes == [1, 4, 2]


async def test_only_audio_of_one_length_is_joined_where_padding_would_be_heard(
    create, passes, unmasked
):
    analyzer = await create(unmasked)
    lengths = {await analyzer.open(): seconds for seconds in (2.0, 3.0, 2.1, 2.2, 3.1)}

    await asyncio.gather(*(stream.analyze(sound(s), MANNER) for stream, s in lengths.items()))

    assert sorted(passes.sizes) == [2, 3]


async def test_sounds_of_a_growing_turn_are_read_once(create, passes, spectrogram):
    stream = await (await create(spectrogram, max_batch=256)).open()
    turn = sound(34)
    heard = [await stream.analyze(turn[: 10 * HEARING_RATE], MANNER)]
    at_first = sum(passes.sizes)
    passes.sizes.clear()
    # Of a long turn, only the end is handed on; it begins between two windows.
    for end in range(10, 34):
        start = max(0, end * HEARING_RATE - 15 * HEARING_RATE - 512)
        heard.append(await stream.analyze(turn[start : end * HEARING_RATE], MANNER))
    fresh = await (await create(spectrogram)).open()

    assert at_first == 19
    assert max(passes.sizes) <= 5
    assert heard[3] == await fresh.analyze(turn[: 12 * HEARING_RATE], MANNER)


async def test_where_models_are_slow_the_newest_audio_of_a_turn_is_read_for_all(
    create, passes, masked, spectrogram
):
    turn, other = sound(4), sound(2, seed=1)
    for model in (masked, spectrogram):
        analyzer = await create(model, max_batch=256)
        stream = await analyzer.open()
        passes.sizes.clear()
        passes.begun.clear()
        passes.gate.clear()
        first = asyncio.create_task(stream.analyze(turn[: 1 * HEARING_RATE], MANNER))
        await until(passes.begun.is_set)
        audio = [
            turn[: 2 * HEARING_RATE],
            turn[: 3 * HEARING_RATE],
            other,
            turn[HEARING_RATE // 2 :],
        ]
        manners = [Manner(speech_s=speech_s) for speech_s in range(len(audio))]
        calls = [
            asyncio.create_task(stream.analyze(samples, manner))
            for samples, manner in zip(audio, manners, strict=True)
        ]
        await asyncio.sleep(0)
        passes.gate.set()
        await first
        readings = await asyncio.gather(*calls)
        fresh = await analyzer.open()

        assert len(passes.sizes) == 3
        assert [how.manner for how in readings] == manners
        assert readings[0].emotion == readings[1].emotion == readings[3].emotion
        assert readings[3] == await fresh.analyze(audio[3], manners[3])
        assert readings[2] == await fresh.analyze(other, manners[2])
        for how, samples in zip(readings, audio, strict=True):
            assert all(event.end <= samples.size / HEARING_RATE for event in how.events)


async def test_a_cancelled_reading_falls_out(create, passes, masked):
    analyzer = await create(masked)
    streams = [await analyzer.open() for _ in range(3)]
    passes.gate.clear()
    first = asyncio.create_task(streams[0].analyze(sound(1), MANNER))
    await until(passes.begun.is_set)
    kept, dropped = (
        asyncio.create_task(stream.analyze(sound(1), MANNER)) for stream in streams[1:]
    )
    await until(lambda: analyzer.waiting == 2)
    dropped.cancel()
    await asyncio.wait([dropped])
    first.cancel()
    await asyncio.wait([first])
    passes.gate.set()

    assert (await kept).emotion
    assert dropped.cancelled()
    assert first.cancelled()
    assert passes.sizes == [1, 1]


async def test_too_many_readings_are_refused_until_some_are_done(create, passes, masked):
    analyzer = await create(masked, waiting=2)
    stream = await analyzer.open()
    passes.gate.clear()
    running = [asyncio.create_task(stream.analyze(sound(1), MANNER)) for _ in range(2)]
    await until(passes.begun.is_set)

    with pytest.raises(Overloaded, match=r"hearing\.paralinguistics\.waiting"):
        await stream.analyze(sound(1), MANNER)
    passes.gate.set()
    await asyncio.gather(*running)
    assert (await stream.analyze(sound(1), MANNER)).emotion


async def test_a_model_that_gives_no_numbers_fails_for_those_who_asked(create, tmp_path, masked):
    nan = math.nan
    path = tiny_classifiers.wav2vec2(tmp_path / "model", ["female", "male"], says=[nan, nan])
    broken = await (await create({"model": str(path), "reads": "gender"})).open()

    outcomes = await asyncio.gather(
        *(broken.analyze(sound(1), MANNER) for _ in range(3)), return_exceptions=True
    )

    assert all(isinstance(outcome, EngineError) for outcome in outcomes)
    assert "float32" in str(outcomes[0])


async def test_audio_that_a_model_cannot_take_fails_for_its_own_conversation_alone(
    create, passes, masked
):
    analyzer = await create(masked)
    bad = sound(1)
    bad[5000] = np.inf
    one, other = await analyzer.open(), await analyzer.open()

    failed, fine = await asyncio.gather(
        one.analyze(bad, MANNER), other.analyze(sound(1), MANNER), return_exceptions=True
    )

    assert passes.sizes == [2]
    assert isinstance(failed, EngineError)
    assert isinstance(fine, Paralinguistics)


async def test_closing_leaves_alone_who_has_just_given_up(create, passes, masked):
    analyzer = await create(masked)
    streams = [await analyzer.open() for _ in range(2)]
    passes.gate.clear()
    calls = [asyncio.create_task(stream.analyze(sound(1), MANNER)) for stream in streams]
    await until(passes.begun.is_set)
    late = asyncio.create_task((await analyzer.open()).analyze(sound(1), MANNER))
    await until(lambda: analyzer.waiting == 1)
    late.cancel()
    passes.gate.set()
    await analyzer.close()

    await asyncio.wait([late])
    assert late.cancelled()
    assert all(how.emotion for how in await asyncio.gather(*calls))


async def test_a_failed_pass_does_not_end_the_work(create, masked, monkeypatch):
    stream = await (await create(masked)).open()
    with monkeypatch.context() as patch:
        patch.setattr(Classifier, "read", lambda *_: 1 / 0)
        with pytest.raises(EngineError, match="division"):
            await stream.analyze(sound(1), MANNER)

    assert (await stream.analyze(sound(1), MANNER)).emotion


async def test_closing_ends_the_work_and_frees_the_models(create, passes, masked):
    analyzer = await create(masked)
    stream = await analyzer.open()
    model = weakref.ref(analyzer.readers[0].classifier._model)
    passes.gate.clear()
    running = asyncio.create_task(stream.analyze(sound(1), MANNER))
    await until(passes.begun.is_set)
    waiting = asyncio.create_task((await analyzer.open()).analyze(sound(1), MANNER))
    await until(lambda: analyzer.waiting == 1)
    late = asyncio.create_task(stream.analyze(sound(2), MANNER))
    closing = asyncio.create_task(analyzer.close())
    with pytest.raises(EngineError, match="closed"):
        await waiting
    passes.gate.set()
    await closing
    await running
    with pytest.raises(EngineError, match="closed"):
        await late
    await analyzer.close()

    with pytest.raises(EngineError, match="closed"):
        await stream.analyze(sound(1), MANNER)
    with pytest.raises(EngineError, match="closed"):
        await analyzer.open()
    del running, waiting, late, closing
    gc.collect()
    assert model() is None


async def test_a_closed_stream_reads_no_more(create, masked):
    stream = await (await create(masked)).open()
    await stream.close()
    await stream.close()

    with pytest.raises(EngineError, match="closed"):
        await stream.analyze(sound(1), MANNER)


# --- what cannot be used ---


def test_a_model_must_be_named():
    for nothing in ({}, {"models": []}):
        with pytest.raises(ValidationError, match="models"):
            TransformersAnalyzer.Options.model_validate(nothing)


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ([{"model": "a", "reads": "emotion"}, {"model": "b", "reads": "emotion"}], "choose one"),
        ([{"model": "a", "reads": ["emotion", "events"]}], "of their own"),
        ([{"model": "a", "reads": "mood"}], "Input should be"),
        ([{"model": "a", "reads": []}], "at least 1"),
        ([{"model": "a", "reads": "dimensions", "scale": [1, 1]}], "lowest"),
        ([{"model": "a", "reads": "emotion", "temperature": 0}], "greater than 0"),
    ],
)
def test_choices_that_make_no_sense_are_refused(models, message):
    with pytest.raises(ValidationError, match=message):
        TransformersAnalyzer.Options.model_validate({"models": models})


async def test_a_missing_model_says_how_to_get_it_and_its_licence(create):
    name = "audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim"

    with pytest.raises(EngineUnavailable) as error:
        await create({"model": name, "reads": "dimensions"})

    assert f"hf download {name}" in str(error.value)
    assert "CC-BY-NC-SA-4.0" in str(error.value)
    assert "661 MB" in str(error.value)


@pytest.mark.parametrize("name", ["somebody/unknown", "/no/such/folder", "~/nothing"])
async def test_any_missing_model_is_told(create, name):
    with pytest.raises(EngineUnavailable, match="there is no model"):
        await create({"model": name, "reads": "emotion"})


async def test_a_model_of_the_hub_is_found_where_it_was_put(create, masked, tmp_path, monkeypatch):
    revision = "0123456789abcdef0123456789abcdef01234567"
    cached = tmp_path / "hub" / "models--some--model"
    (cached / "snapshots").mkdir(parents=True)
    (cached / "snapshots" / revision).symlink_to(masked["model"])
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text(revision)
    await create({"model": "some/model", "reads": "emotion"})

    pulled = tmp_path / "data" / "voice-agent" / "models"
    pulled.mkdir(parents=True)
    (pulled / "other--model").symlink_to(masked["model"])
    if sys.platform == "linux":
        await create({"model": "other/model", "reads": "emotion"})


async def test_an_incomplete_model_is_told_by_its_folder(create, tmp_path):
    path = tiny_classifiers.wav2vec2(tmp_path / "model", FOUR)
    (path / "model.safetensors").unlink()

    with pytest.raises(EngineUnavailable, match=str(path)):
        await create({"model": str(path), "reads": "emotion"})


async def test_a_model_without_a_trained_head_is_refused(create, tmp_path):
    path = tiny_classifiers.headless(tmp_path / "model")

    with pytest.raises(ConfigError, match=r"its weights lack classifier\.bias"):
        await create({"model": str(path), "reads": "emotion", "labels": {"a": "sad", "b": "fear"}})


async def test_a_model_for_another_rate_is_refused(create, tmp_path):
    path = tiny_classifiers.wav2vec2(tmp_path / "model", FOUR)
    file = path / "preprocessor_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"sampling_rate": 44100}))

    with pytest.raises(ConfigError, match="44100 Hz"):
        await create({"model": str(path), "reads": "emotion"})


async def test_a_model_of_another_kind_is_refused(create, tmp_path):
    path = tiny_classifiers.wav2vec2(tmp_path / "model", FOUR)
    file = path / "config.json"
    file.write_text(json.dumps({"model_type": "gpt2"}))

    with pytest.raises(EngineUnavailable, match="cannot be loaded"):
        await create({"model": str(path), "reads": "emotion"})


async def test_labels_of_a_real_model_must_be_clear(create, tmp_path):
    path = tiny_classifiers.wav2vec2(tmp_path / "model", ["LABEL_0", "sad"])

    with pytest.raises(ConfigError, match="'LABEL_0', 'sad'"):
        await create({"model": str(path), "reads": "emotion"})


async def test_a_gpu_that_is_not_there_is_told():
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    path = Path(__file__).parent
    (choice,) = [{"model": "a", "reads": "emotion"}]
    options = TransformersAnalyzer.Options.model_validate({"models": [choice], "device": "cuda"})

    with pytest.raises(EngineUnavailable, match="no CUDA device"):
        load_all(options, [path])


async def test_missing_packages_are_told_with_what_brings_them(create, masked, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)

    with pytest.raises(EngineUnavailable, match=r"torch is not installed.*\[transformers\]"):
        await create(masked)


def test_the_engine_is_known_without_loading_torch():
    script = (
        "import sys; from voice_agent import engines; "
        "engines.find('paralinguistics', 'transformers'); "
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_example_of_the_documentation_is_a_valid_choice():
    page = (Path(__file__).parents[2] / "docs" / "paralinguistics.md").read_text(encoding="utf-8")
    (example,) = [
        block.split("```")[0]
        for block in page.split("```yaml\n")[1:]
        if "engine: transformers" in block.split("```")[0]
    ]

    config = Config.model_validate(yaml.safe_load(example) | {"profile": "example"})
    _, options = engine_options("paralinguistics", config.hearing.paralinguistics)

    known = {model.hub for model in catalogue.catalogue()}
    assert {choice.model for choice in options.models} <= known
