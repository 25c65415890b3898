"""XTTS with random weights: what it says is meaningless, how it is rendered is not."""

import asyncio
import gc
import json
import weakref
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import numpy as np
import pytest
import tiny_voices
import torch
from speaking_steps import OTHER, TEXT, audio, options, said, sentence
from TTS.tts.models import xtts as xtts_module

from voice_agent.audio.pcm import SPEAKING_RATE, Samples
from voice_agent.errors import EngineUnavailable
from voice_agent.events import Phrase
from voice_agent.speaking.synthesizers.coqui import CoquiSynthesizer
from voice_agent.speaking.synthesizers.coqui.loading import load, style_of
from voice_agent.speaking.synthesizers.coqui.voice import Sound
from voice_agent.speaking.voices import Consent, NewClip, VoiceBank


@pytest.mark.parametrize("seed", [3, 5, 8])
@pytest.mark.parametrize("speed", [0.8, 1.0, 1.3])
def test_pieces_are_what_coqui_makes_of_the_whole(xtts: Any, seed: int, speed: float) -> None:
    model, style, config = xtts._model, xtts._styles["neutral"], xtts._model.config
    torch.manual_seed(seed)
    with torch.inference_mode():
        whole = torch.cat(
            list(
                model.inference_stream(
                    TEXT,
                    "en",
                    style.latents,
                    style.speaker,
                    stream_chunk_size=10_000,
                    speed=speed,
                    temperature=config.temperature,
                    repetition_penalty=float(config.repetition_penalty),
                    top_k=config.top_k,
                    top_p=config.top_p,
                )
            )
        )
    np.testing.assert_allclose(said(xtts, speed=speed, seed=seed), whole.numpy(), atol=1e-5)


def test_sentences_under_way_at_once_do_not_touch_each_other(xtts: Any) -> None:
    jobs = [(TEXT, 3), (OTHER, 5), (TEXT, 9)]
    alone = [said(xtts, text, seed=seed) for text, seed in jobs]
    together: list[list[Sound | None]] = [[] for _ in jobs]
    steps = [xtts.say(sentence(text), "neutral", 1.0, seed) for text, seed in jobs]
    for round_ in zip_longest(*steps):
        for sounds, sound in zip(together, round_, strict=True):
            sounds.append(sound)
    for one, of_many in zip(alone, together, strict=True):
        np.testing.assert_allclose(audio(of_many), one, atol=1e-5)


def test_draws_of_others_change_nothing_and_are_not_changed(xtts: Any) -> None:
    expected = said(xtts)
    torch.manual_seed(0)
    numbers = torch.rand(3)
    torch.manual_seed(0)
    found = [torch.rand(1)]
    steps: Iterator[Sound | None] = xtts.say(sentence(), "neutral", 1.0, 3)
    heard = [next(steps)]
    found.append(torch.rand(1))
    heard.extend(steps)
    found.append(torch.rand(1))
    np.testing.assert_array_equal(audio(heard), expected)
    assert torch.equal(torch.cat(found), numbers)


def test_the_first_piece_is_small_and_comes_after_a_few_tokens(xtts: Any) -> None:
    sounds = list(xtts.say(sentence(), "neutral", 1.0, 3))
    first = next(at for at, sound in enumerate(sounds) if sound)
    assert first <= 8
    sizes = [sound.samples.size for sound in sounds if sound]
    assert 0.1 < sizes[0] / xtts.rate < 0.4
    assert sizes[0] < sizes[1] < sizes[2]


def test_each_word_has_a_start_and_they_are_in_order(xtts: Any) -> None:
    for seed in range(6):
        sounds = [sound for sound in xtts.say(sentence(), "neutral", 1.0, seed) if sound]
        starts = [start for sound in sounds for start in sound.starts]
        assert len(starts) == len(sentence().words)
        assert starts == sorted(starts)
        assert starts[-1] <= audio(sounds).size


def test_a_model_that_misses_its_end_is_ended(xtts: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xtts._model.gpt, "stop_audio_token", -1)  # it is never drawn
    monkeypatch.setattr(xtts, "_pace", 14.0)
    expected_s = 2.0 + 3.5 * len("Yes please.") / 14.0
    model_s = xtts._model.gpt.max_gen_mel_tokens * xtts._token_s
    length = said(xtts, "Yes please.").size / xtts.rate
    assert length == pytest.approx(min(expected_s, model_s), abs=0.1)


def buzz(hz: float) -> Samples:
    at = np.arange(4 * SPEAKING_RATE) / SPEAKING_RATE
    wave = sum(np.sin(2 * np.pi * hz * n * at) / n for n in range(1, 10))
    return (0.1 * wave).astype(np.float32)


@pytest.fixture
def bank(no_voices_of_the_user) -> VoiceBank:
    made = VoiceBank.open()
    clips = [
        NewClip(buzz(hz), emotion, -20.0) for hz, emotion in ((150, "neutral"), (300, "joyful"))
    ]
    made.create("mira", "en", Consent(statement="It is mine.", given="2026-01-01"), clips)
    return made


def test_a_recorded_voice_has_a_style_for_each_emotion(small_xtts, bank: VoiceBank) -> None:
    voice, _ = load(options(small_xtts, voice="mira"))
    assert voice.has_style("joyful")
    assert voice.has_style("happy")  # by the related one
    assert not voice.has_style("neutral")
    assert not voice.has_style("sad")
    spoken = [said(voice, emotion=emotion) for emotion in ("neutral", "joyful", "happy", "sad")]
    assert not np.array_equal(spoken[0], spoken[1])
    np.testing.assert_array_equal(spoken[1], spoken[2])
    np.testing.assert_array_equal(spoken[0], spoken[3])


def test_a_style_is_what_coqui_makes_of_the_recording(xtts: Any, bank: VoiceBank) -> None:
    (clip,) = bank.voice("mira").clips("neutral")
    style = style_of(xtts._model, [clip])
    samples = torch.from_numpy(buzz(150))[None]
    speaker = xtts._model.get_speaker_embedding(samples, SPEAKING_RATE)
    assert torch.cosine_similarity(style.speaker.flatten(), speaker.flatten(), dim=0) > 0.99
    latents = xtts._model.get_gpt_cond_latents(samples, SPEAKING_RATE, 6, 3)
    assert torch.cosine_similarity(style.latents.flatten(), latents.flatten(), dim=0) > 0.99


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"voice": "Nobody"}, "no voice 'Nobody'.*Ana, Ben"),
        ({"emotions": {"sad": "Nobody"}}, "no voice 'Nobody'"),
        ({"language": "xx"}, "does not speak 'xx'"),
    ],
)
def test_what_the_model_lacks_is_refused_with_what_it_has(small_xtts, more: Any, told: str) -> None:
    with pytest.raises(EngineUnavailable, match=told):
        load(options(small_xtts, **more))


def test_speakers_of_the_model_can_stand_for_emotions(small_xtts) -> None:
    voice, _ = load(options(small_xtts, voice="Ana", emotions={"sad": "Ben"}))
    ben, _ = load(options(small_xtts, voice="Ben"))
    assert voice.has_style("sad")
    np.testing.assert_array_equal(said(voice, emotion="sad"), said(ben))


async def test_its_licence_is_told_when_it_is_loaded(
    create, small_xtts, caplog: pytest.LogCaptureFixture
) -> None:
    from voice_agent.speaking.synthesizers.coqui import loading

    loading._tell_licence.cache_clear()
    with caplog.at_level("INFO"):
        await create(small_xtts)
        await create(small_xtts)
    assert sum("non-commercial" in record.message for record in caplog.records) == 1


async def test_closing_lets_go_of_the_model(small_xtts) -> None:
    synthesizer = await CoquiSynthesizer.create(options(small_xtts))
    model = weakref.ref(synthesizer._voice._model)  # type: ignore[union-attr]
    async for _ in synthesizer.synthesize(Phrase(TEXT)):
        pass
    await synthesizer.close()
    await asyncio.sleep(0)
    gc.collect()
    assert model() is None


async def test_an_engine_can_be_made_around_a_model(small_xtts) -> None:
    voice, _ = load(options(small_xtts))
    synthesizer = await CoquiSynthesizer.of(voice._model, options(small_xtts, voice="Ben"))  # type: ignore[attr-defined]
    assert len([piece async for piece in synthesizer.synthesize(Phrase(TEXT))]) > 1
    await synthesizer.close()


@pytest.mark.parametrize("missing", ["model.pth", "vocab.json"])
async def test_a_model_that_is_not_whole_is_refused(small_xtts, tmp_path, missing: str) -> None:
    for file in small_xtts.iterdir():
        if file.name != missing:
            (tmp_path / file.name).symlink_to(file)
    with pytest.raises(EngineUnavailable, match=f"lacks {missing}"):
        CoquiSynthesizer.check(options(tmp_path))
    with pytest.raises(EngineUnavailable, match=f"lacks {missing}"):
        await CoquiSynthesizer.create(options(tmp_path))


async def test_damaged_weights_are_told(small_xtts, tmp_path) -> None:
    for file in small_xtts.iterdir():
        (tmp_path / file.name).write_bytes(
            file.read_bytes()[: 100_000 if "model" in file.name else None]
        )
    with pytest.raises(EngineUnavailable, match="may be damaged"):
        await CoquiSynthesizer.create(options(tmp_path))


async def test_another_kind_of_model_is_refused(tmp_path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model": "tacotron2"}))
    with pytest.raises(EngineUnavailable, match="'tacotron2'; the coqui engine speaks with xtts"):
        CoquiSynthesizer.check(options(tmp_path))


def test_loading_leaves_the_files_as_they_were_published(small_xtts, tmp_path) -> None:
    """XTTS v2 was published with its configuration as an object beside the weights."""
    for file in small_xtts.iterdir():
        if file.name != "model.pth":
            (tmp_path / file.name).symlink_to(file)
    weights = torch.load(small_xtts / "model.pth")["model"]
    with xtts_module._legacy_safe_globals():  # under the names that it had then
        torch.save({"model": weights, "config": tiny_voices.xtts_config()}, tmp_path / "model.pth")
    before = (tmp_path / "model.pth").read_bytes()
    voice, _ = load(options(tmp_path))
    assert said(voice).size
    assert (tmp_path / "model.pth").read_bytes() == before
