"""What is made of a voice's audio, with a voice that says a tone a word."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from voice_agent.events import Phrase, Speech, Tone
from voice_agent.speaking.synthesizers.coqui.rendering import render
from voice_agent.speaking.synthesizers.coqui.sentences import Sentence
from voice_agent.speaking.synthesizers.coqui.voice import Sound

RATE = 1000
WORD = 100
SILENCE = np.zeros(300, np.float32)


class Toneless:
    """Says each word as 0.1 s at half of full scale, after and before 0.3 s of silence.

    Words named in ``mute`` are silent.
    """

    rate, limit, language = RATE, 200, "en"

    def __init__(self, mute: Sequence[str] = (), styles: Sequence[str] = ()) -> None:
        self.mute, self.styles = mute, styles
        self.asked: list[tuple[str, float]] = []

    def has_style(self, emotion: str) -> bool:
        return emotion in self.styles

    def say(
        self, sentence: Sentence, emotion: str, speed: float, seed: int
    ) -> Iterator[Sound | None]:
        self.asked.append((sentence.said, speed))
        yield Sound(SILENCE)
        for at, word in enumerate(sentence.words):
            yield None
            loud = 0.0 if word.said.strip(" .") in self.mute else 0.5
            yield Sound(np.full(WORD, loud, np.float32), [SILENCE.size + at * WORD])
        yield Sound(SILENCE)


def rendered(voice: Toneless, text: str, **tone: float) -> list[Speech]:
    return [piece for piece in render(voice, Phrase(text, Tone(**tone)), 0) if piece]


def audio(pieces: list[Speech]) -> np.ndarray:
    return np.concatenate([piece.samples for piece in pieces])


def placed(pieces: list[Speech]) -> list[tuple[str, int, int]]:
    """The words with where they lie in all of the audio."""
    found, at = [], 0
    for piece in pieces:
        found.extend((word.text, at + word.start, at + word.end) for word in piece.words)
        at += piece.samples.size
    return found


def test_silence_at_both_ends_is_left_out_and_words_move_along() -> None:
    pieces = rendered(Toneless(), "one two three")
    assert placed(pieces) == [("one ", 0, 100), ("two ", 100, 200), ("three", 200, 300)]
    assert audio(pieces).size == 3 * WORD + 50  # of the silence after it, a breath stays


def test_silence_within_a_sentence_stays() -> None:
    pieces = rendered(Toneless(mute=["two"]), "one two three")
    assert audio(pieces).size == 3 * WORD + 50
    assert placed(pieces) == [("one ", 0, 100), ("two ", 100, 200), ("three", 200, 300)]


def test_sentences_have_a_pause_between_them_as_long_as_the_tone_wants() -> None:
    text = "This is the first. This is the second."
    plain, slow = (rendered(Toneless(), text, pause=pause) for pause in (1.0, 2.0))
    assert audio(slow).size - audio(plain).size == 250
    assert "".join(word for word, *_ in placed(plain)) == text


def test_a_sentence_that_came_out_silent_goes_with_the_next_or_the_end() -> None:
    text = "Well, this one. Is this all? No."
    mute = ["Is", "this", "all?"]
    pieces = rendered(Toneless(mute=mute), text.replace("this one", "that one"))
    words = [word for word, *_ in placed(pieces)]
    assert "".join(words) == text.replace("this one", "that one")
    assert rendered(Toneless(mute=["mm"]), "mm")[0].words[0].text == "mm"


def test_nothing_to_say_gives_nothing() -> None:
    assert rendered(Toneless(), " … ") == []


@pytest.mark.parametrize("db", [-6.0, 3.0, 40.0])
def test_volume_is_a_gain_that_never_overdrives(db: float) -> None:
    loudest = np.abs(audio(rendered(Toneless(), "one two", volume_db=db))).max()
    assert loudest == pytest.approx(min(1.0, 0.3 * 10 ** (db / 20)), rel=0.01)


def test_a_higher_voice_is_the_same_audio_at_a_higher_rate_said_slower() -> None:
    voice = Toneless()
    (plain, *_), (high, *_) = rendered(voice, "one two"), rendered(voice, "one two", pitch_st=2.0)
    assert high.rate == pytest.approx(plain.rate * 2 ** (2 / 12), abs=1)
    (_, normal), (_, slower) = voice.asked
    assert slower == pytest.approx(normal / 2 ** (2 / 12))


def test_a_style_of_its_own_is_asked_for_without_a_shift() -> None:
    voice = Toneless(styles=["sad"])
    tone = Tone("sad", rate=0.81, pitch_st=-2.0)
    pieces = [piece for piece in render(voice, Phrase("one two", tone), 0) if piece]
    assert {piece.rate for piece in pieces} == {RATE}
    assert voice.asked == [("one two", pytest.approx(0.9))]
