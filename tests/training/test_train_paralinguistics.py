"""Training on one's own recordings: voices and sounds made here, of kinds that are easily told."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

pytest.importorskip("torch")
pytest.importorskip("onnx")

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.cli import app
from voice_agent.errors import ConfigError, ManifestError
from voice_agent.events import Manner
from voice_agent.hearing.paralinguistics.embedded import EmbeddedAnalyzer
from voice_agent.hearing.paralinguistics.voice_model import VoiceModel
from voice_agent.training.paralinguistics.recipe import Recipe
from voice_agent.training.paralinguistics.recordings import collect

RECIPE = """
voice:
  {members: 2, width: 8, variants: 1, fit: {epochs: 12, batch: 16, learning_rate: 0.005}}
events:
  {windows: 600, width: 8, fit: {epochs: 6, batch: 32, learning_rate: 0.005}}
"""
PITCH = {"female": 210.0, "male": 110.0}
SPEAKERS = [f"{gender}_{i}" for gender in PITCH for i in range(5)]


def voice(speaker: str, emotion: str, random: np.random.Generator) -> Samples:
    """Buzzing syllables: anger is quick and shrill, sadness slow and dull."""
    pitch = PITCH[speaker.split("_")[0]] * random.uniform(0.9, 1.1)
    rate, slope = (7.0, 0.5) if emotion == "angry" else (2.0, 2.0)
    t = np.arange(int(1.6 * HEARING_RATE)) / HEARING_RATE
    sound = sum(np.sin(2 * np.pi * pitch * k * t) / k**slope for k in range(1, 16))
    sound = sound * (0.55 + 0.45 * np.sin(2 * np.pi * rate * t))
    sound = sound + random.normal(0, 0.01, t.size)
    return (0.3 * sound / np.abs(sound).max()).astype(np.float32)


def noise(label: str, random: np.random.Generator) -> Samples:
    """Coughs are bursts, rain is steady."""
    t = np.arange(2 * HEARING_RATE) / HEARING_RATE
    shape = np.exp(-((t % 0.5) * 12)) if label == "coughing" else np.ones_like(t)
    return (0.2 * shape * random.normal(0, 1, t.size)).clip(-1, 1).astype(np.float32)


def write(folder: Path, rows: list[dict[str, str]], sounds: list[Samples]) -> Path:
    folder.mkdir(parents=True)
    for row, samples in zip(rows, sounds, strict=True):
        soundfile.write(folder / row["path"], samples, HEARING_RATE)
    with (folder / "manifest.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return folder / "manifest.csv"


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder, random = tmp_path_factory.mktemp("recordings"), np.random.default_rng(0)
    rows, sounds = [], []
    for speaker in SPEAKERS:
        split = {"3": "dev", "4": "test"}.get(speaker[-1], "train")
        for emotion in ("angry", "sad"):
            for take in range(4):
                path = f"{speaker}_{emotion}_{take}.wav"
                row = {"path": path, "speaker": speaker, "gender": speaker.split("_")[0]}
                rows.append(row | {"emotion": emotion, "split": split})
                sounds.append(voice(speaker, emotion, random))
    spoken = write(folder / "voices", rows, sounds)
    labels = [label for label in ("coughing", "rain") for _ in range(8)]
    rows = [{"path": f"{i}.wav", "label": label} for i, label in enumerate(labels)]
    heard = write(folder / "sounds", rows, [noise(label, random) for label in labels])
    return [spoken, heard]


@pytest.fixture(scope="module")
def trained(manifests: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("models")
    (out / "recipe.yaml").write_text(RECIPE)
    command = ["train", "paralinguistics", *map(str, manifests), "--out", str(out)]
    result = CliRunner().invoke(app, [*command, "--recipe", str(out / "recipe.yaml")])
    assert result.exit_code == 0, result.output
    return out


def test_rows_marked_test_are_never_trained_on(manifests: list[Path]) -> None:
    recordings = collect(manifests, {})
    assert {clip.split for clip in recordings.train} == {"train", None}
    assert {clip.split for clip in recordings.dev} == {"dev", None}


def test_no_speaker_is_both_trained_on_and_kept_aside(
    manifests: list[Path], tmp_path: Path
) -> None:
    rows = list(csv.DictReader(manifests[0].open()))
    for row in rows:
        row["path"] = str(manifests[0].parent / row["path"])
        del row["split"]
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    recordings = collect([tmp_path / "manifest.csv"], {"gender": ["male"]})
    train, dev = ({clip.speaker for clip in part} for part in (recordings.train, recordings.dev))
    assert train
    assert not train & dev
    assert not any("female" not in str(speaker) for speaker in train | dev)


def test_nothing_to_train_on_is_said(manifests: list[Path]) -> None:
    with pytest.raises(ManifestError):
        collect(manifests[:1], {"split": ["train", "dev"]})


@pytest.mark.parametrize(("which", "other"), [(0, "--only voice"), (1, "--only vocal_events")])
def test_what_cannot_be_trained_is_told_at_once(manifests, tmp_path, which, other) -> None:
    command = ["train", "paralinguistics", str(manifests[which]), "--out", str(tmp_path)]
    with pytest.raises(ManifestError, match=other):
        CliRunner().invoke(app, command, catch_exceptions=False)
    assert not list(tmp_path.iterdir())


async def test_hears_unheard_speakers_with_what_it_learned(trained: Path) -> None:
    analyzer = await EmbeddedAnalyzer.create(EmbeddedAnalyzer.Options(models=trained))
    random = np.random.default_rng(7)
    right_emotion = right_gender = 0
    for speaker in ("female_9", "male_9"):
        for emotion, ours in (("angry", "anger"), ("sad", "sad")):
            stream = await analyzer.open()
            how = await stream.analyze(voice(speaker, emotion, random), Manner(speech_s=1.6))
            right_emotion += max(how.emotion, key=lambda label: how.emotion[label]) == ours
            right_gender += how.gender.get(speaker.split("_")[0], 0.0) > 0.5
    assert right_emotion == 4
    assert right_gender >= 3
    coughs = await (await analyzer.open()).analyze(noise("coughing", random), Manner())
    rain = await (await analyzer.open()).analyze(noise("rain", random), Manner())
    assert {event.label for event in coughs.events} == {"cough"}
    assert not rain.events
    await analyzer.close()


def test_writes_pictures_and_settings_beside_the_models(trained: Path) -> None:
    for name in ("voice", "vocal_events"):
        files = {path.name for path in (trained / name).iterdir()}
        assert {"model.onnx", "model.json", "learning.png", "confusion.png"} <= files
        assert len(json.loads((trained / name / "model.json").read_text())["average"]) == 64


def test_the_same_seed_trains_the_same_model(manifests: list[Path], tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE.replace("members: 2", "members: 1").replace("epochs: 12", "epochs: 1"))
    mel = np.random.default_rng(0).normal(-6, 2, (120, 64)).astype(np.float32)
    readings = []
    for out in ("first", "second"):
        command = ["train", "paralinguistics", str(manifests[0]), "--only", "voice"]
        options = ["--out", str(tmp_path / out), "--recipe", str(recipe), "--device", "cpu"]
        result = CliRunner().invoke(app, command + options)
        assert result.exit_code == 0, result.output
        readings.append(VoiceModel(tmp_path / out / "voice").read(mel, None).emotion)
    assert readings[0] == pytest.approx(readings[1], abs=1e-4)


def test_a_recipe_with_an_unknown_setting_is_refused(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("voice: {layers: 3}")
    with pytest.raises(ConfigError, match="layers"):
        Recipe.load(recipe)


def test_the_shipped_recipe_can_be_read() -> None:
    assert Recipe.load().voice.members >= 1
