"""A stream hears the same words as faster-whisper does in the whole recording."""

import csv
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import jiwer
import numpy as np
import pytest
import soundfile
import tiny_whisper

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.audio.resample import resample
from voice_agent.events import Phrase
from voice_agent.hearing.recognizers.faster_whisper import FasterWhisperRecognizer, reading
from voice_agent.hearing.recognizers.faster_whisper.stream import PARTIAL
from voice_agent.hearing.recognizers.faster_whisper.trimming import SENTENCES_S
from voice_agent.speaking.synthesizers.espeak import EspeakOptions, EspeakSynthesizer

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


async def spoken(texts: Sequence[str]) -> list[tuple[Samples, str]]:
    """Texts in the agent's own voice, a turn each."""
    voice = await EspeakSynthesizer.create(EspeakOptions())
    found = []
    for text in texts:
        pieces = [piece async for piece in voice.synthesize(Phrase(text))]
        samples = np.concatenate([piece.samples for piece in pieces])
        found.append((resample(samples, pieces[0].rate, HEARING_RATE), text))
    await voice.close()
    return found


SAID = [
    "I failed my exam today, and I feel terrible about it.",
    "My sister has come to see me. We went down to the river, and talked until it was dark.",
    "Could you tell me what to do? My boss was angry with me in front of all the others.",
    "Yes, I think so.",
]
PLAIN = jiwer.Compose([jiwer.ToLowerCase(), jiwer.RemovePunctuation(), jiwer.Strip()])


async def error_rates(folder: Path, heard: Sequence[tuple[Samples, str]]) -> tuple[float, float]:
    """The word error rates of the stream, and of the library on each turn as a whole."""
    from faster_whisper import WhisperModel

    model = WhisperModel(str(folder), device="cpu", compute_type="int8")
    options = FasterWhisperRecognizer.Options(model=str(folder), device="cpu")
    recognizer = await FasterWhisperRecognizer.create(options)
    said = [PLAIN(text) for _, text in heard]
    ours = [PLAIN(await streamed(recognizer, samples)) for samples, _ in heard]
    theirs = [PLAIN(whole(model, samples, timed=True)) for samples, _ in heard]
    await recognizer.close()
    return jiwer.wer(said, ours), jiwer.wer(said, theirs)


async def test_what_is_said_is_heard_as_well_as_in_the_whole(whisper_tiny_en):
    ours, theirs = await error_rates(whisper_tiny_en, await spoken(SAID))

    assert ours <= theirs + 0.01
    assert ours < 0.2


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seconds", [1, 32], ids=["short turns", "long turns"])
async def test_real_speech_is_heard_as_well_as_in_the_whole(seconds, data, whisper_tiny_en):
    heard = turns(data / "speech_read", seconds)
    ours, theirs = await error_rates(whisper_tiny_en, heard[:: 6 if seconds == 1 else 3])

    assert ours <= theirs + 0.01
    assert ours < 0.2
