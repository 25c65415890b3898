from itertools import pairwise

import numpy as np
import pytest
from sounds import Detector, LevelModel, hum, hush, seconds

from voice_agent.audio.pcm import HEARING_RATE
from voice_agent.hearing.ear import Ear, End, LikelyEnd, Onset, Resumed, Voice
from voice_agent.settings import Endpointing, Vad

FRAME_S = 0.032
CHUNKS = (160, 320, 512, 1000, 16_000, 1)


def ear(wait: int = 500, preroll: int = 400, detector: Detector | None = None) -> Ear:
    settings = Endpointing(min_wait_ms=wait, max_wait_ms=wait)
    return Ear(LevelModel(), detector or Detector(), Vad(preroll_ms=preroll), settings)


def adaptive(completion: float, **settings) -> tuple[Ear, Detector]:
    detector = Detector(completion)
    return Ear(LevelModel(), detector, Vad(), Endpointing(**settings)), detector


def feed(ear: Ear, *sounds, chunk: int = 320, words: str = "") -> list:
    audio = np.concatenate(sounds)
    return [
        event
        for at in range(0, len(audio), chunk)
        for event in ear.process(audio[at : at + chunk], words)
    ]


def kinds(events) -> list[type]:
    return [type(event) for event in events if not isinstance(event, Voice)]


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


def test_a_turn_has_a_beginning_and_an_end_where_the_sound_has_them():
    events = feed(ear(), hush(1), hum(1), hush(1))
    assert kinds(events) == [Onset, LikelyEnd, End]
    assert of(events, Onset)[0].at == pytest.approx(seconds(1), abs=seconds(FRAME_S))
    end = of(events, End)[0]
    assert end.at == pytest.approx(seconds(2), abs=seconds(0.01))
    assert end.decided - end.at == pytest.approx(seconds(0.5), abs=seconds(FRAME_S))


def test_silence_has_no_turns():
    assert feed(ear(), hush(5), np.zeros(seconds(2), np.float32)) == []


def test_a_click_is_no_turn():
    click = hum(0.02, level=0.3)
    assert feed(ear(), hush(1), click, hush(1), click, hush(0.2), click, hush(1)) == []


@pytest.mark.parametrize("chunk", CHUNKS)
def test_the_audio_of_a_turn_has_no_gap_whatever_the_chunks(chunk):
    audio = np.concatenate([hush(0.7), hum(0.5), hush(0.3, seed=1), hum(0.5, 180), hush(1, seed=2)])
    events = feed(ear(), audio, chunk=chunk)
    heard = np.concatenate([e.audio for e in events if isinstance(e, Onset | Voice)])
    start = of(events, Onset)[0].at - seconds(0.4)
    np.testing.assert_array_equal(heard, audio[start : start + heard.size])
    assert start + heard.size >= seconds(2.0)


def test_what_is_decided_hardly_depends_on_the_chunks():
    audio = np.concatenate([hush(0.7), hum(0.5), hush(0.3), hum(0.5), hush(1)])
    ends = [of(feed(ear(), audio, chunk=chunk), End)[0] for chunk in CHUNKS if chunk <= 512]
    assert len({end.at for end in ends}) == 1
    assert max(end.decided for end in ends) - min(end.decided for end in ends) <= 512


def test_the_pre_roll_is_what_was_asked_for():
    for preroll in (0, 200, 800):
        onset = of(feed(ear(preroll=preroll), hush(1), hum(0.5)), Onset)[0]
        until_onset = onset.audio.size - 2 * 512
        assert until_onset == pytest.approx(seconds(preroll / 1000), abs=1)


def test_speech_from_the_first_sample_on_is_heard():
    onset = of(feed(ear(), hum(0.5)), Onset)[0]
    assert onset.at == 0


def test_going_on_after_a_likely_end_is_told():
    events = feed(ear(), hush(0.5), hum(0.5), hush(0.3), hum(0.5), hush(1))
    assert kinds(events) == [Onset, LikelyEnd, Resumed, LikelyEnd, End]
    assert of(events, Resumed)[0].at == pytest.approx(seconds(1.3), abs=seconds(FRAME_S))


def test_a_gap_shorter_than_a_likely_end_is_no_event():
    assert kinds(feed(ear(), hush(0.5), hum(0.5), hush(0.1), hum(0.5))) == [Onset]


def test_all_voice_is_handed_out_before_an_end():
    events = feed(ear(), hush(0.5), hum(0.5), hush(1), chunk=16_000)
    told = of(events, Onset)[0].at - seconds(0.4)
    for event in events:
        if isinstance(event, Onset | Voice):
            told += event.audio.size
        elif isinstance(event, End):
            assert told == event.decided


def test_pre_roll_does_not_repeat_the_turn_before():
    events = feed(ear(wait=200), hush(0.5), hum(0.5), hush(0.25), hum(0.5), hush(1))
    first, second = of(events, Onset)
    end = of(events, End)[0]
    assert second.at - second.audio.size + 2 * 512 >= end.at - 1
    assert first.at < end.at <= second.at


def test_push_to_talk_never_ends_by_itself():
    listening = ear()
    listening.automatic = False
    events = feed(listening, hush(0.5), hum(0.5), hush(3), hum(0.5), hush(3))
    assert kinds(events) == [Onset, LikelyEnd, Resumed, LikelyEnd]
    end = listening.end_turn()
    assert end is not None
    assert end.at == pytest.approx(seconds(4.5), abs=seconds(0.01))
    assert end.decided == seconds(7.5)


def test_ending_by_hand_while_somebody_speaks_ends_with_the_audio():
    listening = ear()
    feed(listening, hush(0.5), hum(1))
    assert listening.end_turn() == End(seconds(1.5), seconds(1.5))


def test_ending_by_hand_without_speech_gives_nothing():
    listening = ear()
    feed(listening, hush(1))
    assert listening.end_turn() is None


def test_what_is_forgotten_is_not_in_the_next_turn():
    listening = ear()
    feed(listening, hush(0.5), hum(0.5), hush(0.1))
    listening.forget()
    assert not listening.speaking
    assert listening.speech_s == 0
    assert listening.end_turn() is None
    onset = of(feed(listening, hush(0.2), hum(0.5)), Onset)[0]
    assert onset.audio.size <= seconds(0.2) + 3 * 512


def test_tells_whether_somebody_speaks():
    listening = ear()
    feed(listening, hush(0.512), hum(0.032))
    assert listening.stirring
    assert not listening.speaking
    feed(listening, hum(0.2))
    assert listening.speaking
    assert not listening.stirring
    feed(listening, hush(0.2))
    assert not listening.speaking


def test_measures_speech_and_voice():
    listening = ear()
    hiss = np.random.default_rng(0).normal(0, 0.05, seconds(1)).astype(np.float32)
    feed(listening, hush(0.5), hum(1), hiss, hush(0.3))
    assert listening.speech_s == pytest.approx(2, abs=0.1)
    assert listening.voiced_share == pytest.approx(0.5, abs=0.1)


def test_a_turn_is_measured_against_the_turns_before():
    listening = ear()
    feed(listening, hush(0.5), hum(2, 110, 0.05), hush(1))
    first = listening.manner()
    assert first.pitch_hz == pytest.approx(110, rel=0.02)
    assert first.pitch_shift_st is None
    assert first.level_shift_db is None
    feed(listening, hum(2, 220, 0.1), hush(1))
    second = listening.manner()
    assert second.pitch_shift_st == pytest.approx(12, abs=0.5)
    assert second.level_shift_db == pytest.approx(6, abs=0.5)


def test_keeps_the_last_half_minute_of_a_turn():
    listening = ear()
    audio = np.concatenate([hush(0.5), *(hum(1, 100 + n) for n in range(40))])
    feed(listening, audio, chunk=8000)
    start, kept = listening.turn_audio_start, listening.turn_audio()
    assert kept.size == seconds(30)
    np.testing.assert_array_equal(kept, audio[start : start + kept.size])


def test_an_hour_of_audio_does_not_make_it_grow():
    listening = ear()
    minute = np.concatenate([hum(1), hush(59)])
    sizes = []
    for _ in range(6):
        feed(listening, minute, chunk=16_000)
        sizes.append(listening._audio._buffer.nbytes + 8 * len(listening._turn.prosody.levels))
    assert all(after <= before for before, after in pairwise(sizes[1:]))


def test_the_detector_is_told_what_happened():
    listening, detector = adaptive(0.001)
    feed(listening, hush(0.5), hum(1), hush(0.4), hum(0.5, 150), hush(0.3), words="so it is")
    first, last = detector.asked[0], detector.asked[-1]
    assert first.text == "so it is"
    assert first.longest_pause_s == 0
    assert first.speech_s == pytest.approx(1, abs=0.07)
    assert last.longest_pause_s == pytest.approx(0.4, abs=0.04)
    assert last.speech_s == pytest.approx(1.5, abs=0.1)
    assert 0.1 < last.silence_s < 0.3
    assert last.pitch_end_st == pytest.approx(12 * np.log2(150 / 120), abs=0.5)
    assert last.audio.size <= 8 * HEARING_RATE


def test_the_surer_the_detector_the_shorter_the_wait():
    waits = []
    for completion in (0.1, 0.5, 0.7, 0.99):
        listening, _ = adaptive(completion)
        end = of(feed(listening, hush(0.5), hum(1), hush(2)), End)[0]
        waits.append(end.decided - end.at)
    assert waits == sorted(waits, reverse=True)
    assert len(set(waits)) == 4


def test_new_words_change_the_wait():
    listening, detector = adaptive(0.001)
    feed(listening, hush(0.5), hum(1), hush(0.5), words="because")
    detector.answer = 0.99
    assert not of(feed(listening, hush(0.1), words="because"), End)
    assert of(feed(listening, hush(0.1), words="because of you"), End)


def test_settings_can_change_within_a_session():
    listening = ear(wait=1000)
    listening.configure(Vad(), Endpointing(min_wait_ms=200, max_wait_ms=200))
    end = of(feed(listening, hush(0.5), hum(1), hush(1)), End)[0]
    assert end.decided - end.at <= seconds(0.2 + FRAME_S)


class DoubtfulModel(LevelModel):
    """Takes what is loud for speech, but is not sure of it."""

    def run(self, outputs, inputs):
        probability, h, c = super().run(outputs, inputs)
        return np.minimum(probability, 0.6), h, c


def test_a_doubtful_sound_begins_a_turn_only_when_it_lasts():
    def doubtful() -> Ear:
        return Ear(DoubtfulModel(), Detector(), Vad(), Endpointing())

    assert feed(doubtful(), hush(0.5), hum(0.09), hush(1)) == []
    onset = of(feed(doubtful(), hush(0.5), hum(0.3), hush(1)), Onset)[0]
    assert onset.at == pytest.approx(seconds(0.5), abs=seconds(FRAME_S))
