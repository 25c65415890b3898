"""A torchaudio whose compiled part does not load must not keep transformers from its models."""

import subprocess
import sys
from pathlib import Path

import pytest

MODULE = "from . import _extension\nuseful = _extension.fail_if_no_align(len)\n"
WORKS = "def fail_if_no_align(function): return function\ncompiled = True\n"
BROKEN = "from . import library\n"
LIBRARY = "raise OSError('libc10_cuda.so: cannot open shared object file')\n"


def run(folder: Path, script: str) -> str:
    start = f"import sys; sys.path.insert(0, {str(folder)!r}); "
    start += "from voice_agent.models import torchaudio_import; torchaudio_import.ensure(); "
    done = subprocess.run(
        [sys.executable, "-c", start + script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def package(tmp_path) -> Path:
    folder = tmp_path / "torchaudio"
    (folder / "_extension").mkdir(parents=True)
    (folder / "__init__.py").write_text(MODULE)
    return folder


def test_without_its_compiled_part_it_can_still_be_imported(package):
    (package / "_extension" / "__init__.py").write_text(BROKEN)
    (package / "_extension" / "library.py").write_text(LIBRARY)

    assert run(package.parent, "import torchaudio; print(torchaudio.useful('abc'))") == "3"


def test_where_it_works_it_is_left_alone(package):
    (package / "_extension" / "__init__.py").write_text(WORKS)

    assert run(package.parent, "import torchaudio; print(torchaudio._extension.compiled)") == "True"


def test_where_it_is_not_installed_nothing_happens(tmp_path, monkeypatch):
    from voice_agent.models import torchaudio_import

    monkeypatch.setattr(torchaudio_import, "find_spec", lambda name: None)
    before = {name for name in sys.modules if name.startswith("torchaudio")}
    torchaudio_import.ensure()

    assert {name for name in sys.modules if name.startswith("torchaudio")} == before
