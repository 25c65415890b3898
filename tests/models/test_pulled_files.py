"""What a pulled model is made of, and what is found wrong with it."""

import hashlib
import subprocess

import pytest

from voice_agent.errors import ModelError
from voice_agent.models import manifest
from voice_agent.models.catalogue import File
from voice_agent.models.manifest import Manifest


@pytest.fixture
def model(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.bin").write_bytes(b"weights")
    (tmp_path / "sub" / "b.json").write_bytes(b"{}")
    files = tuple(
        File(path=path, size=len(data), sha256=hashlib.sha256(data).hexdigest())
        for path, data in (("a.bin", b"weights"), ("sub/b.json", b"{}"))
    )
    Manifest(source="some/model", revision=None, licence="MIT", files=files).write(tmp_path)
    return tmp_path


def test_a_whole_model_has_no_problems(model):
    made_of = manifest.read(model)
    seen: list[int] = []

    assert manifest.problems(model, made_of.files, seen.append) == []
    assert sum(seen) == made_of.size == 9


def test_each_problem_is_told_by_its_file(model):
    (model / "a.bin").write_bytes(b"Weights")
    (model / "sub" / "b.json").unlink()
    first, second = manifest.problems(model, manifest.read(model).files)
    assert first.startswith("a.bin was changed or damaged")
    assert second == "sub/b.json is missing"

    (model / "a.bin").write_bytes(b"weight")
    assert manifest.problems(model, manifest.read(model).files)[0] == (
        "a.bin has 6 bytes instead of 7"
    )


def test_a_folder_without_a_manifest_has_none(tmp_path):
    assert manifest.read(tmp_path) is None


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"source": 1}', '{"source": "a", "licence": "b", "files": [{"path": "../c"}]}'],
)
def test_a_damaged_manifest_says_so(tmp_path, text):
    (tmp_path / manifest.NAME).write_text(text)

    with pytest.raises(ModelError, match="is damaged"):
        manifest.read(tmp_path)


def test_the_id_of_a_blob_is_that_of_git(tmp_path):
    (tmp_path / "a").write_bytes(b"hello\n")
    git = subprocess.run(
        ["git", "hash-object", tmp_path / "a"], capture_output=True, text=True, check=True
    )
    assert manifest.git_blob(tmp_path / "a") == git.stdout.strip()
