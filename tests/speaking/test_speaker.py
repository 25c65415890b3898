import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import aclosing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from voice_agent.audio.pcm import SPEAKING_RATE, level_db
from voice_agent.errors import EngineError
from voice_agent.events import REPLY_EMOTIONS, Phrase, Speech, SpokenWord
from voice_agent.speaking.playback import Playback
from voice_agent.speaking.speaker import Speaker

WORD_S = 0.1


class Hummer:
    """Hums 0.1 s for each word, a word a piece, as loud as the tone says."""

    Options = BaseModel
    name = "hummer"

    def __init__(self, rate: int = 22_050, db: float = -30.0, fail_at: str = "") -> None:
        self.rate, self.db, self.fail_at = rate, db, fail_at
        self.phrases: list[Phrase] = []
        self.words = 0
        self.stopped = 0

    async def synthesize(self, phrase: Phrase) -> AsyncIterator[Speech]:
        self.phrases.append(phrase)
        size = round(WORD_S * self.rate)
        amplitude = np.sqrt(2) * 10 ** ((self.db + phrase.tone.volume_db) / 20)
        hum = amplitude * np.sin(2 * np.pi * 400 * np.arange(size) / self.rate)
        try:
            for word in re.findall(r"\s*\S+\s*", phrase.text):
                await asyncio.sleep(0)
                if self.fail_at and self.fail_at in word:
                    raise EngineError("out of breath")
                self.words += 1
                yield Speech(hum.astype("f4"), self.rate, (SpokenWord(word, 0, size),))
        finally:
            self.stopped += 1

    async def close(self) -> None:
        pass


async def letters(text: str, size: int = 4) -> AsyncIterator[str]:
    for at in range(0, len(text), size):
        yield text[at : at + size]


async def spoken(speaker: Speaker, text: str, emotion: str = "neutral") -> list[Speech]:
    return [speech async for speech in speaker.speak(letters(text), emotion)]


async def drain(pieces: AsyncIterator[Speech]) -> None:
    async for _ in pieces:
        pass


def said(pieces: list[Speech]) -> str:
    return "".join(word.text for piece in pieces for word in piece.words)


def audio(pieces: list[Speech]) -> np.ndarray:
    return np.concatenate([piece.samples for piece in pieces])


def placed(pieces: list[Speech]) -> list[tuple[str, float, float]]:
    """Words with their times in seconds."""
    at, words = 0, []
    for piece in pieces:
        words += [
            (w.text, (at + w.start) / SPEAKING_RATE, (at + w.end) / SPEAKING_RATE)
            for w in piece.words
        ]
        at += piece.samples.size
    return words


@given(
    st.one_of(
        st.text(max_size=150),
        st.lists(
            st.sampled_from(
                "Yes. no, 😀 *sighs* **b** \n\n [a b](c) x.y https://a.b/c - 3.5 ok!".split(" ")
            ),
            max_size=40,
        ).map(" ".join),
    ),
    st.integers(1, 30),
)
@settings(max_examples=60, deadline=None)
def test_the_words_joined_are_the_reply_exactly(text: str, size: int) -> None:
    async def check() -> None:
        speaker = Speaker(Hummer(), -22)
        pieces = [s async for s in speaker.speak(letters(text, size), "happy")]
        assert said(pieces) == text
        playback = Playback(lambda: 0.0, 1.0)
        at = 0
        for piece in pieces:
            playback.add(piece)
            assert piece.rate == SPEAKING_RATE
            for word in piece.words:
                assert 0 <= word.start <= word.end
                assert word.start < piece.samples.size or word.start == word.end
            at += piece.samples.size
        assert playback.text == text

    asyncio.run(check())


async def test_words_lie_where_they_sound_and_pauses_between_phrases() -> None:
    text = "I hear you. Go on, please, dear friend. Why"
    words = placed(await spoken(Speaker(Hummer(), -22), text))
    assert [word for word, _, _ in words] == re.findall(r"\S+\s*", text)
    expected = [0.0, 0.1, 0.2, 0.6, 0.7, 0.8, 0.9, 1.0, 1.4]  # 0.3 s after each sentence
    assert [start for _, start, _ in words] == pytest.approx(expected, abs=0.002)
    assert all(end - start == pytest.approx(WORD_S, abs=0.001) for _, start, end in words)


async def test_the_tone_reaches_synthesizer_and_pauses() -> None:
    hummer = Hummer()
    text = "I hear you. Go on."
    neutral = audio(await spoken(Speaker(hummer, -22), text))
    comfort = audio(await spoken(Speaker(hummer, -22), text, "comfort"))
    assert [phrase.tone.emotion for phrase in hummer.phrases] == ["neutral"] * 2 + ["comfort"] * 2
    pause_change = (comfort.size - neutral.size) / SPEAKING_RATE
    assert pause_change == pytest.approx(0.3 * 0.3, abs=0.002)


@pytest.mark.parametrize("db", [-40.0, -30.0, -10.0])
@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000])
async def test_any_voice_speaks_at_the_level_wanted_from_the_first_piece(
    db: float, rate: int
) -> None:
    pieces = await spoken(Speaker(Hummer(rate, db), -22), "I hear you. Go on, please.")
    sounding = audio(pieces)
    assert level_db(sounding[: SPEAKING_RATE // 4]) == pytest.approx(-22, abs=0.7)
    assert np.abs(sounding).max() < 1


async def test_a_soft_tone_stays_softer_by_what_it_asks_for() -> None:
    speaker = Speaker(Hummer(), -22)
    neutral, sad = [
        level_db(audio(await spoken(speaker, "Go on please", emotion)))
        for emotion in ("neutral", "sad")
    ]
    assert neutral - sad == pytest.approx(3.0, abs=0.3)


@pytest.mark.parametrize("emotion", REPLY_EMOTIONS)
async def test_every_emotion_speaks(emotion: str) -> None:
    assert said(await spoken(Speaker(Hummer(), -22), "I hear you.", emotion)) == "I hear you."


async def test_the_first_audio_comes_before_the_text_is_complete() -> None:
    going_on = asyncio.Event()

    async def text() -> AsyncIterator[str]:
        yield "I hear you, "
        yield "and then "
        await going_on.wait()
        yield "more."

    pieces = Speaker(Hummer(), -22).speak(text(), "neutral")
    first = await anext(pieces)
    assert first.words[0].text == "I "
    assert first.samples.size > 0
    going_on.set()
    assert said([first, *[piece async for piece in pieces]]) == "I hear you, and then more."


async def test_work_ahead_is_bounded() -> None:
    taken = 0

    async def text() -> AsyncIterator[str]:
        nonlocal taken
        for _ in range(1000):
            taken += 1
            yield "This is it. "

    hummer = Hummer()
    pieces = Speaker(hummer, -22).speak(text(), "neutral")
    await anext(pieces)
    for _ in range(100):
        await asyncio.sleep(0)
    assert hummer.words <= 5  # no more than was needed to know the level of the voice
    assert taken <= 6
    async with aclosing(pieces):  # type: ignore[type-var]
        pass


async def test_closing_stops_synthesis_and_text() -> None:
    closed = False

    async def text() -> AsyncIterator[str]:
        nonlocal closed
        try:
            while True:
                yield "This is it. "
        finally:
            closed = True

    hummer = Hummer()
    pieces = Speaker(hummer, -22).speak(text(), "neutral")
    for _ in range(3):
        await anext(pieces)
    await pieces.aclose()  # type: ignore[attr-defined]
    assert closed
    assert hummer.stopped == len(hummer.phrases)


async def test_a_failing_synthesizer_is_told() -> None:
    pieces = Speaker(Hummer(fail_at="on"), -22).speak(letters("I see. Go on."), "neutral")
    assert said([await anext(pieces)]) == "I "
    with pytest.raises(EngineError, match="out of breath"):
        await drain(pieces)


async def test_failing_text_is_told_after_what_came_was_spoken() -> None:
    async def text() -> AsyncIterator[str]:
        yield "I hear you, and "
        raise EngineError("no more words")

    pieces = Speaker(Hummer(), -22).speak(text(), "neutral")
    begun = [await anext(pieces) for _ in range(3)]
    assert said(begun) == "I hear you, "
    with pytest.raises(EngineError, match="no more words"):
        await drain(pieces)


async def test_text_that_is_not_said_is_kept_in_the_words() -> None:
    hummer = Hummer()
    pieces = await spoken(Speaker(hummer, -22), "*smiles* Hello you. 😀\n\n😀 Bye now. 😀")
    assert said(pieces) == "*smiles* Hello you. 😀\n\n😀 Bye now. 😀"
    assert "".join(phrase.text for phrase in hummer.phrases) == "Hello you.Bye now."


async def test_a_reply_of_emoji_alone_has_text_but_no_audio() -> None:
    hummer = Hummer()
    pieces = await spoken(Speaker(hummer, -22), "😀 🎉")
    assert said(pieces) == "😀 🎉"
    assert audio(pieces).size == 0
    assert hummer.phrases == []


async def test_replies_at_the_same_time_do_not_mix() -> None:
    speaker = Speaker(Hummer(), -22)
    texts = [f"Reply number {n} is here. It has more." for n in range(5)]
    for text, pieces in zip(
        texts, await asyncio.gather(*(spoken(speaker, text) for text in texts)), strict=True
    ):
        assert said(pieces) == text
