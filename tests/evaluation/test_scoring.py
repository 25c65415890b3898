"""Readings scored against labels, with figures worked out by hand."""

from pathlib import Path

import pytest

from voice_agent.evaluation import scoring
from voice_agent.evaluation.manifest import Clip
from voice_agent.events import Paralinguistics, VocalEvent


def clip(row=2, **labels) -> Clip:
    return Clip(row, Path(f"{row}.wav"), **labels)


def feeling(uncertain=False, calm=0.0, **emotion) -> Paralinguistics:
    return Paralinguistics(emotion=emotion, calm=calm, uncertain=uncertain)


def sounding(*events: tuple[str, float, float]) -> Paralinguistics:
    """Sounds by label, length and confidence."""
    return Paralinguistics(
        events=tuple(VocalEvent(label, 0.0, length, sure) for label, length, sure in events)
    )


def test_the_engine_chooses_among_the_emotions_of_the_corpus():
    how = feeling(surprise=0.6, sad=0.3, happy=0.1)

    assert scoring.emotion_shares(how, {"sad", "happy"}) == pytest.approx(
        {"sad": 0.75, "happy": 0.25}
    )
    assert scoring.emotion_shares(feeling(surprise=1.0), {"sad", "happy"}) == {}
    assert scoring.emotion_shares(feeling(), {"sad"}) == {}


def test_calm_is_part_of_neutral_unless_the_corpus_tells_them_apart():
    how = feeling(neutral=0.6, sad=0.4, calm=0.5)

    assert scoring.emotion_shares(how, {"neutral", "sad"})["neutral"] == pytest.approx(0.6)
    apart = scoring.emotion_shares(how, {"neutral", "sad", "calm"})
    assert apart == pytest.approx({"neutral": 0.1, "sad": 0.4, "calm": 0.5})


def test_emotion_figures():
    heard = [
        (clip(2, emotion="sad", speaker="x"), feeling(sad=0.9, happy=0.1)),
        (clip(3, emotion="sad", speaker="x"), feeling(sad=0.4, happy=0.6)),
        (clip(4, emotion="happy", speaker="y"), feeling(happy=0.8, surprise=0.2)),
        (clip(5, emotion="fear", speaker="y"), feeling(fear=0.7, anger=0.3, uncertain=True)),
        (clip(6, emotion="fear", speaker="y"), feeling(uncertain=True)),
        (clip(7, speaker="y"), feeling(sad=1.0)),
    ]

    report = scoring.emotion_report(heard, {"sad", "happy", "fear"})

    assert report.classes == ("sad", "happy", "fear")
    assert report.n == 5
    assert report.uar == pytest.approx((1 / 2 + 1 + 1 / 2) / 3)
    assert report.accuracy == 3 / 5
    assert report.uar_4class == pytest.approx((1 / 2 + 1) / 2)
    assert report.unknown == 1 / 5
    assert report.uncertain == pytest.approx(2 / 5)
    assert report.accuracy_certain == pytest.approx(2 / 3)
    assert report.f1 == pytest.approx({"sad": 2 / 3, "happy": 2 / 3, "fear": 2 / 3})
    assert report.confusion["fear"] == {"sad": 0, "happy": 0, "fear": 1, "unknown": 1}
    assert report.speaker_uar == {"x": 1 / 2, "y": pytest.approx((1 + 1 / 2) / 2)}
    # Sure by 0.9, 0.6, 1.0 and 1.0 after the others are left out, each in a bin of its own
    # but the last two; wrong once.
    assert report.ece == pytest.approx((0.1 + 0.6 + 0 + 0) / 4)


def test_in_the_four_class_figure_calm_is_neutral_and_others_are_left_out():
    heard = [
        (clip(2, emotion="calm"), feeling(neutral=0.3, fear=0.6, sad=0.1, calm=0.3)),
        (clip(3, emotion="fear"), feeling(sad=1.0)),
        (clip(4, emotion="anger"), feeling(neutral=0.9, anger=0.1)),
    ]

    report = scoring.emotion_report(heard, {"calm", "fear", "anger", "neutral"})

    assert report.uar == 0
    assert report.uar_4class == 1 / 2


def test_without_labels_there_is_no_report():
    heard = [(clip(gender="male"), feeling(sad=1.0))]

    assert scoring.emotion_report(heard, frozenset()) is None
    assert scoring.event_report(heard) is None


def test_gender_figures_count_no_answer_as_wrong():
    report = scoring.group_report(
        ["female", "female", "male", "male"],
        [{"female": 0.9, "male": 0.1}, {}, {"female": 0.6, "male": 0.4}, {"male": 1.0}],
    )

    assert report.uar == 1 / 2
    assert report.accuracy == 1 / 2
    assert report.unknown == 1 / 4
    assert report.accuracy_known == pytest.approx(2 / 3)
    assert report.confusion["female"] == {"female": 1, "male": 0, "unknown": 1}


def test_a_group_that_nobody_belongs_to_can_be_heard_wrongly():
    report = scoring.group_report(["adult", "adult"], [{"adult": 1.0}, {"old": 0.8, "adult": 0.2}])

    assert report.classes == ("adult", "old")
    assert report.uar == report.accuracy == 1 / 2


@pytest.mark.parametrize(
    ("events", "label"),
    [
        ([], "other"),
        ([("cough", 0.3, 0.9)], "cough"),
        ([("laugh", 1.0, 0.5), ("cough", 0.4, 0.9)], "laugh"),
        ([("laugh", 1.0, 0.5), ("cough", 0.4, 0.9), ("cough", 0.4, 0.9)], "cough"),
        ([("scream", 2.0, 1.0), ("cough", 0.1, 0.2)], "cough"),
        ([("scream", 2.0, 1.0)], "other"),
        ([("other", 2.0, 1.0)], "other"),
        ([("cough", 0.0, 0.5)], "cough"),
    ],
)
def test_a_clip_is_taken_for_the_sound_that_fills_it_most(events, label):
    assert scoring.heard_event(sounding(*events), ("laugh", "cough", "other")) == label


def test_event_figures():
    heard = [
        (clip(2, event="cough"), sounding(("cough", 1, 1))),
        (clip(3, event="cough"), sounding(("laugh", 1, 1))),
        (clip(4, event="laugh"), sounding(("laugh", 1, 1))),
        (clip(5, event="other"), sounding()),
        (clip(6, event="other"), sounding(("scream", 1, 1))),
        (clip(7, event="other"), sounding(("cough", 1, 1))),
        (clip(8), sounding(("cough", 1, 1))),
    ]

    report = scoring.event_report(heard)

    assert report.classes == ("laugh", "cough", "other")
    assert report.n == 6
    assert report.f1 == pytest.approx({"laugh": 2 / 3, "cough": 1 / 2, "other": 4 / 5})
    assert report.macro_f1 == pytest.approx((2 / 3 + 1 / 2 + 4 / 5) / 3)
    assert report.false_alarms == pytest.approx(2 / 3)


def test_where_every_clip_has_an_event_there_are_no_false_alarms_to_count():
    report = scoring.event_report([(clip(event="cough"), sounding(("cough", 1, 1)))])

    assert report.false_alarms is None
    assert report.accuracy == 1.0
