import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_agent.audio.pcm import SPEAKING_RATE
from voice_agent.events import Speech, SpokenWord
from voice_agent.speaking.playback import Playback


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def speech(*words: tuple[str, float], silence: float = 0.0) -> Speech:
    """Words with their lengths in seconds, numbered samples as audio."""
    at, spoken = 0, []
    for text, seconds in words:
        size = round(seconds * SPEAKING_RATE)
        spoken.append(SpokenWord(text, at, at + size))
        at += size
    at += round(silence * SPEAKING_RATE)
    return Speech(np.arange(at, dtype=np.float32), SPEAKING_RATE, tuple(spoken))


def playing(lead_s: float = 0.4, *pieces: Speech) -> tuple[Playback, Clock]:
    clock = Clock()
    playback = Playback(clock, lead_s)
    for piece in pieces:
        playback.add(piece)
    return playback, clock


def seconds(pieces: list[Speech]) -> float:
    return sum(piece.samples.size for piece in pieces) / SPEAKING_RATE


def test_sends_as_far_ahead_as_allowed_and_no_further() -> None:
    playback, clock = playing(0.4, speech(("one ", 1.0), ("two", 1.0)))
    assert seconds(playback.due()) == pytest.approx(0.4)
    assert playback.due() == []
    clock.now += 0.1
    assert seconds(playback.due()) == pytest.approx(0.08)  # two whole pieces of 40 ms
    clock.now += 0.1
    assert seconds(playback.due()) == pytest.approx(0.12)
    assert playback.sent_s == pytest.approx(0.6)
    assert playback.played_s == pytest.approx(0.2)


def test_what_was_sent_is_what_was_added() -> None:
    audio = speech(("one ", 0.5), ("two", 0.313))
    playback, clock = playing(0.1, audio)
    playback.finish()
    sent: list[Speech] = []
    while not playback.done:
        sent += playback.due()
        clock.now += 0.015
    assert all(piece.samples.size <= 0.04 * SPEAKING_RATE for piece in sent)
    np.testing.assert_array_equal(np.concatenate([p.samples for p in sent]), audio.samples)
    assert [word.text for piece in sent for word in piece.words] == ["one ", "two"]
    at = 0
    for piece in sent:
        for word in piece.words:
            assert 0 <= word.start < piece.samples.size
            assert SpokenWord(word.text, at + word.start, at + word.end) in audio.words
        at += piece.samples.size


def test_the_clock_of_playback_starts_with_the_first_piece() -> None:
    playback, clock = playing()
    clock.now += 5
    assert playback.due() == []
    assert playback.played_s == 0
    playback.add(speech(("one", 1.0)))
    clock.now += 5
    playback.due()
    assert playback.played_s == 0
    clock.now += 0.25
    assert playback.played_s == pytest.approx(0.25)


def test_late_audio_does_not_count_as_heard() -> None:
    playback, clock = playing(0.4, speech(("one ", 0.3)))
    playback.due()
    clock.now += 2
    assert playback.played_s == pytest.approx(0.3)
    playback.add(speech(("two", 0.5)))
    assert playback.played_s == pytest.approx(0.3)
    assert playback.next_due() == 0
    playback.due()
    clock.now += 0.1
    assert playback.played_s == pytest.approx(0.4)


def test_a_listener_that_holds_its_buffer_loses_and_repeats_nothing() -> None:
    playback, clock = playing(0.4, speech(("one ", 1.0), ("two", 1.0)))
    playback.due()
    clock.now += 0.3
    assert playback.pause() == pytest.approx(0.3)
    clock.now += 10
    assert playback.played_s == pytest.approx(0.3)
    assert playback.due() == []
    assert playback.next_due() is None
    sent = playback.sent_s
    playback.resume()
    assert playback.played_s == pytest.approx(0.3)
    assert seconds(playback.due()) == pytest.approx(0.7 - sent, abs=0.04)
    clock.now += 0.1
    assert playback.played_s == pytest.approx(0.4)


def test_a_listener_that_plays_on_hears_what_was_sent() -> None:
    playback, clock = playing(0.4, speech(("one ", 1.0), ("two", 1.0)))
    playback.due()
    clock.now += 0.1
    assert playback.pause(held=False) == pytest.approx(0.1)
    clock.now += 0.2
    assert playback.played_s == pytest.approx(0.3)
    assert playback.due() == []
    clock.now += 10
    assert playback.played_s == pytest.approx(0.4)
    playback.resume()
    assert seconds(playback.due()) == pytest.approx(0.4)
    clock.now += 0.1
    assert playback.played_s == pytest.approx(0.5)


def test_a_pause_before_the_first_piece_holds_everything() -> None:
    playback, clock = playing(0.4, speech(("one", 1.0)))
    assert playback.pause() == 0
    assert playback.due() == []
    clock.now += 3
    playback.resume()
    assert playback.played_s == 0
    assert seconds(playback.due()) == pytest.approx(0.4)


def test_pausing_and_resuming_twice_is_harmless() -> None:
    playback, clock = playing(0.4, speech(("one", 1.0)))
    playback.due()
    clock.now += 0.1
    playback.pause()
    clock.now += 1
    assert playback.pause() == pytest.approx(0.1)
    playback.resume()
    clock.now += 0.1
    playback.resume()
    assert playback.played_s == pytest.approx(0.2)


def test_done_when_complete_and_heard() -> None:
    playback, clock = playing(1.0, speech(("one", 0.5)))
    playback.due()
    clock.now += 0.6
    assert not playback.done  # more may come
    assert playback.next_due() is None
    playback.finish()
    assert playback.done
    assert playback.heard() == playback.text == "one"


def test_the_timer_leads_to_the_end() -> None:
    playback, clock = playing(0.2, speech(("one ", 0.51), ("two", 0.333)))
    playback.finish()
    waits = 0
    while not playback.done:
        playback.due()
        wait = playback.next_due()
        assert wait is not None
        clock.now += wait
        waits += 1
    assert playback.next_due() is None
    assert clock.now == pytest.approx(100.843, abs=0.001)
    assert waits < 30


def test_an_empty_reply_is_done_at_once() -> None:
    playback, _ = playing()
    assert not playback.done
    playback.finish()
    assert playback.done
    assert playback.due() == []
    assert playback.heard() == playback.text == ""


def test_a_word_was_heard_when_half_of_it_was_played() -> None:
    playback, clock = playing(5.0, speech(("one ", 0.4), ("two ", 0.4), silence=0.2))
    playback.add(speech(("three", 0.4)))
    playback.due()
    for now, heard in [
        (0.0, ""),
        (0.19, ""),
        (0.21, "one "),
        (0.59, "one "),
        (0.61, "one two "),
        (1.19, "one two "),
        (1.21, "one two three"),
    ]:
        assert playback.heard(now) == heard
        clock.now = 100 + now
        assert playback.heard() == heard


def test_a_word_whose_audio_goes_on_in_later_pieces() -> None:
    playback, _ = playing()
    long = SpokenWord("long", 0, SPEAKING_RATE)
    playback.add(Speech(np.zeros(SPEAKING_RATE // 4, dtype="f4"), SPEAKING_RATE, (long,)))
    playback.add(Speech(np.zeros(3 * SPEAKING_RATE // 4, dtype="f4"), SPEAKING_RATE))
    assert playback.heard(0.3) == ""
    assert playback.heard(0.6) == "long"


def test_text_without_sound_is_heard_with_what_is_around_it() -> None:
    playback, clock = playing(5.0, speech(("😀", 0.0), ("one", 0.4), (" 😀", 0.0)))
    playback.finish()
    playback.due()
    assert playback.heard() == ""
    clock.now += 1
    assert playback.heard() == "😀one 😀"


def test_what_cannot_be_played_is_refused() -> None:
    playback, _ = playing()
    with pytest.raises(ValueError, match="24000 Hz"):
        playback.add(Speech(np.zeros(10, dtype="f4"), 16_000))
    playback.finish()
    with pytest.raises(ValueError, match="finished"):
        playback.add(speech(("one", 0.1)))
    with pytest.raises(ValueError, match="lead"):
        Playback(Clock(), 0)


ACTIONS = st.one_of(
    st.tuples(st.just("wait"), st.floats(0, 1.5)),
    st.tuples(st.just("add"), st.integers(0, 30_000)),
    st.tuples(st.sampled_from(["due", "hold", "play on", "resume"]), st.none()),
)


@given(st.lists(ACTIONS, max_size=60), st.floats(0.02, 3))
@settings(deadline=None)
def test_the_position_only_grows_and_never_passes_what_was_sent(
    actions: list[tuple[str, float | int | None]], lead_s: float
) -> None:
    clock = Clock()
    playback = Playback(clock, lead_s)
    before, held = 0.0, False
    sent = 0
    for action, value in actions:
        if action == "wait":
            clock.now += value or 0
        elif action == "add":
            size = int(value or 0)
            word = SpokenWord(f"w{size} ", 0, size)
            playback.add(Speech(np.zeros(size, dtype="f4"), SPEAKING_RATE, (word,)))
        elif action == "due":
            pieces = playback.due()
            assert not (pieces and playback.paused)
            sent += sum(piece.samples.size for piece in pieces)
            if pieces:
                assert playback.sent_s <= playback.played_s + lead_s + 1e-3
        elif action == "resume":
            playback.resume()
            held = False
        else:
            playback.pause(held=action == "hold")
            held = action == "hold"
        played = playback.played_s
        assert before <= played <= playback.sent_s + 1e-9 <= playback.length_s + 2e-9
        assert playback.sent_s == sent / SPEAKING_RATE
        assert playback.text.startswith(playback.heard())
        assert len(playback.heard(before)) <= len(playback.heard(played))
        if held and action in ("wait", "add", "due"):
            assert played == before
        before = played
    # Whatever happened, it can be played to the end.
    playback.resume()
    playback.finish()
    for _ in range(10_000):
        playback.due()
        if playback.done:
            break
        clock.now += playback.next_due() or 0
    assert playback.done
    assert playback.heard() == playback.text


def test_a_stopped_reply_gives_up_its_audio_and_keeps_its_words() -> None:
    playback, clock = playing(0.4, speech(("one ", 0.3), ("two ", 0.3), ("three", 0.3)))
    playback.due()
    clock.now += 0.35
    playback.due()
    playback.stop()
    clock.now += 5
    assert playback.due() == []
    assert playback.played_s == pytest.approx(0.35)
    assert playback.heard() == "one "
    assert playback.heard(0.6) == "one two "
    assert playback.length_s == pytest.approx(0.9)
