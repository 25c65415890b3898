"""What the embedded turn detector makes of pauses, and how long the ear then waits."""

import numpy as np
import pytest

from voice_agent.events import Pause
from voice_agent.hearing.endpointing import Endpointer
from voice_agent.hearing.turn_detectors.embedded import EmbeddedTurnDetector
from voice_agent.settings import Endpointing


@pytest.fixture
async def detector() -> EmbeddedTurnDetector:
    return await EmbeddedTurnDetector.create(EmbeddedTurnDetector.Options())


def pause(text: str, speech_s: float = 2.0) -> Pause:
    none = np.zeros(0, np.float32)
    return Pause(0.2, speech_s, 0.0, text, 0.0, 0.0, 0.0, 0.0, 0.2, none)


def wait_ms(detector, text, speech_s=2.0, **settings) -> float:
    endpointer = Endpointer(Endpointing(**settings), detector)
    return endpointer.wait_ms(detector.completion(pause(text, speech_s)))


@pytest.mark.parametrize(
    "answer", ["yes", "no", "yeah", "okay", "no thanks", "not really", "thank you", "of course"]
)
def test_short_answers_are_answered_soon(detector, answer):
    assert wait_ms(detector, answer, 0.4) <= 450


@pytest.mark.parametrize("start", ["and", "well", "i", "because", "yes but", "i think the"])
def test_the_beginning_of_something_is_waited_for(detector, start):
    assert wait_ms(detector, start, 0.6) >= 750


def test_words_that_ask_for_more_are_waited_for_however_long_the_turn(detector):
    story = "i went to the lake with my sister and it was raining all day"
    assert wait_ms(detector, f"{story} because the", 8) > wait_ms(detector, story, 8) + 200


def test_waits_are_bearable_whatever_was_said(detector):
    for speech_s in (0.1, 0.5, 1, 2, 4, 8, 100):
        for text in ("", "the", "yes", "i feel so alone", "漢字", "a " * 300):
            assert 200 <= wait_ms(detector, text, speech_s) <= 900


def test_later_pauses_are_likelier_to_be_the_end(detector):
    waits = [wait_ms(detector, "so we saw the house", seconds) for seconds in (2, 3, 4, 5, 6, 7)]
    assert waits == sorted(waits, reverse=True)
    assert waits[0] > waits[-1] + 200


def test_unknown_words_are_neither_finished_nor_unfinished(detector):
    assert detector.completion(pause("", 2)) == detector.completion(pause("漢字", 2))
    assert 0.3 < detector.completion(pause("", 2)) < 0.7
