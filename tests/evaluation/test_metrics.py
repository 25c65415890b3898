"""Figures against cases worked out by hand, and what must hold for any."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.evaluation import metrics

CLASSES = ("a", "b", "c")

labels = st.sampled_from(CLASSES)
pairs = st.lists(st.tuples(labels, st.one_of(labels, st.none())), min_size=1, max_size=60)

TRUTH = ["a", "a", "a", "a", "b", "b", "c", "c"]
HEARD = ["a", "a", "a", "b", "b", None, "a", "c"]


def matrix(truth=TRUTH, heard=HEARD, classes=CLASSES) -> metrics.Confusion:
    return metrics.confusion(truth, heard, classes)


def test_a_confusion_counts_each_clip_once():
    assert matrix() == {
        "a": {"a": 3, "b": 1, "c": 0, "unknown": 0},
        "b": {"a": 0, "b": 1, "c": 0, "unknown": 1},
        "c": {"a": 1, "b": 0, "c": 1, "unknown": 0},
    }


def test_figures_worked_out_by_hand():
    assert metrics.uar(matrix()) == pytest.approx((3 / 4 + 1 / 2 + 1 / 2) / 3)
    assert metrics.accuracy(matrix()) == 5 / 8
    a, b, c = metrics.class_figures(matrix()).values()
    assert (a.n, a.precision, a.recall, a.f1) == (4, 3 / 4, 3 / 4, 3 / 4)
    assert (b.n, b.precision, b.recall, b.f1) == (2, 1 / 2, 1 / 2, 1 / 2)
    assert (c.n, c.precision, c.recall) == (2, 1.0, 1 / 2)
    assert c.f1 == pytest.approx(2 / 3)
    assert metrics.macro_f1(matrix()) == pytest.approx((3 / 4 + 1 / 2 + 2 / 3) / 3)


def test_classes_that_do_not_occur_are_no_part_of_a_mean():
    heard = matrix(["a", "a", "b"], ["a", "c", "b"])

    assert metrics.uar(heard) == (1 / 2 + 1) / 2
    assert metrics.class_figures(heard)["c"] == metrics.ClassFigures(0, 0.0, None, 0.0)
    assert metrics.macro_f1(matrix(["a"], ["a"])) is None


def test_nothing_gives_no_figure():
    empty = matrix([], [])

    assert metrics.uar(empty) is None
    assert metrics.accuracy(empty) is None
    assert metrics.ece(metrics.reliability([], [])) is None


@pytest.mark.parametrize(
    ("truth", "heard"), [(["a"], []), (["z"], ["a"]), (["a"], ["z"]), (["unknown"], ["a"])]
)
def test_labels_that_are_no_classes_are_refused(truth, heard):
    with pytest.raises(ValueError, match=r".+"):
        matrix(truth, heard)


@given(pairs)
def test_shares_lie_between_nothing_and_all(items):
    truth, heard = zip(*items, strict=True)
    counted = matrix(truth, heard)

    assert sum(sum(row.values()) for row in counted.values()) == len(items)
    assert metrics.accuracy(counted) == pytest.approx(np.mean([t == h for t, h in items]))
    recalls = [np.mean([h == label for t, h in items if t == label]) for label in set(truth)]
    assert metrics.uar(counted) == pytest.approx(np.mean(recalls))
    for figures in metrics.class_figures(counted).values():
        p, r, f1 = figures.precision, figures.recall, figures.f1
        if p and r:
            assert f1 == pytest.approx(2 * p * r / (p + r))
        else:
            assert not f1


@given(st.lists(labels, min_size=1, max_size=40))
def test_who_hears_all_right_is_perfect(truth):
    counted = matrix(truth, truth)

    assert metrics.uar(counted) == metrics.accuracy(counted) == 1.0
    assert metrics.macro_f1(counted) in (1.0, None)


def test_calibration_worked_out_by_hand():
    # In the bin (0.8, 0.867]: 0.85 on average sure, half right. In the last: sure and right.
    bins = metrics.reliability([0.84, 0.86, 1.0, 1.0], [True, False, True, True])

    assert len(bins) == 15
    assert [b.n for b in bins if b.n] == [2, 2]
    assert metrics.ece(bins) == pytest.approx((2 * abs(0.85 - 0.5) + 0) / 4)


@pytest.mark.parametrize(("confidence", "at"), [(0.0, 0), (1 / 15, 0), (0.5, 7), (1.0, 14)])
def test_every_confidence_has_its_bin(confidence, at):
    bins = metrics.reliability([confidence], [True])

    assert bins[at].n == 1
    assert bins[at].low <= confidence <= bins[at].high + 1e-12


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50))
def test_calibration_error_is_a_share_and_loses_no_prediction(items):
    bins = metrics.reliability(*map(list, zip(*items, strict=True)))

    assert sum(b.n for b in bins) == len(items)
    error = metrics.ece(bins)
    assert error is not None
    assert 0 <= error <= 1
    # Calibration in the large bounds it from below.
    gap = abs(np.mean([c for c, _ in items]) - np.mean([r for _, r in items]))
    assert error >= gap - 1e-9


def test_the_interval_holds_the_figure_and_widens_where_speakers_differ():
    truth = ["a", "b"] * 40
    speakers = [str(i // 4) for i in range(80)]
    alike = [t if i % 4 else "c" for i, t in enumerate(truth)]
    differing = [t if i < 60 else "c" for i, t in enumerate(truth)]

    def interval(heard):
        low, high = metrics.bootstrap_uar(truth, heard, speakers, CLASSES)
        assert low <= metrics.uar(matrix(truth, heard)) <= high
        return high - low

    assert interval(alike) == pytest.approx(0)
    assert interval(differing) > 0.2


def test_the_interval_is_repeatable_and_needs_two_speakers():
    speakers = list("xxxxyyzz")
    first = metrics.bootstrap_uar(TRUTH, HEARD, speakers, CLASSES, seed=3)

    assert first == metrics.bootstrap_uar(TRUTH, HEARD, speakers, CLASSES, seed=3)
    assert all(math.isfinite(end) for end in first)
    assert metrics.bootstrap_uar(TRUTH, HEARD, ["x"] * 8, CLASSES) is None
