"""What keeps Whisper from writing into silence and noise, and from going round in circles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.hearing.recognizers.faster_whisper.loudness import Loudness
from voice_agent.hearing.recognizers.faster_whisper.trimming import cut, forced
from voice_agent.hearing.recognizers.faster_whisper.words import (
    ReadWord,
    heard,
    is_loop,
    joined,
    whole,
    without_loop,
)


def noise(seconds: float, level: float, seed: int = 0) -> Samples:
    shape = round(seconds * HEARING_RATE)
    return np.random.default_rng(seed).normal(0, level, shape).astype(np.float32)


def tone(seconds: float, level: float = 0.2) -> Samples:
    return (level * np.sin(np.arange(round(seconds * HEARING_RATE)) / 4)).astype(np.float32)


def words(text: str, each_s: float = 0.5) -> list[ReadWord]:
    return [
        ReadWord(f" {word}", k * each_s, k * each_s + 0.4, 0.9)
        for k, word in enumerate(text.split())
    ]


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(0, np.float32),
        np.zeros(5 * HEARING_RATE, np.float32),
        noise(5, 1e-4),
        noise(5, 0.02),
        noise(5, 0.5),
        tone(5),
    ],
    ids=["none", "silence", "hiss", "noise", "loud noise", "hum"],
)
def test_silence_and_steady_noise_are_no_speech(sound):
    assert not Loudness.of(sound).speech_like


@pytest.mark.parametrize("background", [0.0, 1e-3, 0.02])
def test_sound_that_comes_and_goes_may_be_speech(background):
    sound = np.concatenate([tone(0.3), np.zeros(4000, np.float32)] * 4)

    assert Loudness.of(sound + noise(len(sound) / HEARING_RATE, background)).speech_like


def test_real_speech_passes(data):
    import soundfile

    files = sorted((data / "speech_read").rglob("*.wav"))[:40]
    files = files or sorted((data / "speech_read").rglob("*.flac"))[:40]
    assert files
    for file in files:
        samples, _ = soundfile.read(file, dtype="float32")
        assert Loudness.of(samples).speech_like, file


def test_words_in_the_middle_of_a_silence_were_not_heard():
    sound = np.concatenate([tone(1.0), noise(9.0, 1e-3)])
    said = [
        ReadWord(" yes", 0.1, 0.9, 0.9),
        ReadWord(" thank", 4.0, 4.5, 0.5),
        ReadWord(" you", 4.5, 5.0, 0.5),
    ]

    assert joined(heard(said, Loudness.of(sound), 10.0)) == "yes"


def test_words_near_a_sound_are_kept_and_times_end_with_it():
    sound = np.concatenate([noise(1.0, 1e-3), tone(0.5), noise(2.0, 1e-3)])
    said = [ReadWord(" oh", 0.75, 0.9, 0.9), ReadWord(" yes", 0.9, 2.4, 0.9)]

    oh, yes = heard(said, Loudness.of(sound), 3.5)

    assert oh.text == " oh"
    assert (yes.start, yes.end) == pytest.approx((1.0, 1.5), abs=0.02)


@given(
    st.lists(st.tuples(st.floats(-1, 12), st.floats(-1, 12)), max_size=8),
    st.integers(0, 10 * HEARING_RATE),
)
def test_times_lie_within_the_audio_and_follow_one_another(times, samples):
    sound = np.concatenate([tone(2), noise(2, 1e-3), tone(6)])[:samples]
    length_s = samples / HEARING_RATE
    kept = heard([ReadWord(" a", *span, 0.9) for span in times], Loudness.of(sound), length_s)

    assert all(0 <= word.start <= word.end for word in kept)
    assert [word.start for word in kept] == sorted(word.start for word in kept)


@pytest.mark.parametrize(
    ("text", "once"),
    [
        ("I see " + "thank you " * 30, "I see thank you"),
        ("so " * 60, "so"),
        ("we go and " * 20 + "we go", "we go and"),
    ],
)
def test_a_loop_is_cut_after_its_first_round(text, once):
    assert is_loop(text)
    assert joined(without_loop(words(text))) == once


@pytest.mark.parametrize(
    "text", ["no no no no no", "I told her, and I told him, and then I told everyone", "yes", ""]
)
def test_people_may_repeat_themselves(text):
    assert not is_loop(text)


def test_words_begin_with_a_space_where_the_language_has_spaces():
    pieces = [ReadWord(text, 0, 1, 0.5) for text in ["Well", "-known", " it", "'s", " ", " no."]]

    assert [word.text for word in whole(pieces, "en")] == [" Well-known", " it's", " no."]


def test_letters_stand_alone_where_it_has_none():
    pieces = [ReadWord(text, 0, 1, 0.5) for text in ["今", "日", "は", " ", "。"]]

    assert joined(whole(pieces, "ja")) == "今日は。"


def spoken(count: int) -> tuple[list[ReadWord], Loudness, float]:
    """Words of 0.4 s with pauses of 0.1 s between, as they sound."""
    one = np.concatenate([tone(0.4), np.zeros(1600, np.float32)])
    return words("a " * count), Loudness.of(np.tile(one, count)), count / 2


def test_short_audio_is_not_cut():
    read, loudness, _ = spoken(20)

    assert cut(read, 20, loudness, 10.0) is None


def test_a_cut_is_made_in_the_silence_behind_the_last_finished_sentence():
    read, loudness, length_s = spoken(34)
    read[9], read[19] = (ReadWord(" a.", w.start, w.end, 0.9) for w in (read[9], read[19]))

    found = cut(read, 25, loudness, length_s)

    assert found is not None
    assert found.words == 20
    assert 9.9 <= found.at / HEARING_RATE <= 10.0


def test_a_sentence_that_was_not_agreed_on_is_kept():
    read, loudness, length_s = spoken(34)
    read[19] = ReadWord(" a.", read[19].start, read[19].end, 0.9)

    assert cut(read, 19, loudness, length_s) is None


def test_a_forced_cut_keeps_the_words_at_the_end():
    read, loudness, length_s = spoken(56)

    found = forced(read, loudness, length_s)

    assert found.words == 48
    assert 23.9 <= found.at / HEARING_RATE <= 24.0


def test_a_forced_cut_of_long_silence_lets_it_go():
    loudness = Loudness.of(np.zeros(28 * HEARING_RATE, np.float32))

    assert forced([], loudness, 28.0).at >= 24 * HEARING_RATE


def test_a_forced_cut_lets_go_of_nothing_that_sounds_and_was_not_read():
    read, loudness, length_s = spoken(56)

    found = forced(read[:10], loudness, length_s)

    assert found.words == 10
    assert found.at / HEARING_RATE <= 5.0
