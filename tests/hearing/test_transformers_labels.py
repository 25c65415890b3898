"""What the labels of published models are taken for."""

import pytest

from voice_agent.errors import ConfigError
from voice_agent.hearing.paralinguistics.transformers.labels import meanings
from voice_agent.hearing.paralinguistics.transformers.options import ModelChoice


def understood(reads: str, *labels: str, **configured: object) -> list[set[str]]:
    choice = ModelChoice.model_validate({"model": "a", "reads": reads, "labels": configured})
    (found,) = meanings(choice, labels).values()
    return [set(names) for names in found]


@pytest.mark.parametrize(
    ("reads", "labels", "names"),
    [
        ("emotion", ["neu", "hap", "ang", "sad"], ["neutral", "happy", "anger", "sad"]),
        (
            "emotion",
            ["angry", "calm", "disgust", "fearful", "happy", "neutral", "sad", "surprised"],
            ["anger", "calm", "disgust", "fear", "happy", "neutral", "sad", "surprise"],
        ),
        ("emotion", ["Happiness", "SADNESS", "pleasant_surprise"], ["happy", "sad", "surprise"]),
        ("gender", ["female", "male"], ["female", "male"]),
        ("gender", ["F", "M"], ["female", "male"]),
        ("age", ["twenties", "seventies", "child"], ["adult", "old", "child"]),
        (
            "events",
            ["Chuckle, chortle", "Crying, sobbing", "Throat clearing", "Sneeze", "Snoring"],
            ["laugh", "cry", "throat clearing", "sneeze", "snore"],
        ),
        (
            "events",
            ["crying_baby", "breathing", "coughing", "laughing", "Baby cry, infant cry"],
            ["cry", "sigh", "cough", "laugh", "cry"],
        ),
        ("dimensions", ["arousal", "dominance", "valence"], ["arousal", "dominance", "valence"]),
    ],
)
def test_well_known_labels_need_no_explanation(reads, labels, names):
    assert understood(reads, *labels) == [{name} for name in names]


def test_the_configuration_goes_before_the_name():
    assert understood("emotion", "joy", "x", "sad", x=["fear", "surprise"], sad=None) == [
        {"happy"},
        {"fear", "surprise"},
        set(),
    ]


def test_a_label_can_stand_for_something_in_several_kinds():
    choice = ModelChoice.model_validate(
        {"model": "a", "reads": ["gender", "age"], "labels": {"boy": ["male", "child"]}}
    )

    assert meanings(choice, ["boy", "female", "old"]) == {
        "gender": ({"male"}, {"female"}, set()),
        "age": ({"child"}, set(), {"old"}),
    }


def test_sounds_of_no_voice_are_nothing():
    assert understood("events", "Speech", "Cough", "Train horn") == [set(), {"cough"}, set()]


@pytest.mark.parametrize(
    ("reads", "labels", "configured", "message"),
    [
        ("emotion", ["happy", "LABEL_1"], {}, "not clear what 'LABEL_1' stands for"),
        ("emotion", ["happy", "sad"], {"hapy": "happy"}, "it has no label 'hapy'"),
        ("emotion", ["happy", "sad"], {"sad": "sorrow"}, "cannot stand for 'sorrow'"),
        ("gender", ["female", "x"], {"x": "happy"}, "cannot stand for 'happy'"),
        ("events", ["Speech", "Music"], {}, "none of its labels stands for any events"),
        ("age", ["adult"], {"adult": None}, "none of its labels stands for any age"),
    ],
)
def test_what_is_unclear_is_refused_with_what_there_is(reads, labels, configured, message):
    with pytest.raises(ConfigError) as error:
        understood(reads, *labels, **configured)

    assert message in str(error.value)
    for label in labels:
        assert repr(label) in str(error.value)
    assert "each can stand for" in str(error.value)
