"""An archive can hold any names: whatever they are, nothing is written outside of its folder."""

import io
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.errors import ModelError
from voice_agent.models.unpacking import unpack

PARTS = st.sampled_from(["a", "b.json", "..", ".", "", "~", "C:", "c\\d", "..\\e", "\x00", "é"])
NAMES = st.lists(PARTS, min_size=1, max_size=4).map("/".join).filter(bool)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@given(st.dictionaries(NAMES, st.binary(max_size=9), min_size=1, max_size=4))
def test_nothing_is_written_outside(tmp_path_factory, files):
    around: Path = tmp_path_factory.mktemp("around")
    with zipfile.ZipFile(around / "model.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)

    with suppress(ModelError):
        unpack(around / "model.zip", around / "model")

    assert {path.name for path in around.iterdir()} <= {"model", "model.zip"}
    inside = [path for path in (around / "model").rglob("*") if path.is_file()]
    assert {path.read_bytes() for path in inside} <= set(files.values())


@given(st.binary(max_size=200))
def test_what_is_no_archive_is_refused(tmp_path_factory, data):
    around: Path = tmp_path_factory.mktemp("around")
    (around / "model.zip").write_bytes(data)

    with pytest.raises(ModelError, match=r"model\.zip"):
        unpack(around / "model.zip", around / "model")


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_damage_never_passes_for_the_model(tmp_path_factory, place, change):
    around: Path = tmp_path_factory.mktemp("around")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("voice/config.json", b"{}" * 100)
        archive.writestr("voice/model.pth", bytes(range(256)) * 8)
    data = bytearray(buffer.getvalue())
    data[place % len(data)] ^= change
    (around / "model.zip").write_bytes(data)

    try:
        unpack(around / "model.zip", around / "model")
    except ModelError:
        return
    contents = {path.read_bytes() for path in (around / "model").rglob("*") if path.is_file()}
    assert contents <= {b"{}" * 100, bytes(range(256)) * 8}
