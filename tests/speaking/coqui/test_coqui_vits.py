"""VITS: a small one that has learnt to buzz the letters that it reads (``tiny_voice``)."""

from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_voices
import torch
from speaking_steps import OTHER, TEXT, audio, options, said, sentence

from voice_agent.audio.pcm import HEARING_RATE, SPEAKING_RATE, Samples, level_db
from voice_agent.audio.resample import resample
from voice_agent.errors import EngineUnavailable
from voice_agent.events import Phrase, Speech, Tone
from voice_agent.hearing.prosody import HOP, PitchTracker
from voice_agent.speaking.speaker import Speaker
from voice_agent.speaking.synthesizers.coqui.loading import load
from voice_agent.speaking.tone import tone_for


@pytest.fixture(scope="session")
def buzzing() -> Any:
    return load(options(tiny_voices.BUZZING_VITS, voice="calm", emotions={"sad": "low"}))[0]


@pytest.fixture(scope="session")
def random_vits(tmp_path_factory) -> Path:
    """One with the stochastic duration predictor that published ones have."""
    model = tiny_voices.new_vits(("p1", "p2"), model_args={"use_sdp": True})
    return tiny_voices.save_vits(model, tmp_path_factory.mktemp("voices") / "vits")


def whole(voice: Any, text: str, speaker: int, seed: int, speed: float) -> Samples:
    """What coqui-tts makes of it in one go."""
    model = voice._model
    model.max_inference_len, model.length_scale = None, 1 / speed
    torch.manual_seed(seed)
    told = model.inference(
        torch.tensor([model.tokenizer.text_to_ids(text)]),
        {
            "x_lengths": None,
            "d_vectors": None,
            "speaker_ids": torch.tensor([speaker]),
            "language_ids": None,
            "durations": None,
        },
    )
    model.max_inference_len = 1
    return told["model_outputs"][0, 0].numpy()


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("speed", [0.8, 1.0, 1.3])
def test_pieces_are_what_coqui_makes_of_the_whole(
    random_vits: Path, seed: int, speed: float
) -> None:
    voice, _ = load(options(random_vits, voice="p2"))
    expected = whole(voice, TEXT, 1, seed, speed)
    sounds = list(voice.say(sentence(), "neutral", speed, seed))
    np.testing.assert_allclose(audio(sounds), expected, atol=1e-5)
    assert sum(sound.samples.size > 0 for sound in sounds) > 1


def test_sentences_under_way_at_once_do_not_touch_each_other(random_vits: Path) -> None:
    voice, _ = load(options(random_vits, emotions={"sad": "p2"}))
    jobs = [(TEXT, "neutral", 1.0, 3), (OTHER, "sad", 0.8, 5), (TEXT, "neutral", 1.2, 9)]
    alone = [audio(list(voice.say(sentence(text), *how))) for text, *how in jobs]
    steps = [voice.say(sentence(text), *how) for text, *how in jobs]
    together = list(zip(*zip_longest(*steps), strict=True))
    for one, of_many in zip(alone, together, strict=True):
        np.testing.assert_array_equal(audio(list(of_many)), one)


def test_draws_of_others_go_on_as_if_nothing_was_said(random_vits: Path) -> None:
    voice, _ = load(options(random_vits))
    torch.manual_seed(0)
    numbers = torch.rand(2)
    torch.manual_seed(0)
    first = torch.rand(1)
    said(voice)
    assert torch.equal(torch.cat([first, torch.rand(1)]), numbers)


def test_words_begin_exactly_where_they_sound(buzzing: Any) -> None:
    text = "a mama, a nana, a lala"
    sounds = [sound for sound in buzzing.say(sentence(text), "neutral", 1.0, 0) if sound]
    samples = audio(sounds)
    # This voice is silent between words, so its audio itself tells where they begin.
    loud = np.abs(samples.reshape(-1, tiny_voices.HOP)).max(axis=1) > 0.05
    begins = np.flatnonzero(loud & ~np.concatenate(([False], loud[:-1]))) * tiny_voices.HOP
    starts = [start for sound in sounds for start in sound.starts]
    assert len(begins) == len(text.split())
    assert starts == pytest.approx(begins, abs=2 * tiny_voices.HOP)


def pitches(pieces: list[Speech]) -> np.ndarray:
    samples = np.concatenate([piece.samples for piece in pieces])
    samples = resample(samples, pieces[0].rate, HEARING_RATE)
    tracker = PitchTracker()
    found = [
        pitch
        for end in range(1024, samples.size, 2 * HOP)
        for pitch in tracker.pitch(samples[end - 1024 : end])
        if pitch > 0
    ]
    return np.array(found)


async def spoken(voice: Any, tone: Tone) -> list[Speech]:
    return [piece async for piece in voice.synthesize(Phrase(TEXT, tone))]


def seconds(pieces: list[Speech]) -> float:
    return sum(piece.samples.size for piece in pieces) / pieces[0].rate


@pytest.mark.parametrize("shift", [-2.0, 1.0, 2.5])
async def test_pitch_moves_by_the_semitones_asked_for_and_the_pace_stays(
    create, shift: float
) -> None:
    voice = await create(tiny_voices.BUZZING_VITS, voice="calm")
    plain, moved = await spoken(voice, Tone()), await spoken(voice, Tone(pitch_st=shift))
    change = 12 * np.log2(np.median(pitches(moved)) / np.median(pitches(plain)))
    assert change == pytest.approx(shift, abs=0.3)
    assert seconds(moved) == pytest.approx(seconds(plain), rel=0.12)


@pytest.mark.parametrize("factor", [0.8, 1.25])
async def test_rate_changes_the_duration_and_not_the_pitch(create, factor: float) -> None:
    voice = await create(tiny_voices.BUZZING_VITS, voice="calm")
    plain, changed = await spoken(voice, Tone()), await spoken(voice, Tone(rate=factor))
    assert seconds(plain) / seconds(changed) == pytest.approx(factor, rel=0.15)
    assert np.median(pitches(changed)) == pytest.approx(np.median(pitches(plain)), rel=0.03)


async def test_a_speaker_for_an_emotion_speaks_in_it(create) -> None:
    voice = await create(
        tiny_voices.BUZZING_VITS, voice="calm", emotions={"sad": "low", "joyful": "bright"}
    )
    sad, neutral, joyful = [
        await spoken(voice, tone_for(emotion)) for emotion in ("sad", "neutral", "joyful")
    ]
    assert np.median(pitches(sad)) == pytest.approx(150, rel=0.05)
    assert np.median(pitches(neutral)) == pytest.approx(200, rel=0.05)
    assert np.median(pitches(joyful)) == pytest.approx(250, rel=0.05)
    assert seconds(sad) > 1.1 * seconds(neutral)
    assert seconds(neutral) > 1.03 * seconds(joyful)


async def reply(text: str) -> Any:
    yield text


async def test_two_emotions_of_one_voice_differ_in_all_that_is_heard_of_the_reply(create) -> None:
    """Without a speaker for either: the tone alone, through the speaker that levels all voices."""
    voice = await create(tiny_voices.BUZZING_VITS, voice="calm")
    speaker = Speaker(voice, -22.0)
    async for _ in speaker.speak(reply(f"{TEXT} {TEXT}"), "neutral"):
        pass  # until it knows the level of the voice
    joyful, sad = [
        [piece async for piece in speaker.speak(reply(TEXT), emotion)]
        for emotion in ("joyful", "sad")
    ]
    assert all(piece.rate == SPEAKING_RATE for piece in joyful + sad)
    assert np.median(pitches(joyful)) > 1.15 * np.median(pitches(sad))
    assert seconds(sad) > 1.15 * seconds(joyful)
    loud, quiet = [
        level_db(np.concatenate([piece.samples for piece in pieces])) for pieces in (joyful, sad)
    ]
    assert loud > quiet + 2
    assert "".join(word.text for piece in sad for word in piece.words) == TEXT


def test_letters_it_does_not_know_are_left_out(buzzing: Any) -> None:
    assert said(buzzing, "né мa").size == said(buzzing, "n a").size
    assert list(buzzing.say(sentence("漢字"), "neutral", 1.0, 0)) == []


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"voice": "p9"}, "no voice 'p9'.*p1, p2"),
        ({"emotions": {"sad": "p9"}}, "no voice 'p9'"),
    ],
)
def test_an_unknown_speaker_is_refused(random_vits: Path, more: Any, told: str) -> None:
    with pytest.raises(EngineUnavailable, match=told):
        load(options(random_vits, **more))


def test_speakers_may_be_in_a_file_of_their_own(tmp_path: Path) -> None:
    """As in the published VCTK voice, whose configuration names a place on its author's disk."""
    model = tiny_voices.new_vits(("p1", "p2"))
    model.config.speakers = None
    model.config.speakers_file = model.config.model_args.speakers_file = "/home/author/ids.json"
    folder = tiny_voices.save_vits(model, tmp_path / "vits")
    (folder / "speaker_ids.json").write_text('{"p225": 0, "p226": 1}')
    voice, _ = load(options(folder, voice="p226"))
    assert said(voice).size


def test_a_model_of_one_speaker_needs_no_name(tmp_path: Path) -> None:
    folder = tiny_voices.save_vits(tiny_voices.new_vits(), tmp_path / "vits")
    voice, _ = load(options(folder))
    assert said(voice).size
    with pytest.raises(EngineUnavailable, match=r"no voice 'p1'.*there are: none"):
        load(options(folder, voice="p1"))


@pytest.mark.parametrize("file_has", ["less", "more"])
def test_weights_may_be_more_than_are_needed_but_not_less(tmp_path: Path, file_has: str) -> None:
    folder = tiny_voices.save_vits(tiny_voices.new_vits(), tmp_path / "vits")
    state = torch.load(folder / "model_file.pth")
    if file_has == "more":
        state["model"]["disc.nets.0.weight"] = torch.zeros(3)
    else:
        del state["model"]["flow.flows.0.pre.weight"]
    torch.save(state, folder / "model_file.pth")
    if file_has == "more":
        assert said(load(options(folder))[0]).size
    else:
        with pytest.raises(EngineUnavailable, match=r"may be damaged.*flow\.flows\.0\.pre\.weight"):
            load(options(folder))


def test_weights_in_the_older_format_of_published_voices_are_taken(tmp_path: Path) -> None:
    folder = tiny_voices.save_vits(tiny_voices.new_vits(), tmp_path / "vits")
    expected = said(load(options(folder))[0])
    state = torch.load(folder / "model_file.pth")["model"]
    older = {
        name.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): weights
        for name, weights in state.items()
    }
    assert older.keys() != state.keys()
    torch.save({"model": older}, folder / "model_file.pth")
    np.testing.assert_allclose(said(load(options(folder))[0]), expected, atol=1e-6)
