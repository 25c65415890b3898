from pathlib import Path

import numpy as np
import pytest

from voice_agent.errors import EngineUnavailable, ManifestError
from voice_agent.evaluation.text_emotion import Comment
from voice_agent.thinking.text_emotion import EKMAN, LABELS, TextEmotion
from voice_agent.training.self_reports import self_reports
from voice_agent.training.text_emotion import run, train

SAID = {
    "joy": ("lovely sunny beautiful funny merry", "day song walk evening picnic"),
    "anger": ("stupid rude careless unfair nasty", "bus liar boss neighbour queue"),
}


def comments() -> list[Comment]:
    return [
        Comment(f"what a {adjective} {noun}", frozenset([label]))
        for label, (adjectives, nouns) in SAID.items()
        for adjective in adjectives.split()
        for noun in nouns.split()
    ] * 20


@pytest.fixture(scope="module")
def trained():
    return train(comments(), comments())


def test_it_learns_what_the_words_tell(trained):
    model = TextEmotion(trained)
    assert model.ekman("a lovely song".split())["joy"] > 0.5
    assert model.ekman("a stupid liar".split())["anger"] > 0.5
    assert sum(model.probabilities(["a"]).values()) == pytest.approx(1)


def test_the_same_seed_gives_the_same_weights(trained):
    again, other = train(comments(), comments()), train(comments(), comments(), seed=1)
    assert np.array_equal(again.weights, trained.weights)
    assert not np.array_equal(other.weights, trained.weights)


def test_a_saved_model_reads_as_before(trained, tmp_path: Path):
    trained.save(tmp_path / "weights.npz")
    (tmp_path / "known_words.txt").write_text("bus song\n")
    loaded, said = TextEmotion.load(tmp_path), "a stupid song".split()
    assert loaded.probabilities(said) == TextEmotion(trained).probabilities(said)
    assert loaded.known == {"bus", "song"}


def test_the_command_writes_a_model_and_tells_how_good_it_is(tmp_path: Path):
    lines = [f"{c.text}\t{LABELS.index(next(iter(c.labels)))}\tid" for c in comments()]
    for split in ("train", "dev", "test"):
        (tmp_path / f"{split}.tsv").write_text("\n".join(lines) + "\n")
    report = run(tmp_path, tmp_path / "model")
    assert report.texts == len(lines)
    assert report.as_written.per_class["joy"].f1 > 0.9
    assert TextEmotion.load(tmp_path / "model").known >= {"stupid", "lovely"}


def test_missing_data_and_models_are_named(tmp_path: Path):
    with pytest.raises(ManifestError, match=r"train\.tsv"):
        run(tmp_path, tmp_path / "model")
    (tmp_path / "weights.npz").write_text("no model")
    with pytest.raises(EngineUnavailable, match="emotion in words"):
        TextEmotion.load(tmp_path)


def test_self_reports_carry_known_labels_and_every_feeling():
    reports = list(self_reports())
    assert {label for one in reports for label in one.labels} <= set(LABELS)
    assert {name for one in reports for name in one.ekman} == set(EKMAN)
    assert not any("{" in one.text for one in reports)
