import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from voice_agent.cli import app
from voice_agent.errors import ManifestError
from voice_agent.evaluation.text_emotion import Comment, as_recognised, evaluate, read
from voice_agent.thinking.text_emotion import EKMAN, LABELS, carried


def comment(text: str, *labels: str) -> Comment:
    return Comment(text, frozenset(labels))


def test_ekman_groups_hold_every_label_once():
    grouped = [label for group in EKMAN.values() for label in group]
    assert sorted(grouped) == sorted(LABELS)


def test_labels_are_read_as_numbers_or_names(tmp_path: Path):
    (tmp_path / "dev.tsv").write_text("Thanks [NAME]!\t15,17\tid\nugh\tannoyance\n")
    assert read(tmp_path, "dev") == [
        comment("Thanks !", "gratitude", "joy"),
        comment("ugh", "annoyance"),
    ]
    assert read(tmp_path / "dev.tsv") == read(tmp_path, "dev")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "no texts"),
        ("hello\n", "line 1"),
        ("a\t3\nb\t28\n", "line 2"),
        ("a\tbliss\n", "bliss|of"),
    ],
)
def test_other_forms_are_refused_with_their_line(tmp_path: Path, content: str, problem: str):
    (tmp_path / "test.tsv").write_text(content)
    with pytest.raises(ManifestError, match=problem):
        read(tmp_path)


def test_recognised_speech_has_neither_capitals_nor_marks():
    assert as_recognised("I'm SO glad!! 😀 (really)").split() == ["i'm", "so", "glad", "really"]


def test_texts_of_many_emotions_count_in_the_figure_over_all_alone():
    texts = [
        comment("Thank you so much!", "gratitude"),
        comment("I'm so scared", "fear"),
        comment("I'm so scared and so sad", "fear", "sadness"),
    ]
    report = evaluate(carried(), texts)
    assert (report.texts, report.several, report.single_label.n) == (3, 1, 2)
    assert report.single_label.accuracy == 1.0
    assert report.as_written.per_class["fear"].n == 2
    assert report.as_json()["macro_f1"] == report.as_written.macro_f1


def test_the_command_prints_figures_and_json(tmp_path: Path):
    file = tmp_path / "few.tsv"
    file.write_text("I'm so scared\tfear\nThank you so much\tgratitude\n")
    shown = CliRunner().invoke(app, ["eval", "text-emotion", str(file)])
    assert shown.exit_code == 0
    assert "macro F1" in shown.output
    printed = json.loads(
        CliRunner().invoke(app, ["eval", "text-emotion", str(file), "--json"]).output
    )
    assert printed["texts"] == 2
    assert printed["single_label"]["accuracy"] == 1.0


def test_the_carried_model_reads_comments_it_never_saw(data: Path):
    report = evaluate(carried(), read(data / "text" / "goemotions"))
    assert report.as_written.macro_f1 > 0.57
    assert report.as_recognised.macro_f1 > 0.57
    assert report.single_label.macro_f1 > 0.58
    assert report.ms_per_text < 1.0
