"""``voice-agent eval paralinguistics``: an analyzer with known answers, and figures by hand."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

SCRIPTED = Path(__file__).parent.parent / "evaluation" / "scripted_analyzer.py"
METADATA = "Metadata-Version: 2.1\nName: scripted-analyzer\nVersion: 1.0\n"
ENTRY_POINT = "[voice_agent.paralinguistics]\nscripted = scripted_analyzer:ScriptedAnalyzer\n"

SCRIPTED_ENGINE = ("--engine", "scripted")

SAD, ANGER, NEUTRAL, HAPPY, SURPRISE, CALM, NONE = 0, 1, 2, 3, 4, 8, 9
FEMALE, MALE, COUGH, LAUGH, BETTER_KNOWN = 10, 20, 30, 40, 50


@pytest.fixture(autouse=True)
def plugin(tmp_path_factory, monkeypatch) -> None:
    """Installs the scripted analyzer, as any package that brings an engine would be."""
    folder = tmp_path_factory.mktemp("plugin")
    shutil.copy(SCRIPTED, folder)
    info = folder / "scripted_analyzer-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text(ENTRY_POINT)
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)


@pytest.fixture
def manifest(tmp_path):
    """Writes clips and their manifest: rows of an answer and the labels."""

    def write(columns: str, *rows: tuple[int, str]) -> str:
        lines = [f"path,{columns}"]
        for number, (answer, labels) in enumerate(rows):
            soundfile.write(tmp_path / f"{number}.wav", np.full(16_000, answer / 100), 16_000)
            lines.append(f"{number}.wav,{labels}")
        (tmp_path / "manifest.csv").write_text("\n".join(lines))
        return "manifest.csv"

    return write


@pytest.fixture
def evaluated(voice_agent):
    def run(*arguments: object) -> dict:
        done = voice_agent("eval", "paralinguistics", *arguments, "--engine", "scripted", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_emotion_figures_are_those_of_the_answers(evaluated, manifest):
    path = manifest(
        "speaker,emotion",
        (SAD, "x,sad"),
        (SAD, "x,sadness"),
        (ANGER, "x,sad"),
        (ANGER, "y,angry"),
        (NEUTRAL, "y,neutral"),
        (CALM, "y,calm"),
        (CALM, "y,neutral"),
        (NONE, "y,calm"),
    )

    report = evaluated(path)

    assert report["engine"] == "scripted"
    assert (report["clips"], report["speakers"], report["audio_s"]) == (8, 2, 8.0)
    assert report["emotion"]["classes"] == ["sad", "anger", "neutral", "calm"]
    assert report["uar"] == pytest.approx((2 / 3 + 1 + 1 / 2 + 1 / 2) / 4)
    assert report["accuracy"] == 5 / 8
    # Calm counts as neutral: of those four one has no answer. Nobody is happy.
    assert report["uar_4class"] == pytest.approx((2 / 3 + 1 + 3 / 4) / 3)
    assert report["f1"] == pytest.approx(
        {"sad": 4 / 5, "anger": 2 / 3, "neutral": 2 / 3, "calm": 1 / 2}
    )
    assert report["confusion"]["calm"] == {
        "sad": 0, "anger": 0, "neutral": 0, "calm": 1, "unknown": 1,
    }  # fmt: skip
    assert report["emotion"]["unknown"] == report["emotion"]["uncertain"] == 1 / 8
    assert report["emotion"]["accuracy_certain"] == pytest.approx(5 / 7)
    assert report["emotion"]["speaker_uar"]["x"] == pytest.approx(2 / 3)
    low, high = report["emotion"]["uar_interval"]
    assert low <= report["uar"] <= high
    for key in ("uar", "uar_4class", "accuracy", "f1", "confusion", "ece"):
        assert report[key] == report["emotion"][key]
    assert report["real_time_factor"] > 0
    assert report["ms_per_second"] == pytest.approx(1000 * report["real_time_factor"])
    assert report["ms_3s_reading"] > 0
    assert not {"gender", "age", "events", "baseline"} & set(report)


def test_a_corpus_without_an_emotion_is_never_heard_so(evaluated, manifest):
    """The clip that sounds surprised is taken for the likeliest of what there is."""
    path = manifest("emotion", (SURPRISE, "sad"), (HAPPY, "happy"))

    report = evaluated(path)

    assert report["emotion"]["classes"] == ["sad", "happy"]
    # Even among the rest, sad and happy are one as likely as the other.
    assert report["confusion"]["sad"]["sad"] == 1
    sure = [b["confidence"] for b in report["emotion"]["reliability"] if b["n"]]
    assert sure == pytest.approx([0.5, 0.72 / 0.76], abs=0.01)


def test_gender_age_and_events_are_reported_where_they_are_labelled(evaluated, manifest):
    path = manifest(
        "gender,age,label",
        (FEMALE, "female,30,"),
        (MALE, "female,70,"),
        (MALE, "male,,"),
        (NEUTRAL, "male,,dog"),
        (COUGH, ",,coughing"),
        (LAUGH, ",,laughing"),
        (LAUGH, ",,rain"),
    )

    report = evaluated(path)

    assert "emotion" not in report
    assert "uar" not in report
    gender = report["gender"]
    assert (gender["n"], gender["uar"], gender["accuracy"]) == (4, 1 / 2, 1 / 2)
    assert gender["unknown"] == 1 / 4
    assert gender["accuracy_known"] == pytest.approx(2 / 3)
    assert (report["age"]["n"], report["age"]["unknown"]) == (2, 1.0)
    events = report["events"]
    assert events["classes"] == ["laugh", "cough", "other"]
    assert events["n"] == 4
    assert events["f1"] == pytest.approx({"laugh": 2 / 3, "cough": 1.0, "other": 2 / 3})
    assert events["macro_f1"] == pytest.approx(7 / 9)
    assert events["false_alarms"] == 1 / 2


def test_plain_speech_is_expected_to_have_no_events(evaluated, manifest):
    path = manifest("speaker", (NEUTRAL, "x"), (COUGH, "x"), (NEUTRAL, "y"), (NEUTRAL, "y"))

    events = evaluated(path, "--expect-no-events")["events"]

    assert (events["n"], events["false_alarms"], events["macro_f1"]) == (4, 1 / 4, None)


def test_knowing_a_voice_is_compared_with_not_knowing_it(evaluated, manifest):
    """Half of each speaker's clips are heard rightly only once something was learned."""
    rows = [
        (answer, f"{speaker},sad")
        for speaker in "xy"
        for answer in [SAD] * 4 + [BETTER_KNOWN + SAD] * 4
    ]
    path = manifest("speaker,emotion", *rows, (NEUTRAL, "lonely,other"), (NEUTRAL, "z,neutral"))

    report = evaluated(path, "--baseline", "2")

    baseline = report["baseline"]
    assert (baseline["seconds"], baseline["draws"], baseline["speakers"]) == (2, 5, 2)
    # Two clips of one second are learned, the other six of each speaker are read.
    assert baseline["n"] == 12
    assert baseline["learned"]["uar"] == 1.0
    assert 0.2 < baseline["without"]["uar"] < 0.8
    gain = baseline["gain_points"]["uar"]
    assert gain == pytest.approx(100 * (1 - baseline["without"]["uar"]))
    assert baseline["gain_range"][0] <= gain <= baseline["gain_range"][1]
    assert report["baseline"] == evaluated(path, "--baseline", "2")["baseline"]
    assert report["baseline"] != evaluated(path, "--baseline", "2", "--seed", "7")["baseline"]


def test_a_baseline_longer_than_anybody_speaks_is_said(voice_agent, manifest):
    path = manifest("speaker,emotion", (SAD, "x,sad"), (SAD, "x,sad"))

    done = voice_agent("eval", "paralinguistics", path, "--baseline", "60", "--engine", "scripted")

    assert done.returncode == 1
    assert "no speaker has clips with an emotion beside 60 s to learn" in done.stderr


def test_rows_are_selected_and_limited(evaluated, manifest):
    rows = [(SAD, f"x,{split},sad") for split in ("train", "dev", "test", "test", "test")]
    path = manifest("speaker,split,emotion", *rows)

    assert evaluated(path, "--where", "split=test,dev")["clips"] == 4
    assert evaluated(path, "--where", "split=test", "--where", "speaker=x")["clips"] == 3
    report = evaluated(path, "--where", "split=test", "--limit", "2")
    assert (report["clips"], report["where"]) == (2, {"split": ["test"]})


def test_conditions_are_told_and_keep_the_answers(evaluated, manifest):
    path = manifest("emotion", (ANGER, "angry"), (HAPPY, "happy"))

    report = evaluated(path, "--through", "telephone", "--noise-db", "30", "--seed", "4")

    assert (report["through"], report["noise_db"], report["seed"]) == ("telephone", 30, 4)
    assert report["uar"] == 1.0


def test_noise_drowns_the_answers(evaluated, manifest):
    """At -50 dB the mixture is turned down to fit, and the level that was the answer is gone."""
    path = manifest("emotion", *[(HAPPY, "happy"), (ANGER, "angry")] * 3)

    assert evaluated(path, "--noise-db", "-50")["accuracy"] < 1.0


def test_pictures_are_drawn_of_each_task(evaluated, manifest, tmp_path):
    path = manifest("gender,emotion", (FEMALE, "female,sad"), (MALE + HAPPY, "male,happy"))

    report = evaluated(path, "--picture", "shown")

    assert sorted(report["pictures"]) == [
        "shown/confusion-emotion.png", "shown/confusion-gender.png", "shown/reliability.png",
    ]  # fmt: skip
    for picture in report["pictures"]:
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")


def test_people_read_tables_and_warnings(voice_agent, manifest):
    path = manifest("speaker,gender,emotion", (SAD, "x,male,sad"), (SAD, "y,male,fury"))

    done = voice_agent("eval", "paralinguistics", path, "--engine", "scripted")

    assert done.returncode == 0
    assert done.stderr == (
        "voice-agent: manifest.csv: emotion: not known and left out: 'fury' (1)\n"
    )
    for part in ("2 clips", "2 speakers", "Emotion", "UAR 100.0 %", "Gender", "unknown 100.0 %"):
        assert part in done.stdout
    assert "Age" not in done.stdout


@pytest.mark.parametrize(
    ("rows", "arguments", "code", "says"),
    [
        (["sad"], ("--where", "mood=glad"), 1, "no column 'mood' to select by"),
        (["sad"], ("--where", "mood"), 2, "'mood' is not COLUMN=VALUE"),
        (["fury"], SCRIPTED_ENGINE, 1, "none of the rows has a label that is understood"),
        (
            ["sad"],
            ("--baseline", "5", *SCRIPTED_ENGINE),
            1,
            "rows must have a speaker and an emotion",
        ),
        (["sad"], ("--engine", "nobody"), 1, "no paralinguistics engine named 'nobody'"),
        (["sad"], ("--through", "wire"), 2, "telephone"),
    ],
)
def test_what_is_wrong_is_one_clear_line(voice_agent, manifest, rows, arguments, code, says):
    path = manifest("emotion", *[(SAD, row) for row in rows])

    done = voice_agent("eval", "paralinguistics", path, *arguments)

    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_row_without_its_file_is_named(voice_agent, tmp_path):
    (tmp_path / "manifest.csv").write_text("path;emotion\ngone.wav;sad\n")

    done = voice_agent("eval", "paralinguistics", "manifest.csv")

    assert done.returncode == 1
    assert done.stderr == ("voice-agent: manifest.csv, row 2: gone.wav: there is no such file\n")


def test_the_embedded_engine_can_be_evaluated(voice_agent, manifest):
    path = manifest("speaker,gender,emotion,label", (SAD, "x,male,sad,dog"), (HAPPY, "y,,happy,"))

    done = voice_agent("eval", "paralinguistics", path, "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["emotion"]["n"] == 2
