"""Manifests: what is read, what is understood, and errors that name the row."""

from pathlib import Path

import numpy as np
import pytest

from voice_agent.audio.files import write_wav
from voice_agent.errors import ManifestError
from voice_agent.evaluation import labels
from voice_agent.evaluation.manifest import read
from voice_agent.events import EMOTIONS, VOCAL_EVENTS

HEADER = "path,corpus,speaker,gender,age,emotion\n"


@pytest.fixture
def folder(tmp_path) -> Path:
    for name in "abc":
        write_wav(tmp_path / f"{name}.wav", np.zeros(800, np.float32), 16_000)
    return tmp_path


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "manifest.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_labels_get_our_names(folder):
    path = written(
        folder,
        "path,speaker,gender,age,emotion,label,note\n"
        "a.wav,x,male,31,angry,coughing,first\n"
        "b.wav,y,F,7,calm,dog,\n"
        "c.wav,,,60,,,\n",
    )

    a, b, c = read(path).clips

    assert (a.row, a.path, a.speaker) == (2, folder / "a.wav", "x")
    assert (a.gender, a.age, a.emotion, a.event) == ("male", "adult", "anger", "cough")
    assert (b.gender, b.age, b.emotion, b.event) == ("female", "child", "calm", "other")
    assert (c.speaker, c.gender, c.age, c.emotion, c.event) == (None, None, "old", None, None)
    assert read(path).warnings == ()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_common_ways_of_writing_csv_are_read(folder, separator, encoding, ending):
    lines = ["path|emotion|note", 'a.wav|sad|"so, so; and\tso"', "", "b.wav|happy|"]
    text = ending.join(lines).replace("|", separator)

    clips = read(written(folder, text, encoding)).clips

    assert [clip.emotion for clip in clips] == ["sad", "happy"]


def test_unknown_names_are_left_out_and_told(folder):
    path = written(folder, f"{HEADER}a.wav,,,robot,very,meh\nb.wav,,,m,20,meh\nc.wav,,,m,,sad\n")

    manifest = read(path)

    assert [clip.emotion for clip in manifest.clips] == [None, None, "sad"]
    assert manifest.emotions == {"sad"}
    assert manifest.warnings == (
        "emotion: not known and left out: 'meh' (2)",
        "gender: not known and left out: 'robot' (1)",
        "age: not known and left out: 'very' (1)",
    )


def test_rows_are_selected_by_any_column(folder):
    path = written(folder, f"{HEADER}a.wav,X,s1,,,sad\nb.wav,X,s2,,,happy\nc.wav,Y,s3,,,fear\n")

    def speakers(**where):
        return [clip.speaker for clip in read(path, where).clips]

    assert speakers(corpus=["X"]) == ["s1", "s2"]
    assert speakers(emotion=["sad", "fear"]) == ["s1", "s3"]
    assert speakers(corpus=["X"], emotion=["sad", "fear"]) == ["s1"]


def test_the_emotions_to_choose_among_are_those_of_the_selected_corpora(folder):
    path = written(folder, f"{HEADER}a.wav,X,s1,,,sad\nb.wav,X,s2,,,happy\nc.wav,Y,s3,,,fear\n")

    assert read(path).emotions == {"sad", "happy", "fear"}
    assert read(path, {"emotion": ["sad"]}).emotions == {"sad", "happy"}
    assert read(path, {"corpus": ["Y"]}).emotions == {"fear"}


def test_a_limit_draws_the_same_rows_for_the_same_seed(folder):
    rows = "".join(f"a.wav,,s{n},,,sad\n" for n in range(50))
    path = written(folder, HEADER + rows)

    def drawn(seed):
        return [clip.row for clip in read(path, limit=10, seed=seed).clips]

    assert len(drawn(0)) == 10
    assert drawn(0) == sorted(drawn(0)) == drawn(0)
    assert drawn(0) != drawn(1)
    assert len(read(path, limit=500).clips) == 50


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("file,emotion\na.wav,sad\n", ["no column 'path'", "found: file, emotion"]),
        ("", ["no column 'path'", "found: none"]),
        (HEADER, ["no rows"]),
        ("path,emotion,emotion\na.wav,sad,sad\n", ["column 'emotion' twice"]),
        ("path,emotion\na.wav,sad\nb.wav\n", ["row 3", "1 values for 2 columns"]),
        ('path,emotion\na.wav,"sa"d\n', ["row 2", "not CSV"]),
        ("path,emotion\na.wav,sad\n\nmissing.wav,sad\n", ["row 4", "no such file"]),
        ("path,emotion\nmanifest.csv,sad\n", ["row 2", "is not audio"]),
        ("path,emotion\n,sad\n", ["row 2", "path is empty"]),
        ("path,emotion\n.,sad\n", ["row 2", "is a folder"]),
    ],
)
def test_what_is_wrong_is_named_with_its_row(folder, text, says):
    path = written(folder, text)

    with pytest.raises(ManifestError) as caught:
        read(path)

    assert str(path) in str(caught.value)
    for part in says:
        assert part in str(caught.value)


def test_a_manifest_that_cannot_be_read_is_said(folder):
    with pytest.raises(ManifestError, match=r"nowhere\.csv cannot be read: No such file"):
        read(folder / "nowhere.csv")
    with pytest.raises(ManifestError, match="cannot be read: Is a directory"):
        read(folder)
    with pytest.raises(ManifestError, match="is not UTF-8"):
        read(written(folder, "path,emotion\na.wav,Ärger\n", "latin-1"))


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ({"mood": ["sad"]}, "no column 'mood' to select by; it has: path, corpus"),
        ({"emotion": ["glad"]}, "no row has emotion=glad; there are 'sad', 'happy'"),
        ({"emotion": ["sad"], "corpus": ["Y"]}, "no row fulfils all"),
    ],
)
def test_a_selection_that_finds_nothing_is_said(folder, where, says):
    path = written(folder, f"{HEADER}a.wav,X,,,,sad\nb.wav,Y,,,,happy\n")

    with pytest.raises(ManifestError, match=says):
        read(path, where)


def test_the_names_of_corpora_map_onto_ours():
    ravdess = "neutral calm happy sad angry fearful disgust surprised".split()
    emodb = "angry boredom disgust fearful happy sad neutral".split()
    assert [labels.emotion(name) for name in ravdess] == [
        "neutral", "calm", "happy", "sad", "anger", "fear", "disgust", "surprise",
    ]  # fmt: skip
    assert labels.emotion("boredom") == "other"
    assert all(labels.emotion(name) for name in emodb)
    assert all(labels.emotion(name) == name for name in EMOTIONS)
    assert labels.emotion("Pleasant Surprise") == "surprise"
    assert labels.emotion("melancholic") is labels.emotion("") is None


def test_the_sounds_of_esc_50_map_onto_events():
    human = "crying_baby sneezing breathing coughing laughing snoring".split()
    assert [labels.event(name) for name in human] == [
        "cry", "sneeze", "sigh", "cough", "laugh", "snore",
    ]  # fmt: skip
    assert labels.event("clapping") == labels.event("footsteps") == "other"
    assert all(labels.event(name) == name for name in VOCAL_EVENTS)


@pytest.mark.parametrize(
    ("age", "group"),
    [("0", "child"), ("12", "child"), ("13", "adult"), ("59", "adult"), ("60", "old"),
     ("34.5", "adult"), ("adult", "adult"), ("sixties", "old"), ("-3", None), ("nan", None),
     ("", None)],
)  # fmt: skip
def test_years_and_words_of_age_fall_into_groups(age, group):
    assert labels.age(age) == group
