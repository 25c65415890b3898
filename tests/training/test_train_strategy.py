import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from voice_agent.cli import app
from voice_agent.errors import ManifestError
from voice_agent.evaluation.strategy_dialogues import CLASSES, SELF_DISCLOSURE, read
from voice_agent.events import Strategy
from voice_agent.thinking.strategy import Stage
from voice_agent.thinking.strategy.features import features
from voice_agent.thinking.strategy.model import LEARNED, STAGES, StrategyModel
from voice_agent.training.strategy import run, train


def sys(text: str, strategy: str) -> dict:
    return {"speaker": "sys", "text": text, "strategy": strategy}


def usr(text: str, feedback: str | None = None, unease: float = 0.5) -> dict:
    return {"speaker": "usr", "text": text, "feedback": feedback, "vad": [unease, 0.5, 0.5]}


def dialogue(at: int) -> list[dict]:
    """Feelings are reflected and then eased, asked for ideas are given, thanks are returned."""
    who = ("boss", "sister", "neighbour", "friend")[at % 4]
    return [
        sys("Hello , how are you ?", "Greeting"),
        usr(f"i feel so sad because my {who} yelled at me", unease=0.9),
        sys("That must hurt .", "Reflection of feelings"),
        usr("thank you that is right and i am so happy you understand", "5", unease=0.1),
        sys("You 're strong .", "Affirmation and Reassurance"),
        usr(f"what should i do about my {who}", unease=0.9),
        sys("You could write a letter .", "Providing Suggestions or Information"),
        usr(f"i hate writing and i hate my {who}", "1", unease=0.9),
        sys("I once did it , too .", "Self-disclosure"),
        usr("thanks bye have a nice day", "4", unease=0.2),
        sys("Bye .", "Others"),
    ]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("esconv")
    lines = [json.dumps({"dialog": dialogue(at)}) for at in range(40)]
    (folder / "train.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def moments(corpus):
    return read(corpus)


@pytest.fixture(scope="module")
def learned(moments):
    return train(moments)


def test_moments_hold_what_was_known_when_the_strategy_was_chosen(moments):
    assert len(moments) == 40 * 5
    first, second = moments[:2]
    assert first.strategy == Strategy.REFLECTION
    assert [past.user for past in first.history] == [None]
    assert first.history[0].thought.strategy == Strategy.OTHERS  # a greeting
    assert first.feedback == 5
    assert first.unease == (0.9, 0.1)
    assert first.following.startswith("thank you")
    assert second.history[1].thought.strategy == Strategy.REFLECTION
    assert moments[3].strategy == SELF_DISCLOSURE
    assert moments[4].history[-1].thought.strategy == ""  # the agent has none of it
    assert "You're strong" in moments[2].history[2].reply


def test_it_learns_what_people_choose(moments, learned):
    model = StrategyModel(learned)
    for moment in moments[:5]:
        found = model.probabilities(features(moment.turn, moment.history))
        assert max(found, key=lambda name: found[name]) == moment.strategy
        assert sum(found.values()) == pytest.approx(1.0, abs=1e-4)


def test_it_learns_what_does_people_good(learned):
    effects, _ = StrategyModel(learned).ahead(Stage.EXPLORATION, -0.5)
    assert effects[Strategy.REFLECTION] > effects[Strategy.SUGGESTION] + 0.05


def test_it_learns_what_follows(learned):
    _, after = StrategyModel(learned).ahead(Stage.EXPLORATION, -0.5)
    following = after[LEARNED.index(Strategy.REFLECTION)]
    assert LEARNED[int(np.argmax(following))] is Strategy.AFFIRMATION
    assert learned.next_stage.shape == (len(STAGES), len(CLASSES), len(STAGES))
    assert np.allclose(learned.next_stage.sum(axis=2), 1.0, atol=1e-5)


def test_the_same_seed_gives_the_same_model(moments, learned):
    again, other = train(moments), train(moments, seed=1)
    assert np.array_equal(again.weights, learned.weights)
    assert not np.array_equal(other.weights, learned.weights)


def test_a_saved_model_tells_as_before(corpus, moments, tmp_path):
    model = StrategyModel(run(corpus, tmp_path / "model"))
    loaded = StrategyModel.load(tmp_path / "model")
    moment = features(moments[0].turn, moments[0].history)
    assert loaded.probabilities(moment) == model.probabilities(moment)


def test_the_command_writes_a_model_and_tells_how_good_it_is(corpus, tmp_path):
    out = tmp_path / "model"
    shown = CliRunner().invoke(app, ["train", "strategy", str(corpus), "--out", str(out)])
    assert shown.exit_code == 0, shown.output
    assert "macro F1" in shown.output
    assert StrategyModel.load(out)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "no answers"),
        ("{}\n", "line 1"),
        ('{"dialog": [{"speaker": "sys", "text": "a", "strategy": "Magic"}]}\n', "line 1"),
        ('{"dialog": [{"speaker": "cat", "text": "a"}]}\n', "line 1"),
        ("no json\n", "line 1"),
    ],
)
def test_data_of_another_form_are_named_with_their_line(tmp_path, content, problem):
    (tmp_path / "valid.jsonl").write_text(content)
    with pytest.raises(ManifestError, match=problem):
        read(tmp_path)


def test_missing_data_are_named(tmp_path):
    with pytest.raises(ManifestError, match=r"valid\.jsonl"):
        read(tmp_path / "valid.jsonl")
