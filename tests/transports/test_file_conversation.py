"""Recordings as one side of a conversation: the real agent, as fast as it goes."""

import logging
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
import soundfile

from voice_agent.agent import Agent
from voice_agent.config import load
from voice_agent.dialogue.events import Caption, TurnEnded
from voice_agent.errors import AudioError, Overloaded
from voice_agent.events import ReplyStatus
from voice_agent.settings import Limits
from voice_agent.transports.files import FileConversation, FileTurn, RealTime

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(
        shutil.which("flite") is None, reason="flite makes the test speech; apt-get install flite"
    ),
]


@pytest.fixture(scope="module")
def speech(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("speech") / "sad.wav"
    text = "I lost my job yesterday and I feel so sad about it"
    subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", path], check=True)
    return path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def agent(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "conversations.db"
    agent = await Agent.create(load("embedded", store__path=path))
    yield agent
    await agent.close()


async def played(agent: Agent, *paths: Path, **how: object) -> list[FileTurn]:
    conversation = await FileConversation.open(agent, fast=True, **how)
    try:
        return [turn for path in paths async for turn in conversation.play(path)]
    finally:
        await conversation.close()


def joined(path: Path, speech: Path, *pauses: float) -> Path:
    """The speech again and again with pauses between."""
    samples, rate = soundfile.read(speech)
    pieces = [samples]
    for pause in pauses:
        pieces += [np.zeros(round(rate * pause)), samples]
    soundfile.write(path, np.concatenate(pieces), rate)
    return path


async def test_files_of_every_kind_are_turns_of_one_conversation(agent, speech, tmp_path):
    samples, rate = soundfile.read(speech)
    for name, (wanted, subtype, channels) in {
        "telephone.wav": (8_000, "ULAW", 1),
        "web.ogg": (48_000, "OPUS", 2),
    }.items():
        positions = np.arange(0, len(samples), rate / wanted)
        there = np.interp(positions, np.arange(len(samples)), samples)
        soundfile.write(tmp_path / name, np.stack([there] * channels, axis=1), wanted, subtype)

    turns = await played(agent, tmp_path / "telephone.wav", tmp_path / "web.ogg")

    assert [turn.number for turn in turns] == [1, 2]
    for turn in turns:
        assert turn.record.user.text
        assert turn.record.reply == turn.record.heard
        assert turn.audio is None
        assert not turn.note


async def test_with_endpointing_one_file_holds_many_turns(agent, speech, tmp_path):
    path = joined(tmp_path / "two.wav", speech, 15.0)

    turns = await played(agent, path, endpointing=True)

    assert len(turns) == 2
    assert all(turn.record.status is ReplyStatus.COMPLETED for turn in turns)


async def test_without_it_pauses_do_not_end_a_turn(agent, speech, tmp_path):
    path = joined(tmp_path / "two.wav", speech, 4.0)

    (turn,) = await played(agent, path)

    assert turn.record.user.text.split().count("job") == 2


async def test_of_an_interrupted_reply_only_what_was_played_is_written(agent, speech, tmp_path):
    path = joined(tmp_path / "rude.wav", speech, 2.0)

    cut, whole = await played(agent, path, endpointing=True, out=tmp_path / "replies")

    assert cut.record.status is ReplyStatus.INTERRUPTED
    assert cut.record.reply.startswith(cut.record.heard)
    assert len(cut.record.heard) < len(cut.record.reply)
    assert cut.note.startswith("interrupted; heard of the reply: ")
    assert 0.3 < soundfile.info(cut.audio).duration < 3
    assert whole.record.status is ReplyStatus.COMPLETED
    assert whole.audio == tmp_path / "replies" / "turn-02.wav"


async def test_of_a_truncated_file_what_is_there_is_answered(agent, speech, tmp_path, caplog):
    data = speech.read_bytes()
    (tmp_path / "cut.wav").write_bytes(data[: len(data) * 2 // 3])

    with caplog.at_level(logging.WARNING):
        (turn,) = await played(agent, tmp_path / "cut.wav")

    assert turn.record.reply
    assert "cut.wav is truncated" in caplog.text


async def test_noise_is_no_speech(agent, tmp_path):
    noise = np.random.default_rng(0).normal(0, 0.05, 32_000)
    soundfile.write(tmp_path / "noise.wav", noise, 16_000)

    for endpointing in (False, True):
        (turn,) = await played(agent, tmp_path / "noise.wav", endpointing=endpointing)
        assert turn.record is None
        assert turn.note == f"no speech found in {tmp_path / 'noise.wav'}"


async def test_the_session_can_be_watched(agent, speech):
    events = []

    await played(agent, speech, watch=events.append)

    assert any(isinstance(event, Caption) for event in events)
    assert isinstance(events[-1], TurnEnded)


async def test_progress_is_the_seconds_of_the_file(agent, speech):
    told = []
    conversation = await FileConversation.open(agent, fast=True)
    try:
        async for _ in conversation.play(speech, told.append):
            pass
    finally:
        await conversation.close()

    assert told == sorted(told)
    assert told[-1] == pytest.approx(soundfile.info(speech).duration, abs=0.001)


async def test_a_bad_file_leaves_the_conversation_usable(agent, speech, tmp_path):
    (tmp_path / "letter.wav").write_text("Dear diary, " * 100)
    conversation = await FileConversation.open(agent, fast=True)
    try:
        with pytest.raises(AudioError):
            _ = [turn async for turn in conversation.play(tmp_path / "letter.wav")]
        (turn,) = [turn async for turn in conversation.play(speech)]
    finally:
        await conversation.close()

    assert turn.number == 1
    assert turn.record.reply


async def test_in_real_time_chunks_go_out_when_they_are_due():
    now = 100.0
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        nonlocal now
        waits.append(seconds)
        now += seconds

    pace = RealTime(lambda: now, sleep)
    for chunk in range(10):
        await pace.reach(chunk * 0.02)
    now += 0.05  # something took long
    for chunk in range(10, 14):
        await pace.reach(chunk * 0.02)

    assert waits == pytest.approx([0.0, *[0.02] * 9, 0.0, 0.0, 0.01, 0.02])


async def test_a_conversation_that_lasts_too_long_is_refused(speech, tmp_path):
    config = load("embedded", store__path=tmp_path / "c.db")
    short = config.model_copy(update={"limits": Limits(session_minutes=1 / 60)})
    agent = await Agent.create(short)
    try:
        with pytest.raises(Overloaded, match="minutes"):
            await played(agent, speech)
    finally:
        await agent.close()
