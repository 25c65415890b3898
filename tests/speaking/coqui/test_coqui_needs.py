"""The memory of a model is counted before it is loaded."""

from pathlib import Path
from typing import Any

import pytest
import tiny_voices
from speaking_steps import TEXT, options, said

from voice_agent.errors import EngineUnavailable
from voice_agent.models import memory
from voice_agent.speaking.synthesizers.coqui import files
from voice_agent.speaking.synthesizers.coqui.loading import load
from voice_agent.speaking.synthesizers.coqui.needs import MOST_ROWS, Needs


def needs(folder: Path) -> Needs:
    return Needs.by_device(files.find(str(folder)), "cpu")["cpu"]


def has_free(monkeypatch: pytest.MonkeyPatch, size: float) -> None:
    monkeypatch.setattr(memory, "free", lambda device: int(size))


def test_the_rows_of_sentences_are_counted_as_they_are_taken(
    small_xtts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_free(monkeypatch, 1e9)
    whole = needs(small_xtts)
    has_free(monkeypatch, 0)
    one = needs(small_xtts)
    assert (whole.rows, one.rows) == (MOST_ROWS, 1)
    monkeypatch.undo()
    voice: Any = load(options(small_xtts))[0]
    said(voice)
    taken = sum(tensor.nbytes for tensor in voice._writer._forward._cache._tensors())
    assert whole.bytes - one.bytes == taken * (MOST_ROWS - 1) // MOST_ROWS


def test_where_memory_is_short_fewer_sentences_are_written_at_once(
    small_xtts: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    has_free(monkeypatch, 1e9)
    expected = said(load(options(small_xtts))[0], TEXT)
    assert not caplog.records
    whole = needs(small_xtts)
    has_free(monkeypatch, 0)
    size = (whole.bytes - needs(small_xtts).bytes) // (MOST_ROWS - 1)
    has_free(monkeypatch, whole.bytes - MOST_ROWS * size + 4 * size)
    voice: Any = load(options(small_xtts))[0]
    assert voice._writer._forward.rows == 3  # some is left for computing
    assert "memory for 3 sentences of the voice at once, not for 8" in caplog.text
    assert list(said(voice, TEXT)) == list(expected)


def test_a_voice_whose_weights_leave_no_room_for_a_sentence_is_refused(
    small_xtts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_free(monkeypatch, 0)
    least = needs(small_xtts).bytes
    has_free(monkeypatch, least - 1)
    with pytest.raises(EngineUnavailable, match=r"the voice .* needs \d+ MB of memory"):
        load(options(small_xtts))
    has_free(monkeypatch, least)
    assert said(load(options(small_xtts))[0]).size


def test_vits_takes_no_rows() -> None:
    found = needs(tiny_voices.BUZZING_VITS)
    weights = files.find(str(tiny_voices.BUZZING_VITS)).weights
    assert found == Needs(0, 2 * weights.stat().st_size)


def test_each_device_that_a_setting_allows_is_counted(small_xtts: Path) -> None:
    found = files.find(str(small_xtts))
    assert set(Needs.by_device(found, "auto")) == {"cpu", "cuda"}
    assert set(Needs.by_device(found, "cuda")) == {"cuda"}
