"""What the transformers analyzer reads beyond what the conformance suite asks."""

import math
from pathlib import Path

import numpy as np
import pytest

from voice_agent.audio.pcm import HEARING_RATE
from voice_agent.events import EMOTIONS, Paralinguistics

pytest.importorskip("transformers", reason="needs the extra 'transformers'")
pytest.importorskip("torch", reason="needs the extra 'transformers'")

import tiny_classifiers
from models_at_work import FOUR, MANNER, log, sound


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
