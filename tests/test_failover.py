"""Where an engine fails, the next one goes on where it was."""

import asyncio
from itertools import pairwise

import numpy as np
import pytest
from failing_engines import Ears, Reader, Voice, words
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.audio.pcm import HEARING_RATE, SPEAKING_RATE, Samples, level_db
from voice_agent.errors import EngineError, Overloaded
from voice_agent.events import EngineSwitched, Hypothesis, Manner, Phrase, Tone
from voice_agent.hearing.paralinguistics.chain import ChainedReading
from voice_agent.hearing.recognition import Recognition
from voice_agent.hearing.recognizers.chain import ChainedRecognition
from voice_agent.lineup import LONGEST_REST_S, REST_S, Lineup
from voice_agent.speaking.speaker import Speaker
from voice_agent.speaking.synthesizers.chain import ChainedVoice

CHUNK = HEARING_RATE // 10
PATIENCE_S = 0.05
TROUBLES = ["error", "bug"]


def chunk(number: int) -> Samples:
    """A tenth of a second that can be told from others."""
    return np.full(CHUNK, number / 1000, np.float32)


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Scene:
    """Engines in a line, the time, and who was told of what."""

    def __init__(self, kind, *engines) -> None:
        self.clock = Clock()
        self.lineup = Lineup(kind, engines, self.clock, PATIENCE_S)
        self.told: list[EngineSwitched] = []

    @property
    def switches(self) -> list[tuple[str, str]]:
        return [(one.failed, one.instead) for one in self.told]

    async def ears(self, longest_s: float = 120.0) -> ChainedRecognition:
        return await ChainedRecognition.open(self.lineup, self.told.append, longest_s)

    async def reading(self) -> ChainedReading:
        return await ChainedReading.open(self.lineup, self.told.append)

    def voice(self) -> ChainedVoice:
        return ChainedVoice(self.lineup, self.told.append)


# --- who is asked -----------------------------------------------------------------------------


def test_an_engine_that_failed_rests_ever_longer_until_it_is_back() -> None:
    first, last = Voice("first"), Voice("last")
    scene = Scene("synthesizer", first, last)
    rests = []
    for _ in range(7):
        scene.lineup.failed(first, EngineError("gone"))
        began = scene.clock.now
        while scene.lineup.first is not first:
            scene.clock.now += 1.0
        rests.append(scene.clock.now - began)
    assert rests[:3] == [REST_S, 2 * REST_S, 4 * REST_S]
    assert rests[-1] == LONGEST_REST_S
    scene.lineup.answered(first)
    scene.lineup.failed(first, EngineError("gone"))
    scene.clock.now += REST_S
    assert scene.lineup.first is first


def test_what_fails_in_many_sessions_at_once_has_failed_once() -> None:
    first, last = Voice("first"), Voice("last")
    scene = Scene("synthesizer", first, last)
    for _ in range(16):
        scene.lineup.failed(first, EngineError("gone"))
    assert scene.lineup.resting == ("first",)
    scene.clock.now = REST_S
    assert scene.lineup.resting == ()
    assert scene.lineup.fit() == (first, last)


def test_the_last_engine_is_asked_however_often_it_failed() -> None:
    first, last = Voice("first"), Voice("last")
    scene = Scene("synthesizer", first, last)
    assert scene.lineup.failed(first, ZeroDivisionError()) == EngineSwitched(
        "synthesizer", "first", "last", "ZeroDivisionError"
    )
    assert scene.lineup.failed(last, EngineError("gone")) is None
    assert scene.lineup.fit() == (last,)
    assert scene.lineup.resting == ("first", "last")
    scene.lineup.answered(last)
    assert scene.lineup.resting == ("first",)


async def test_nobody_gives_up_on_the_last_engine() -> None:
    first, last = Voice("first"), Voice("last")
    lineup = Scene("synthesizer", first, last).lineup
    now = asyncio.get_running_loop().time()
    assert lineup.patience(first, 3.0).when() == pytest.approx(now + PATIENCE_S + 3.0, abs=0.1)
    assert lineup.patience(last, 3.0).when() is None


async def test_all_are_closed_whatever_one_of_them_says_to_that() -> None:
    class Stubborn(Voice):
        async def close(self) -> None:
            raise RuntimeError("no")

    closed = []

    class Last(Voice):
        async def close(self) -> None:
            closed.append(self.name)

    await Lineup("synthesizer", [Stubborn("first"), Last("last")]).close()
    assert closed == ["last"]


# --- hearing what is said ---------------------------------------------------------------------

TEXT = "one two three four five six seven eight nine ten"


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("breaks", ["feed", "settle"])
async def test_the_next_recognizer_hears_the_whole_turn(breaks: str, trouble: str) -> None:
    first, second = Ears("first", "never mind", breaks, trouble), Ears("second", TEXT)
    scene = Scene("recognizer", first, second)
    stream = await scene.ears()
    turn = [chunk(number) for number in range(20)]
    for samples in turn:
        await stream.feed(samples)
    assert (await stream.settle()).text == TEXT
    (heard,) = second.turns
    assert np.array_equal(np.concatenate(heard), np.concatenate(turn))
    assert scene.switches == [("first", "second")]
    assert stream.name == "second"
    await stream.close()
    assert (first.open_streams, second.open_streams) == (0, 0)


@pytest.mark.parametrize("breaks", ["feed", "settle"])
async def test_a_recognizer_that_stays_silent_for_too_long_has_failed(breaks: str) -> None:
    first, second = Ears("first", TEXT, breaks, "hang", after_s=0.2), Ears("second", TEXT)
    scene = Scene("recognizer", first, second)
    stream = await scene.ears()
    await stream.feed(chunk(1))
    await stream.feed(chunk(2))
    assert (await stream.settle()).text == "one"
    assert scene.told[0].reason == "it did not answer in time"


async def test_it_hears_on_after_a_pause_and_in_the_next_turn() -> None:
    first, second = Ears("first", TEXT, "settle"), Ears("second", TEXT)
    stream = await Scene("recognizer", first, second).ears()
    await stream.feed(chunk(1))
    await stream.feed(chunk(2))
    assert (await stream.settle()).text == "one"
    await stream.feed(np.concatenate([chunk(3), chunk(4)]))
    assert (await stream.settle()).text == "one two"
    await stream.reset()
    assert (await stream.feed(chunk(5))).text == ""
    assert len(second.turns) == 2


async def test_a_later_turn_is_heard_by_the_first_again() -> None:
    first, second = Ears("first", TEXT, "feed", after_s=0.0), Ears("second", "other words")
    scene = Scene("recognizer", first, second)
    stream = await scene.ears()
    await stream.feed(chunk(1))
    first.breaks = ""
    await stream.reset()
    await stream.feed(chunk(2))
    assert stream.name == "second"
    scene.clock.now = REST_S
    assert (await stream.feed(chunk(3))).text == "other"  # not in the midst of a turn
    await stream.reset()
    assert stream.name == "first"
    assert (await stream.feed(np.concatenate([chunk(4), chunk(5)]))).text == "one"
    await stream.close()
    assert (first.open_streams, second.open_streams) == (0, 0)
    assert scene.switches == [("first", "second")]


async def test_streams_of_other_sessions_stay_where_they_are() -> None:
    first, second = Ears("first", TEXT), Ears("second", "other words")
    scene = Scene("recognizer", first, second)
    unlucky, other = await scene.ears(), await scene.ears()
    await other.feed(chunk(1))
    first.breaks, first.after_s = "feed", 0.0
    await unlucky.feed(chunk(1))
    first.breaks = ""
    assert (await other.feed(chunk(2))).text == "one"
    await other.reset()
    assert (unlucky.name, other.name) == ("second", "first")


async def test_where_no_recognizer_can_hear_it_says_so_and_tries_again_at_the_next_turn() -> None:
    first = Ears("first", TEXT, "feed", after_s=0.0)
    second = Ears("second", TEXT, "feed", "bug", after_s=0.0)
    scene = Scene("recognizer", first, second)
    stream = await scene.ears()
    with pytest.raises(EngineError, match="second failed"):
        await stream.feed(chunk(1))
    second.breaks = ""
    await stream.reset()
    assert (await stream.feed(np.concatenate([chunk(1), chunk(2)]))).text == "one"


async def test_one_that_cannot_be_opened_is_passed_over() -> None:
    first, second = Ears("first", TEXT, "open", "hang"), Ears("second", TEXT)
    stream = await Scene("recognizer", first, second).ears()
    assert stream.name == "second"
    second.breaks, first.breaks = "reset", ""
    await stream.feed(chunk(1))
    await stream.reset()
    assert (await stream.feed(np.concatenate([chunk(1), chunk(2)]))).text == "one"


async def test_who_is_full_is_passed_over_and_does_not_rest() -> None:
    first, second = Ears("first", TEXT, room=1), Ears("second", TEXT, room=1)
    scene = Scene("recognizer", first, second)
    one, two = await scene.ears(), await scene.ears()
    assert (one.name, two.name) == ("first", "second")
    with pytest.raises(Overloaded):
        await scene.ears()
    await one.close()
    await two.reset()
    assert two.name == "first"
    assert scene.lineup.resting == ()


async def test_it_tells_who_really_took_over() -> None:
    engines = Ears("first", TEXT, "settle"), Ears("second", TEXT, "open"), Ears("third", TEXT)
    scene = Scene("recognizer", *engines)
    stream = await scene.ears()
    await stream.feed(chunk(1))
    await stream.settle()
    assert scene.switches == [("first", "third")]


async def test_of_a_turn_without_end_the_newest_audio_is_kept() -> None:
    first, second = Ears("first", TEXT, "settle"), Ears("second", TEXT)
    stream = await Scene("recognizer", first, second).ears(longest_s=0.5)
    for number in range(50):
        await stream.feed(chunk(number))
    await stream.settle()
    heard = np.concatenate(second.turns[0])
    assert np.array_equal(heard, np.concatenate([chunk(number) for number in range(45, 50)]))


@given(
    at=st.integers(0, 29),
    before=st.lists(st.sampled_from(["one", "two", "tree", "for"]), min_size=20, max_size=20),
)
async def test_confirmed_words_are_never_taken_back(at: int, before: list[str]) -> None:
    first = Ears("first", " ".join(before), "feed", after_s=at / 10)
    stream = await Scene("recognizer", first, Ears("second", TEXT)).ears()
    partials: list[Hypothesis] = []
    failures: list[Exception] = []
    recognition = Recognition(stream, partials.append, failures.append)
    for number in range(30):
        recognition.add(chunk(number))
        while not recognition.idle:  # noqa: ASYNC110
            await asyncio.sleep(0)
    final = await recognition.settle()
    await recognition.close()
    assert failures == []
    assert final.text == TEXT
    confirmed = [partial.stable.split() for partial in partials]
    for earlier, later in pairwise(confirmed):
        assert later[: len(earlier)] == earlier


# --- hearing how it is said -------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [*TROUBLES, "hang"])
async def test_the_next_analyzer_reads_the_turn(trouble: str) -> None:
    first, second = Reader("first", "happy", True, trouble), Reader("second", "sad")
    scene = Scene("paralinguistics", first, second)
    stream = await scene.reading()
    manner = Manner(speech_s=0.1)
    both = await asyncio.gather(*(stream.analyze(chunk(1), manner) for _ in range(2)))
    assert [reading.emotion for reading in both] == [{"sad": 1.0}] * 2
    assert both[0].manner is manner
    await stream.learn(chunk(1))
    assert len(second.learnt) == 1
    assert scene.lineup.resting == ("first",)
    first.breaks = False
    scene.clock.now = REST_S
    assert (await stream.analyze(chunk(1), manner)).emotion == {"happy": 1.0}
    await stream.close()
    assert (first.open_streams, second.open_streams) == (0, 0)


async def test_an_analyzer_with_too_much_to_do_is_passed_over_and_does_not_rest() -> None:
    first, second = Reader("first", "happy", full=True), Reader("second", "sad")
    scene = Scene("paralinguistics", first, second)
    stream = await scene.reading()
    assert (await stream.analyze(chunk(1), Manner())).emotion == {"sad": 1.0}
    first.full = False
    assert (await stream.analyze(chunk(1), Manner())).emotion == {"happy": 1.0}
    assert scene.told == []
    first.full = second.full = True
    with pytest.raises(Overloaded):
        await stream.analyze(chunk(1), Manner())


async def test_a_conversation_begins_without_an_analyzer_that_opens_no_stream() -> None:
    first, second = Reader("first", "happy", True, "open"), Reader("second", "sad")
    scene = Scene("paralinguistics", first, second)
    stream = await scene.reading()
    assert stream.name == "second"
    assert (await stream.analyze(chunk(1), Manner())).emotion == {"sad": 1.0}
    assert scene.told == []


async def test_where_no_analyzer_can_read_it_says_so() -> None:
    scene = Scene("paralinguistics", Reader("first", "sad", True), Reader("second", "sad", True))
    stream = await scene.reading()
    with pytest.raises(EngineError):
        await stream.analyze(chunk(1), Manner())
    assert scene.switches == [("first", "second")]


# --- speaking ---------------------------------------------------------------------------------

PHRASE = "I hear you, and that sounds really hard."


async def say(voice: ChainedVoice, text: str = PHRASE):
    return [piece async for piece in voice.synthesize(Phrase(text, Tone()))]


def told(pieces) -> str:
    return "".join(word.text for piece in pieces for word in piece.words)


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("at", [0, 3, 7])
async def test_the_next_synthesizer_says_the_rest_of_the_phrase(at: int, trouble: str) -> None:
    first, second = Voice("first", breaks_at=at, trouble=trouble), Voice("second")
    scene = Scene("synthesizer", first, second)
    pieces = await say(scene.voice())
    assert told(pieces) == PHRASE
    assert first.said + second.said == words(PHRASE)
    assert [piece.voice for piece in pieces] == ["first"] * at + ["second"] * (8 - at)
    assert scene.switches == [("first", "second")]
    assert first.closed == second.closed == 1


async def test_a_synthesizer_that_stays_silent_for_too_long_has_failed() -> None:
    first, second = Voice("first", breaks_at=1, trouble="hang"), Voice("second")
    scene = Scene("synthesizer", first, second)
    assert told(await say(scene.voice(), "I do.")) == "I do."
    assert second.said == ["do."]
    assert first.closed == 1


async def test_a_word_that_was_cut_is_said_again_and_told_once() -> None:
    first, second = Voice("first", breaks_at=3, overlap=0.5), Voice("second")
    pieces = await say(Scene("synthesizer", first, second).voice())
    assert told(pieces) == PHRASE
    assert first.said == ["I ", "hear ", "you, "]
    assert second.said == words("you, and that sounds really hard.")
    assert [word.text for word in pieces[2].words] == ["you, "]
    assert pieces[3].words == ()


async def test_the_following_phrases_are_said_by_the_one_that_took_over() -> None:
    first, second = Voice("first", breaks_at=2), Voice("second")
    scene = Scene("synthesizer", first, second)
    voice = scene.voice()
    await say(voice)
    assert {piece.voice for piece in await say(voice)} == {"second"}
    assert len(first.phrases) == 1
    first.breaks_at = None
    scene.clock.now = REST_S
    assert {piece.voice for piece in await say(voice)} == {"first"}


async def test_when_all_was_said_before_it_failed_nothing_is_said_twice() -> None:
    class Late(Voice):
        async def synthesize(self, phrase):
            async for piece in super().synthesize(phrase):
                yield piece
            raise EngineError("gone")

    first, second = Late("first"), Voice("second")
    scene = Scene("synthesizer", first, second)
    assert told(await say(scene.voice())) == PHRASE
    assert second.phrases == []
    assert scene.lineup.resting == ("first",)


async def test_where_nobody_can_speak_it_says_so() -> None:
    second = Voice("second", breaks_at=1, trouble="bug")
    scene = Scene("synthesizer", Voice("first", breaks_at=2), second)
    with pytest.raises(EngineError, match="second failed"):
        await say(scene.voice())
    assert second.said == ["you, "]


async def test_who_stops_listening_stops_the_engine_at_once() -> None:
    first = Voice("first")
    pieces = Scene("synthesizer", first, Voice("second")).voice().synthesize(Phrase(PHRASE))
    await anext(pieces)
    await pieces.aclose()
    assert first.closed == 1


@given(
    text=st.text(st.sampled_from("ab .,é漢 "), max_size=30),
    breaks=st.lists(st.integers(0, 6), max_size=3),
    overlap=st.sampled_from([0.0, 0.3, 0.9]),
)
async def test_every_word_is_said_and_told_once(text: str, breaks: list[int], overlap: float):
    voices = [Voice(f"voice {at}", breaks_at=at, overlap=overlap) for at in breaks]
    pieces = await say(Scene("synthesizer", *voices, Voice("last")).voice(), text)
    # For white space alone at the end nobody else is asked.
    assert told(pieces).rstrip() == text.rstrip()
    for piece in pieces:
        assert all(word.start < piece.samples.size for word in piece.words)


async def test_another_voice_comes_at_the_same_level_and_in_time() -> None:
    first = Voice("first", level_db=-40, breaks_at=10)
    second = Voice("second", level_db=-12, rate=16_000)
    scene = Scene("synthesizer", first, second)
    speaker = Speaker(scene.voice(), -22.0)

    async def text():
        yield " ".join(f"word{count}" for count in range(20))

    pieces = [piece async for piece in speaker.speak(text(), "neutral")]
    assert scene.switches == [("first", "second")]
    audio = np.concatenate([piece.samples for piece in pieces])
    assert audio.size / SPEAKING_RATE == pytest.approx(4.0, abs=0.05)
    before, after = np.split(audio, [2 * SPEAKING_RATE])
    assert level_db(before) == pytest.approx(-22.0, abs=1.0)
    assert level_db(after) == pytest.approx(-22.0, abs=1.0)
    at = 0
    for piece in pieces:
        for word in piece.words:
            number = int(word.text.removeprefix("word"))
            assert (at + word.start) / SPEAKING_RATE == pytest.approx(0.2 * number, abs=0.03)
        at += piece.samples.size
