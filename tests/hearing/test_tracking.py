"""Emotion over turns: what lasts, what changes it, and what does not count."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.events import EMOTIONS, Estimate, Manner, Paralinguistics
from voice_agent.hearing.tracking import PRIOR, Tracking

TURN_S = 4.0


def reading(
    label: str = "sad", share: float = 0.8, uncertain: bool = False, speech_s: float = 3.0, **values
) -> Paralinguistics:
    rest = (1 - share) / (len(EMOTIONS) - 1)
    emotion = {each: share if each == label else rest for each in EMOTIONS}
    return Paralinguistics(
        Manner(speech_s=speech_s), emotion=emotion, uncertain=uncertain, **values
    )


def hear(tracking: Tracking, *turns: Paralinguistics, at: float = 0.0) -> Paralinguistics:
    """The last of turns that follow each other with hardly a pause."""
    for how in turns:
        heard = tracking.weigh(how, at)
        at += TURN_S
        tracking.remember(heard, at)
    return heard


@pytest.fixture
def sad() -> Tracking:
    """A person who has sounded sad for twelve seconds."""
    tracking = Tracking()
    hear(tracking, reading(), reading(), reading())
    return tracking


NOW = 3 * TURN_S


def top(how: Paralinguistics) -> str:
    return max(how.emotion, key=lambda label: how.emotion[label])


def test_the_first_clear_reading_is_believed():
    how = hear(Tracking(), reading("happy", 0.8))
    assert how.emotion["happy"] == pytest.approx(0.8, abs=0.1)
    assert how.evidence == reading("happy", 0.8).emotion
    assert not how.uncertain


def test_the_first_weak_reading_is_not():
    how = hear(Tracking(), reading("anger", 0.5, uncertain=True))
    assert how.uncertain
    assert how.emotion["anger"] < 0.3


def test_an_emotion_that_lasts_grows_surer():
    tracking = Tracking()
    shares = [hear(tracking, reading("sad", 0.6), at=at).emotion["sad"] for at in (0.0, 4.0, 8.0)]
    assert shares == sorted(shares)
    assert shares[-1] > shares[0] + 0.1


def test_weak_readings_that_agree_add_up():
    weak = reading("sad", 0.5, uncertain=True)
    tracking = Tracking()
    assert hear(tracking, weak).uncertain
    assert not hear(tracking, weak, weak, weak, weak, weak, at=TURN_S).uncertain


def test_a_weak_contradiction_hardly_moves_it(sad):
    how = sad.weigh(reading("happy", 0.5, uncertain=True), NOW)
    assert top(how) == "sad"
    assert how.emotion["sad"] > 0.7
    assert not how.uncertain
    assert max(how.evidence, key=how.evidence.get) == "happy"


def test_a_word_or_two_move_it_less_than_a_sentence(sad):
    brief = sad.weigh(reading("happy", speech_s=0.4), NOW)
    long = sad.weigh(reading("happy", speech_s=4.0), NOW)
    assert brief.emotion["happy"] < long.emotion["happy"]
    assert top(brief) == "sad"


def test_a_strong_contradiction_moves_it_partly_and_a_second_one_fully(sad):
    first = hear(sad, reading("anger", 0.85), at=NOW)
    assert 0.2 < first.emotion["anger"] < 0.8
    second = hear(sad, reading("anger", 0.85), at=NOW + TURN_S)
    assert second.emotion["anger"] > 0.8
    assert not second.uncertain


def test_an_even_contest_is_uncertain(sad):
    contests = [sad.weigh(reading("anger", share / 100), NOW) for share in range(50, 100)]
    close = [how for how in contests if abs(how.emotion["anger"] - how.emotion["sad"]) < 0.1]
    assert close
    assert all(how.uncertain for how in close)


def test_it_fades_within_minutes(sad):
    nothing_new = reading("neutral", PRIOR["neutral"])
    shares = [sad.weigh(nothing_new, NOW + wait).emotion["sad"] for wait in (0, 60, 300, 1800)]
    assert shares[0] > 0.7
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] == pytest.approx(PRIOR["sad"], abs=0.01)


def test_silence_says_nothing_and_changes_nothing(sad):
    silence = Paralinguistics(Manner())
    before = sad.weigh(reading("happy"), NOW)
    heard = hear(sad, silence, at=NOW)
    assert heard == silence
    assert sad.weigh(reading("happy"), NOW) == before


def test_readings_within_a_turn_do_not_count(sad):
    sudden = reading("anger", 0.85)
    whole = sad.weigh(sudden, NOW)
    for _ in range(20):
        sad.weigh(sudden, NOW)
    assert sad.weigh(sudden, NOW) == whole


def test_readings_within_a_turn_converge_to_that_of_the_whole(sad):
    speech = [0.5, 1.0, 1.5, 2.0, 2.5]
    parts = [sad.weigh(reading("anger", 0.85, speech_s=length), NOW) for length in speech]
    whole = sad.weigh(reading("anger", 0.85, speech_s=2.6), NOW)
    distances = [abs(part.emotion["anger"] - whole.emotion["anger"]) for part in parts]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] == 0


def test_two_people_are_kept_apart(sad):
    other = Tracking()
    alone = other.weigh(reading("happy"), NOW)
    hear(sad, reading("anger"), at=NOW)
    assert other.weigh(reading("happy"), NOW) == alone


def test_calm_keeps_its_part_of_neutral(sad):
    how = sad.weigh(replace(reading("neutral", 0.8), calm=0.2), NOW)
    assert how.calm == pytest.approx(how.emotion["neutral"] / 4)
    assert sad.weigh(reading("happy", 1.0), NOW).calm == 0


def test_a_mood_moves_as_slowly_as_the_emotion():
    tracking = Tracking()
    low, high = (reading(valence=Estimate(value, 0.8)) for value in (-0.6, 0.6))
    assert hear(tracking, low).valence == Estimate(-0.6, 0.8)
    first = hear(tracking, high, at=TURN_S).valence.value
    assert -0.3 < first < 0.3
    second = hear(tracking, high, at=2 * TURN_S).valence.value
    assert first < second < 0.6
    assert tracking.weigh(high, 3600.0).valence.value == pytest.approx(0.6, abs=0.01)
    assert tracking.weigh(reading(), TURN_S).valence is None


posteriors = st.lists(st.floats(0, 1), min_size=8, max_size=8).map(
    lambda shares: {
        label: (share + 1e-9) / (sum(shares) + 8e-9)
        for label, share in zip(EMOTIONS, shares, strict=True)
    }
)
estimates = st.none() | st.builds(Estimate, st.floats(-1, 1), st.floats(0, 1))
readings = st.builds(
    lambda emotion, calm, speech_s, **rest: Paralinguistics(
        Manner(speech_s=speech_s),
        emotion=emotion,
        calm=calm * emotion.get("neutral", 0.0),
        **rest,
    ),
    st.just({}) | posteriors,
    st.floats(0, 1),
    st.floats(0, 60),
    uncertain=st.booleans(),
    valence=estimates,
    arousal=estimates,
    dominance=estimates,
)
turns = st.lists(st.tuples(readings, st.floats(0, 600)), max_size=8)


@given(turns)
def test_whatever_is_read_stays_a_posterior(turns):
    tracking, clock = Tracking(), 0.0
    for how, pause in turns:
        clock += pause
        heard = tracking.weigh(how, clock)
        assert heard == tracking.weigh(how, clock)
        tracking.remember(heard, clock)
        assert heard.evidence == how.emotion
        assert bool(heard.emotion) == bool(how.emotion)
        if heard.emotion:
            assert sum(heard.emotion.values()) == pytest.approx(1)
            assert all(0 < share < 1 for share in heard.emotion.values())
            assert 0 <= heard.calm <= heard.emotion["neutral"] + 1e-9
        for was, is_ in (
            (how.valence, heard.valence),
            (how.arousal, heard.arousal),
            (how.dominance, heard.dominance),
        ):
            assert (was is None) == (is_ is None)
            if is_ is not None:
                assert -1 <= is_.value <= 1
                assert 0 <= is_.confidence <= 1


@given(turns, posteriors, st.sampled_from(EMOTIONS))
def test_more_evidence_for_an_emotion_never_makes_it_less_likely(turns, emotion, label):
    tracking, clock = Tracking(), 0.0
    for how, pause in turns:
        clock += pause
        tracking.remember(tracking.weigh(how, clock), clock)
    more = {each: share / 2 + (each == label) / 2 for each, share in emotion.items()}
    shares = [
        tracking.weigh(replace(reading(), emotion=evidence), clock).emotion[label]
        for evidence in (emotion, more)
    ]
    assert shares[1] >= shares[0] - 1e-9


@given(turns, posteriors)
def test_after_hours_only_the_new_reading_counts(turns, emotion):
    tracking, clock = Tracking(), 0.0
    for how, pause in turns:
        clock += pause
        tracking.remember(tracking.weigh(how, clock), clock)
    how = replace(reading(), emotion=emotion)
    assert tracking.weigh(how, clock + 36_000).emotion == pytest.approx(
        Tracking().weigh(how, 0.0).emotion, abs=1e-6
    )
