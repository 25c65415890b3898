"""Which recordings are meant, and in which emotion each is spoken."""

from pathlib import Path

import pytest

from voice_agent.errors import VoiceError
from voice_agent.voice_making.sources import Source, from_files, from_folder


def test_files_are_named_after_their_emotion() -> None:
    names = ["sad.wav", "Comfort-2.flac", "joyful_1.ogg", "angry take 3.wav", "fearful.wav"]
    found = from_files([Path(name) for name in names])
    assert [source.emotion for source in found] == ["sad", "comfort", "joyful", "angry", "afraid"]


def test_one_emotion_may_be_given_for_all() -> None:
    assert from_files([Path("a.wav")], "sorry") == [Source(Path("a.wav"), "sorry")]


@pytest.mark.parametrize(("name", "emotion"), [("take1.wav", None), ("sad.wav", "grumpy")])
def test_what_tells_no_emotion_is_refused(name: str, emotion: str | None) -> None:
    with pytest.raises(VoiceError, match="comfort"):
        from_files([Path(name)], emotion)


def test_a_folder_is_read_by_its_manifest(tmp_path: Path) -> None:
    (tmp_path / "sad.wav").touch()
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path,emotion,speaker\nclips/1.wav,calm,ann\nclips/2.wav,Anger,ann\n")
    expected = [
        Source(tmp_path / "clips/1.wav", "comfort"),
        Source(tmp_path / "clips/2.wav", "angry"),
    ]
    assert from_folder(tmp_path) == from_folder(manifest) == expected


def test_a_folder_without_a_manifest_is_read_by_names(tmp_path: Path) -> None:
    for name in ("sad-1.wav", "more/neutral.FLAC", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert {source.emotion for source in from_folder(tmp_path)} == {"sad", "neutral"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [("path,label\na.wav,sad\n", "columns"), ("", "columns"), ("path,emotion\na,glum\n", "glum")],
)
def test_a_manifest_that_lacks_something_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "manifest.csv").write_text(text)
    with pytest.raises(VoiceError, match=reason):
        from_folder(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VoiceError, match="no WAV, FLAC or OGG"):
        from_folder(tmp_path)
    with pytest.raises(VoiceError, match="no folder"):
        from_folder(tmp_path / "missing")
