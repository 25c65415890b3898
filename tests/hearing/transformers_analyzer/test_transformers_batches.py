"""Many readings at once: joined, refused, cancelled, failed and closed."""

import asyncio
import gc
import math
import weakref

import numpy as np
import pytest

from voice_agent.audio.pcm import HEARING_RATE
from voice_agent.errors import EngineError, EngineUnavailable, Overloaded
from voice_agent.events import Manner, Paralinguistics
from voice_agent.hearing.paralinguistics.transformers import engine
from voice_agent.hearing.paralinguistics.transformers.classifier import Classifier
from voice_agent.models.devices import Device, Rank

pytest.importorskip("transformers", reason="needs the extra 'transformers'")
pytest.importorskip("torch", reason="needs the extra 'transformers'")

import tiny_classifiers
from models_at_work import MANNER, sound, until


@pytest.mark.parametrize("kind", ["masked", "unmasked", "spectrogram"])
async def test_a_reading_is_the_same_alone_and_among_others(request, create, passes, kind):
    analyzer = await create(request.getfixturevalue(kind))
    turns = [sound(seconds, seed) for seed, seconds in enumerate((0.5, 1.0, 1.5, 1.6, 2.0, 2.0, 4))]
    streams = [await analyzer.open() for _ in turns]
    together = await asyncio.gather(
        *(stream.analyze(turn, MANNER) for stream, turn in zip(streams, turns, strict=True))
    )
    joined = max(passes.sizes)
    alone = [await (await analyzer.open()).analyze(turn, MANNER) for turn in turns]

    assert joined > 1
    assert len({tuple(how.emotion.values()) + how.events for how in alone}) == len(turns)
    for one, other in zip(alone, together, strict=True):
        assert one.emotion == pytest.approx(other.emotion, abs=1e-4)
        assert [(event.label, event.start, event.end) for event in one.events] == [
            (event.label, event.start, event.end) for event in other.events
        ]
        assert [event.confidence for event in one.events] == pytest.approx(
            [event.confidence for event in other.events], abs=1e-4
        )


async def test_what_comes_at_once_is_read_in_one_pass(create, passes, masked):
    analyzer = await create(masked)
    streams = [await analyzer.open() for _ in range(5)]

    await asyncio.gather(
        *(stream.analyze(sound(1 + n), MANNER) for n, stream in enumerate(streams))
    )

    assert passes.sizes == [5]


async def test_what_came_during_a_pass_makes_the_next(create, passes, masked):
    analyzer = await create(masked, max_batch=4)
    streams = [await analyzer.open() for _ in range(7)]
    passes.gate.clear()
    first = asyncio.create_task(streams[0].analyze(sound(1), MANNER))
    await until(passes.begun.is_set)
    rest = [asyncio.create_task(stream.analyze(sound(1), MANNER)) for stream in streams[1:]]
    await until(lambda: analyzer.waiting == 6)
    passes.gate.set()
    await asyncio.gather(first, *rest)

    assert passes.sizes == [1, 4, 2]


async def test_only_audio_of_one_length_is_joined_where_padding_would_be_heard(
    create, passes, unmasked
):
    analyzer = await create(unmasked)
    lengths = {await analyzer.open(): seconds for seconds in (2.0, 3.0, 2.1, 2.2, 3.1)}

    await asyncio.gather(*(stream.analyze(sound(s), MANNER) for stream, s in lengths.items()))

    assert sorted(passes.sizes) == [2, 3]


async def test_sounds_of_a_growing_turn_are_read_once(create, passes, spectrogram):
    stream = await (await create(spectrogram, max_batch=256)).open()
    turn = sound(34)
    heard = [await stream.analyze(turn[: 10 * HEARING_RATE], MANNER)]
    at_first = sum(passes.sizes)
    passes.sizes.clear()
    # Of a long turn, only the end is handed on; it begins between two windows.
    for end in range(10, 34):
        start = max(0, end * HEARING_RATE - 15 * HEARING_RATE - 512)
        heard.append(await stream.analyze(turn[start : end * HEARING_RATE], MANNER))
    fresh = await (await create(spectrogram)).open()

    assert at_first == 19
    assert max(passes.sizes) <= 5
    assert heard[3] == await fresh.analyze(turn[: 12 * HEARING_RATE], MANNER)


async def test_where_models_are_slow_the_newest_audio_of_a_turn_is_read_for_all(
    create, passes, masked, spectrogram
):
    turn, other = sound(4), sound(2, seed=1)
    for model in (masked, spectrogram):
        analyzer = await create(model, max_batch=256)
        stream = await analyzer.open()
        passes.sizes.clear()
        passes.gate.clear()
        first = asyncio.create_task(stream.analyze(turn[: 1 * HEARING_RATE], MANNER))
        await until(passes.begun.is_set)
        audio = [
            turn[: 2 * HEARING_RATE],
            turn[: 3 * HEARING_RATE],
            other,
            turn[HEARING_RATE // 2 :],
        ]
        manners = [Manner(speech_s=speech_s) for speech_s in range(len(audio))]
        calls = [
            asyncio.create_task(stream.analyze(samples, manner))
            for samples, manner in zip(audio, manners, strict=True)
        ]
        await asyncio.sleep(0)
        passes.gate.set()
        await first
        readings = await asyncio.gather(*calls)
        fresh = await analyzer.open()

        assert len(passes.sizes) == 3
        assert [how.manner for how in readings] == manners
        assert readings[0].emotion == readings[1].emotion == readings[3].emotion
        assert readings[3] == await fresh.analyze(audio[3], manners[3])
        assert readings[2] == await fresh.analyze(other, manners[2])
        for how, samples in zip(readings, audio, strict=True):
            assert all(event.end <= samples.size / HEARING_RATE for event in how.events)


async def test_a_cancelled_reading_falls_out(create, passes, masked):
    analyzer = await create(masked)
    streams = [await analyzer.open() for _ in range(3)]
    passes.gate.clear()
    first = asyncio.create_task(streams[0].analyze(sound(1), MANNER))
    await until(passes.begun.is_set)
    kept, dropped = (
        asyncio.create_task(stream.analyze(sound(1), MANNER)) for stream in streams[1:]
    )
    await until(lambda: analyzer.waiting == 2)
    dropped.cancel()
    await asyncio.wait([dropped])
    first.cancel()
    await asyncio.wait([first])
    passes.gate.set()

    assert (await kept).emotion
    assert dropped.cancelled()
    assert first.cancelled()
    assert passes.sizes == [1, 1]


async def test_too_many_readings_are_refused_until_some_are_done(create, passes, masked):
    analyzer = await create(masked, waiting=2)
    stream = await analyzer.open()
    passes.gate.clear()
    running = [asyncio.create_task(stream.analyze(sound(1), MANNER)) for _ in range(2)]
    await until(passes.begun.is_set)

    with pytest.raises(Overloaded, match=r"hearing\.paralinguistics\.waiting"):
        await stream.analyze(sound(1), MANNER)
    passes.gate.set()
    await asyncio.gather(*running)
    assert (await stream.analyze(sound(1), MANNER)).emotion


async def test_a_model_that_gives_no_numbers_fails_for_those_who_asked(create, tmp_path, masked):
    nan = math.nan
    path = tiny_classifiers.wav2vec2(tmp_path / "model", ["female", "male"], says=[nan, nan])
    broken = await (await create({"model": str(path), "reads": "gender"})).open()

    outcomes = await asyncio.gather(
        *(broken.analyze(sound(1), MANNER) for _ in range(3)), return_exceptions=True
    )

    assert all(isinstance(outcome, EngineError) for outcome in outcomes)
    assert "float32" in str(outcomes[0])


async def test_audio_that_a_model_cannot_take_fails_for_its_own_conversation_alone(
    create, passes, masked
):
    analyzer = await create(masked)
    bad = sound(1)
    bad[5000] = np.inf
    one, other = await analyzer.open(), await analyzer.open()

    failed, fine = await asyncio.gather(
        one.analyze(bad, MANNER), other.analyze(sound(1), MANNER), return_exceptions=True
    )

    assert passes.sizes == [2]
    assert isinstance(failed, EngineError)
    assert isinstance(fine, Paralinguistics)


async def test_closing_leaves_alone_who_has_just_given_up(create, passes, masked):
    analyzer = await create(masked)
    streams = [await analyzer.open() for _ in range(2)]
    passes.gate.clear()
    calls = [asyncio.create_task(stream.analyze(sound(1), MANNER)) for stream in streams]
    await until(passes.begun.is_set)
    late = asyncio.create_task((await analyzer.open()).analyze(sound(1), MANNER))
    await until(lambda: analyzer.waiting == 1)
    late.cancel()
    passes.gate.set()
    await analyzer.close()

    await asyncio.wait([late])
    assert late.cancelled()
    assert all(how.emotion for how in await asyncio.gather(*calls))


async def test_a_failed_pass_does_not_end_the_work(create, masked, monkeypatch):
    stream = await (await create(masked)).open()
    with monkeypatch.context() as patch:
        patch.setattr(Classifier, "read", lambda *_: 1 / 0)
        with pytest.raises(EngineError, match="division"):
            await stream.analyze(sound(1), MANNER)

    assert (await stream.analyze(sound(1), MANNER)).emotion


async def test_closing_ends_the_work_and_frees_the_models(create, passes, masked):
    analyzer = await create(masked)
    stream = await analyzer.open()
    model = weakref.ref(analyzer.readers[0].classifier._model)
    passes.gate.clear()
    running = asyncio.create_task(stream.analyze(sound(1), MANNER))
    await until(passes.begun.is_set)
    waiting = asyncio.create_task((await analyzer.open()).analyze(sound(1), MANNER))
    await until(lambda: analyzer.waiting == 1)
    late = asyncio.create_task(stream.analyze(sound(2), MANNER))
    closing = asyncio.create_task(analyzer.close())
    with pytest.raises(EngineError, match="closed"):
        await waiting
    passes.gate.set()
    await closing
    await running
    with pytest.raises(EngineError, match="closed"):
        await late
    await analyzer.close()

    with pytest.raises(EngineError, match="closed"):
        await stream.analyze(sound(1), MANNER)
    with pytest.raises(EngineError, match="closed"):
        await analyzer.open()
    del running, waiting, late, closing
    gc.collect()
    assert model() is None


async def test_a_closed_stream_reads_no_more(create, masked):
    stream = await (await create(masked)).open()
    await stream.close()
    await stream.close()

    with pytest.raises(EngineError, match="closed"):
        await stream.analyze(sound(1), MANNER)


async def test_each_model_has_read_once_before_the_first_conversation(
    passes, masked, spectrogram, create
):
    await create(masked, spectrogram)

    assert passes.warming == [1, 1]


async def test_a_model_that_cannot_compute_here_is_told_at_once(create, masked, monkeypatch):
    def read(*_: object) -> None:
        raise RuntimeError("no kernel image is available for execution on the device\nfurther text")

    monkeypatch.setattr(Classifier, "read", read)

    with pytest.raises(EngineUnavailable, match=r"no kernel image.*on the device; set"):
        await create(masked)


async def test_readings_take_their_turn_behind_the_voice(create, passes, masked, monkeypatch):
    stream = await (await create(masked)).open()
    on = Device("cpu", dict.fromkeys(Rank, 600.0))
    monkeypatch.setattr(engine, "device", {"cpu": on}.__getitem__)
    with on.turn(Rank.VOICE):
        reading = asyncio.create_task(stream.analyze(sound(1), MANNER))
        await until(lambda: on.waiting == 1)
        assert passes.sizes == []
    assert (await reading).emotion
