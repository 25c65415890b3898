"""A stream hears the same words as faster-whisper does in the whole recording."""

import csv
import os
import sys
from itertools import groupby
from pathlib import Path

import jiwer
import numpy as np
import pytest
import soundfile

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.hearing.recognizers.faster_whisper import FasterWhisperRecognizer, reading
from voice_agent.hearing.recognizers.faster_whisper.stream import PARTIAL
from voice_agent.hearing.recognizers.faster_whisper.trimming import SENTENCES_S

SILENT = np.zeros(0, np.float32)


def whole(model, samples: Samples, *, timed: bool = False) -> str:
    segments, _ = model.transcribe(
        samples,
        language="en",
        beam_size=1,
        temperature=0.0,
        condition_on_previous_text=False,
        without_timestamps=True,
        # With them it reads on behind the last word.
        word_timestamps=timed,
    )
    return "".join(segment.text for segment in segments).strip()


async def streamed(recognizer: FasterWhisperRecognizer, samples: Samples) -> str:
    """Heard piece by piece, with each partial reading awaited as in real time."""
    stream, stable = await recognizer.open(), ""
    for at in range(0, len(samples), PARTIAL):
        partial = await stream.feed(samples[at : at + PARTIAL])
        while stream.reading:
            partial = await stream.feed(SILENT)
        assert partial.stable.startswith(stable)
        stable = partial.stable
    text = (await stream.settle()).text
    await stream.close()
    assert text.startswith(stable)
    return text


def babble(seconds: float, seed: int) -> Samples:
    """Sound that comes and goes, for models that make words out of anything."""
    random = np.random.default_rng(seed)
    samples = random.standard_normal(round(seconds * HEARING_RATE)).astype(np.float32)
    loud = np.repeat(random.uniform(0.01, 0.3, round(seconds * 10)), HEARING_RATE // 10)
    return samples * loud.astype(np.float32)


@pytest.mark.parametrize("seed", [10, 11])
async def test_below_the_length_at_which_audio_is_let_go_of_there_is_no_difference(
    seed, tmp_path, monkeypatch
):
    from faster_whisper import WhisperModel

    # Where Whisper leaves something out, the engine reads on.
    monkeypatch.setattr(reading, "CONTINUATIONS", 0)

    sys.path.insert(0, str(Path(__file__).parent.parent / "conformance"))
    try:
        import tiny_whisper
    finally:
        sys.path.pop(0)
    folder = str(tiny_whisper.save(tmp_path / "whisper", seed, tiny_whisper.BRIEF))
    model = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=1)
    options = FasterWhisperRecognizer.Options(model=folder, device="cpu")
    recognizer = await FasterWhisperRecognizer.create(options)
    words = 0

    for seconds in (1.0, 2.0, 4.3, 9.0, SENTENCES_S - 1):
        samples = babble(seconds, round(seconds))
        text = whole(model, samples)
        words += len(text.split())
        assert await streamed(recognizer, samples) == text

    assert words > 15
    await recognizer.close()


def turns(folder: Path, seconds: float) -> list[tuple[Samples, str]]:
    """Recordings of read speech, joined to turns of about that length."""
    with (folder / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[::6]
    found = []
    for _, group in groupby(rows, lambda row: row["corpus"]):
        pieces, texts = [], []
        for row in group:
            pieces.append(soundfile.read(folder / row["path"], dtype="float32")[0])
            pieces.append(np.zeros(HEARING_RATE // 2, np.float32))
            texts.append(row["transcript"])
            if sum(map(len, pieces)) >= seconds * HEARING_RATE:
                found.append((np.concatenate(pieces), " ".join(texts)))
                pieces, texts = [], []
    return found


@pytest.mark.timeout(1800)
async def test_long_turns_have_the_error_rate_of_the_whole_recording(data):
    name = os.environ.get("VOICE_AGENT_TEST_WHISPER")
    if not name:
        pytest.skip("set VOICE_AGENT_TEST_WHISPER to the folder of a converted Whisper")
    from faster_whisper import WhisperModel

    model = WhisperModel(name, device="cpu", compute_type="int8")
    options = FasterWhisperRecognizer.Options(model=name, device="cpu")
    recognizer = await FasterWhisperRecognizer.create(options)
    plain = jiwer.Compose([jiwer.ToLowerCase(), jiwer.RemovePunctuation(), jiwer.Strip()])
    said, ours, theirs = [], [], []
    for samples, text in turns(data / "speech_read", 32):
        said.append(plain(text))
        ours.append(plain(await streamed(recognizer, samples)))
        theirs.append(plain(whole(model, samples, timed=True)))

    assert jiwer.wer(said, ours) <= jiwer.wer(said, theirs) + 0.01
    await recognizer.close()
