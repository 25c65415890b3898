import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from voice_agent.cli import app
from voice_agent.evaluation.metrics import confusion
from voice_agent.evaluation.strategy import cross_validate, evaluate, preference_strengths
from voice_agent.evaluation.strategy_dialogues import CLASSES, SELF_DISCLOSURE, Moment, read
from voice_agent.events import Strategy, UserTurn
from voice_agent.thinking.strategy.model import carried
from voice_agent.training.strategy import train

SAID = {
    Strategy.QUESTION: "hello there",
    Strategy.SUGGESTION: "what should i do about my boss",
    Strategy.OTHERS: "thank you so much bye take care",
}


def moments(dialogues: int = 12) -> list[Moment]:
    return [
        Moment(at, UserTurn(said), (), strategy, "i feel better now", (0.6, 0.4), 4)
        for at in range(dialogues)
        for strategy, said in SAID.items()
    ]


def test_strengths_are_even_where_classes_are_mixed_up_evenly():
    even = confusion(["a", "b", "c"] * 2, ["b", "c", "a", "c", "a", "b"], ("a", "b", "c"))
    assert preference_strengths(even) == pytest.approx({"a": 1.0, "b": 1.0, "c": 1.0}, abs=1e-3)


def test_a_class_that_is_told_for_others_is_preferred():
    biased = confusion(["a"] * 8 + ["b"] * 8, ["b"] * 6 + ["a"] * 2 + ["a"] * 2 + ["b"] * 6, "ab")
    found = preference_strengths(biased)
    assert found["b"] == pytest.approx(3 * found["a"], rel=1e-3)  # six wins to two
    assert sum(found.values()) == pytest.approx(2.0)


def test_every_dialogue_is_told_by_a_model_that_has_not_seen_it():
    seen = []

    def spy(some, seed):
        seen.append({moment.dialogue for moment in some})
        return train(some, seed)

    every = moments()
    report = cross_validate(every, spy, folds=4)
    assert report.folds == len(seen) == 4
    left_out = [set(range(12)) - some for some in seen]
    assert sorted(one for some in left_out for one in some) == list(range(12))


def test_figures_are_those_of_what_is_told():
    report = cross_validate(moments(), train, folds=3)
    assert report.macro_f1 == report.accuracy == report.usable_macro_f1 == 1.0
    assert report.majority_accuracy == pytest.approx(1 / 3)
    assert report.majority_macro_f1 == pytest.approx(0.5 / 3)
    assert sum(one.told for one in report.preferences.values()) == pytest.approx(1.0)
    assert sum(one.chosen for one in report.preferences.values()) == pytest.approx(1.0)
    assert report.preferences[SELF_DISCLOSURE].chosen == 0.0
    assert set(report.preferences) == set(CLASSES)
    assert all(effect.error >= 0 for effect in report.effects.values())


def test_the_command_prints_figures_and_json(tmp_path: Path):
    dialog = [
        {"speaker": "usr", "text": "i lost my job", "feedback": None},
        {"speaker": "sys", "text": "How ?", "strategy": "Question"},
        {"speaker": "usr", "text": "what should i do", "feedback": "4"},
        {"speaker": "sys", "text": "Rest .", "strategy": "Providing Suggestions or Information"},
    ]
    file = tmp_path / "few.jsonl"
    file.write_text("\n".join(json.dumps({"dialog": dialog}) for _ in range(4)))
    shown = CliRunner().invoke(app, ["eval", "strategy", str(file), "--folds", "2"])
    assert shown.exit_code == 0, shown.output
    assert "macro F1" in shown.output
    assert "bias" in shown.output
    printed = CliRunner().invoke(app, ["eval", "strategy", str(file), "--carried", "--json"])
    report = json.loads(printed.output)
    assert (report["dialogues"], report["answers"], report["folds"]) == (4, 8, 1)


def test_people_s_strategies_are_told_better_than_by_the_most_frequent(data: Path):
    """The promise of the model card, on dialogues left out."""
    every = read(data / "text" / "esconv")
    report = cross_validate(every, train, folds=3)
    assert report.macro_f1 > max(0.20, report.majority_macro_f1 + 0.20)
    assert report.accuracy > report.majority_accuracy + 0.08
    assert report.bias < 0.7
    shares = [one.chosen for one in report.preferences.values()]
    assert max(shares) < 0.4
    stages = report.by_stage
    assert stages["exploration"]["Question"] > 1.5 * stages["action"]["Question"]
    assert (
        stages["action"]["Providing Suggestions"]
        > 1.5 * (stages["exploration"]["Providing Suggestions"])
    )
    assert evaluate(carried(), every).ms_per_choice < 5.0
