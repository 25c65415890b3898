"""Reading and writing audio files: every kind that people have, and every way they are broken."""

import logging
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from voice_agent.audio import files
from voice_agent.audio.files import WavWriter, describe, read_blocks, write_wav
from voice_agent.errors import AudioError


def tone(rate: int, seconds: float, hz: float = 440.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate)


def read(path: Path, seconds: float = 0.02) -> np.ndarray:
    return np.concatenate(list(read_blocks(path, seconds)))


def loudest_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    return float(np.argmax(spectrum)) * 16_000 / samples.size


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_any_rate_comes_out_at_16_khz(tmp_path, rate):
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(rate, 2.0), rate)

    samples = read(path)

    assert samples.dtype == np.float32
    assert abs(samples.size - 32_000) <= 2
    assert loudest_hz(samples) == pytest.approx(440, abs=1)
    assert np.abs(samples[8_000:24_000]).max() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("name", "subtype"),
    [
        ("a.wav", "PCM_U8"),
        ("a.wav", "PCM_16"),
        ("a.wav", "PCM_24"),
        ("a.wav", "PCM_32"),
        ("a.wav", "FLOAT"),
        ("a.wav", "DOUBLE"),
        ("a.wav", "ULAW"),
        ("a.flac", "PCM_16"),
        ("a.flac", "PCM_24"),
        ("a.ogg", "VORBIS"),
        ("a.ogg", "OPUS"),
    ],
)
def test_any_sample_format_is_read(tmp_path, name, subtype):
    path = tmp_path / name
    soundfile.write(path, tone(48_000, 1.0), 48_000, subtype=subtype)

    samples = read(path)

    assert loudest_hz(samples) == pytest.approx(440, abs=2)
    assert samples.size == pytest.approx(16_000, abs=400)
    assert np.abs(samples[4_000:12_000]).max() == pytest.approx(0.5, abs=0.05)


def test_another_rate_may_be_asked_for(tmp_path):
    soundfile.write(tmp_path / "tone.wav", tone(48_000, 1.0), 48_000)

    own, half = (files.read_whole(tmp_path / "tone.wav", rate) for rate in (48_000, 24_000))
    blocks = list(read_blocks(tmp_path / "tone.wav", 0.1, 24_000))

    assert own == pytest.approx(tone(48_000, 1.0), abs=1e-4)
    assert half[1000:-1000] == pytest.approx(tone(24_000, 1.0)[1000:-1000], abs=1e-3)
    assert {block.size for block in blocks[:-1]} == {2_400}


def test_stereo_is_mixed_down(tmp_path):
    path = tmp_path / "stereo.wav"
    left = tone(16_000, 1.0)
    soundfile.write(path, np.stack((left, np.zeros_like(left)), axis=1), 16_000, subtype="FLOAT")

    np.testing.assert_allclose(read(path), left / 2, atol=1e-6)


def test_blocks_have_the_asked_length_but_the_last(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(44_100, 1.013), 44_100)

    sizes = [block.size for block in read_blocks(path, seconds=0.02)]

    assert set(sizes[:-1]) == {320}
    assert 0 < sizes[-1] <= 320


def test_samples_that_are_no_numbers_do_no_harm(tmp_path):
    path = tmp_path / "wild.wav"
    wild = np.array([np.nan, np.inf, -np.inf, 1e30, -7.0, 0.25] * 4_000, np.float32)
    soundfile.write(path, wild, 48_000, subtype="FLOAT")

    samples = read(path)

    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 2.0


def test_silence_is_audio(tmp_path):
    path = tmp_path / "silent.wav"
    soundfile.write(path, np.zeros(16_000), 16_000)

    assert not read(path).any()


def test_the_head_tells_length_rate_and_channels(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, np.zeros((24_000, 2)), 48_000)

    assert describe(path) == files.AudioInfo(seconds=0.5, rate=48_000, channels=2)


def test_two_hours_take_the_memory_of_a_block(tmp_path):
    path = tmp_path / "long.flac"
    with soundfile.SoundFile(path, "w", 8_000, 1) as file:
        for _ in range(120):
            file.write(np.zeros(8_000 * 60, np.int16))

    process = psutil.Process()
    before = process.memory_info().rss
    samples = grown = 0
    for block in read_blocks(path, seconds=60.0):
        samples += block.size
        grown = max(grown, process.memory_info().rss - before)

    assert samples == pytest.approx(2 * 3600 * 16_000, abs=2)
    assert grown < 60_000_000  # the whole would be 460 MB


@pytest.mark.parametrize("name", ["cut.wav", "cut.flac"])
def test_of_a_truncated_file_what_is_there_is_read_with_a_warning(tmp_path, caplog, name):
    path = tmp_path / name
    noise = np.random.default_rng(1).normal(0, 0.1, 16_000 * 4)
    soundfile.write(path, noise, 16_000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with caplog.at_level(logging.WARNING):
        samples = read(path)

    assert 16_000 < samples.size < 33_000
    assert "truncated" in caplog.text
    assert name in caplog.text


def test_a_whole_file_gives_no_warning(tmp_path, caplog):
    for name in ("a.wav", "a.flac", "a.ogg"):
        soundfile.write(tmp_path / name, tone(16_000, 1.5), 16_000)
        read(tmp_path / name)

    assert not caplog.records


def test_a_wav_of_unannounced_length_is_whole(tmp_path, caplog):
    path = tmp_path / "piped.wav"
    soundfile.write(path, tone(16_000, 1.0), 16_000)
    data = bytearray(path.read_bytes())
    at = data.find(b"data")
    data[4:8] = data[at + 4 : at + 8] = b"\xff\xff\xff\xff"
    path.write_bytes(data)

    assert read(path).size == 16_000
    assert not caplog.records


def broken(folder: Path, kind: str) -> Path:
    """A file that no agent could hear anything in."""
    path = folder / f"{kind}.wav"
    match kind:
        case "empty":
            path.touch()
        case "folder":
            path.mkdir()
        case "text":
            path.write_text("this is no audio\n" * 100)
        case "binary":
            path.write_bytes(np.random.default_rng(0).bytes(10_000))
        case "no-samples":
            soundfile.write(path, np.zeros(0), 16_000)
        case "head-only":
            soundfile.write(path, np.zeros(16_000), 16_000)
            path.write_bytes(path.read_bytes()[:40])
        case "flac-head-only":
            path = path.with_suffix(".flac")
            soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 16_000), 16_000)
            path.write_bytes(path.read_bytes()[:200])
        case "ogg-head-only":
            path = path.with_suffix(".ogg")
            soundfile.write(path, tone(16_000, 2), 16_000)
            path.write_bytes(path.read_bytes()[:300])
        case "raw":
            path = path.with_suffix(".raw")
            path.write_bytes(b"\0" * 32_000)
        case "slow":
            soundfile.write(path, np.zeros(4_000), 4_000)
        case "fast":
            soundfile.write(path, np.zeros(4_000), 384_000)
        case "aiff":
            path = path.with_suffix(".aiff")
            soundfile.write(path, np.zeros(16_000), 16_000)
    return path


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("missing", "no such file"),
        ("empty", "empty"),
        ("folder", "folder"),
        ("text", "not audio that can be read"),
        ("binary", "not audio that can be read"),
        ("no-samples", "no audio in it"),
        ("head-only", "not audio that can be read"),
        ("flac-head-only", "no audio could be read"),
        ("ogg-head-only", "not audio that can be read"),
        ("raw", "WAV, FLAC and OGG"),
        ("slow", "4000 Hz"),
        ("fast", "384000 Hz"),
        ("aiff", "AIFF is not supported; supported are WAV, FLAC and OGG"),
    ],
)
def test_a_file_without_audio_is_refused_by_name(tmp_path, kind, says):
    path = broken(tmp_path, kind)

    with pytest.raises(AudioError, match=says) as refusal:
        list(read_blocks(path))

    assert str(path) in str(refusal.value)


def test_what_is_written_is_read_back(tmp_path):
    path = tmp_path / "out.wav"
    samples = tone(24_000, 1.0).astype(np.float32)

    write_wav(path, samples, 24_000)

    info = soundfile.info(path)
    assert (info.samplerate, info.channels, info.subtype) == (24_000, 1, "PCM_16")
    back, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_allclose(back, samples, atol=1 / 32_768)


def test_too_loud_samples_are_clipped_not_wrapped(tmp_path):
    path = tmp_path / "loud.wav"

    write_wav(path, np.array([1.5, -1.5, 0.0], np.float32), 24_000)

    back, _ = soundfile.read(path)
    assert back[0] > 0.99
    assert back[1] == -1.0


def test_pieces_written_are_in_the_file_before_it_is_closed(tmp_path):
    writer = WavWriter(tmp_path / "growing.wav", 24_000)
    try:
        writer.write(np.zeros(2_400, np.float32))
        writer.write(np.zeros(1_200, np.float32))
        assert soundfile.info(writer.path).frames == 3_600
    finally:
        writer.close()
        writer.close()


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(AudioError, match="cannot be written"):
        write_wav(tmp_path / "absent" / "a.wav", np.zeros(10, np.float32), 24_000)
