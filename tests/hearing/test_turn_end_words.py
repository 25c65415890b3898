"""The word model of the turn detector: its features, its file, its training and what it learned."""

import csv

import numpy as np
import pytest

from voice_agent.errors import EngineUnavailable
from voice_agent.hearing.turn_detectors.words import BUCKETS, WordModel, features, tokens
from voice_agent.shipped import shipped
from voice_agent.training import turn_end


@pytest.fixture(scope="module")
def model() -> WordModel:
    return WordModel.load(shipped("models") / "turn_end" / "words.npz")


def test_words_are_lower_case_without_punctuation():
    assert tokens("I'm fine, thanks -- really! 42") == ["i'm", "fine", "thanks", "really"]


def test_features_are_indices_of_weights():
    for text in ("yes", "no thanks", "one two three four five six"):
        assert all(0 <= index < BUCKETS for index in features(text.split()))


def test_what_was_said_long_ago_makes_no_difference_but_how_it_began_does():
    start, end = "when i was young".split(), "we went to the lake".split()
    assert features(start + ["a"] * 20 + end) == features(start + ["b"] * 20 + end)
    assert features(start + ["a"] * 20 + end) != features(["then"] + start + ["a"] * 19 + end)


@pytest.mark.parametrize(
    ("finished", "unfinished"),
    [
        ("i went to the doctor", "i went to the"),
        ("my mother died last week", "my mother"),
        ("i feel so alone", "i feel so alone because"),
        ("what do you mean", "what do"),
        ("no thanks", "no i"),
        ("yes", "and"),
        ("not really", "not"),
    ],
)
def test_tells_finished_from_unfinished(model, finished, unfinished):
    assert model.log_odds(finished) > model.log_odds(unfinished) + 1


def test_answers_are_finished(model):
    for answer in ("yes", "yeah", "no thanks", "not really", "i think so", "okay", "thank you"):
        assert model.completeness(answer) > 0.5, answer


def test_knows_nothing_without_words(model):
    assert model.log_odds("") == model.log_odds("…") == 0
    assert model.completeness("") == 0.5


def test_is_small():
    assert (shipped("models") / "turn_end" / "words.npz").stat().st_size < 300_000


def test_a_missing_or_broken_file_is_told(tmp_path):
    with pytest.raises(EngineUnavailable, match="turn_end"):
        WordModel.load(tmp_path / "none.npz")
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"not a model")
    with pytest.raises(EngineUnavailable, match=r"broken\.npz"):
        WordModel.load(broken)


def test_what_is_saved_is_loaded(tmp_path):
    weights = np.arange(BUCKETS).astype(np.int8)
    WordModel(weights, 0.5, -1.0).save(tmp_path / "words.npz")
    loaded = WordModel.load(tmp_path / "words.npz")
    np.testing.assert_array_equal(loaded.weights, weights)
    assert (loaded.scale, loaded.bias) == (0.5, -1.0)


def test_training_learns_from_a_corpus(tmp_path):
    folder = tmp_path / "empathetic_dialogues"
    folder.mkdir()
    with (folder / "sad.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Dialog_ID", "Type", "Actor", "Text"])
        for n in range(400):
            text = f"I took the {('bus', 'train')[n % 2]} home, and the dog slept. It was late."
            writer.writerow([f"hit:{n}", "utterance", "speaker", text])
    learn, test = turn_end.examples(turn_end.utterances(tmp_path))
    assert learn.ends.size > 5 * test.ends.size > 0
    model = turn_end.train(learn)
    assert turn_end.evaluate(model, test)["all"] > 0.85
    assert model.log_odds("i took the bus home and the dog slept") > model.log_odds("i took the")


def test_training_without_texts_is_told(tmp_path):
    with pytest.raises(ValueError, match="no texts"):
        turn_end.examples(turn_end.utterances(tmp_path))


def test_no_cut_is_made_after_an_answer_that_opens_a_sentence():
    said = turn_end.Utterance("x", "1", "Yes, I think that it will rain. No.")
    for seed in range(20):
        cuts = list(turn_end.prefixes(said, turn_end.Random(seed)))
        assert (["yes"], False) not in cuts
        assert sum(end for _, end in cuts) == 2
