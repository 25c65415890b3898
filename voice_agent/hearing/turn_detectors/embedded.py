"""The turn detector that needs no download: the words, and how much was said before the pause."""

from math import exp, log
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict

from voice_agent.events import Pause
from voice_agent.hearing.turn_detectors.words import WordModel
from voice_agent.shipped import shipped

# Log odds of a turn being over, fitted on pauses in recordings (see models/turn_end/README.md).
# Where two kinds of evidence speak for an end the stronger one counts: they are not independent.
_AT_LEAST = 0.28
_AT_MOST = 1.62
_AFTER_3_S = 0.0
_PER_LOG_SECOND = 2.27
_SPEECH_S = (0.5, 7.0)
_PER_WORD_ODDS = 1.21
_WORDS_FROM, _WORDS_AT_MOST = 0.7, 1.36
_ANSWER_FROM, _ANSWER_AT_MOST = 0.0, 1.44
_ANSWER_S = 1.2
_UNFINISHED_FROM = -1.0
_PER_UNFINISHED_ODDS = 1.0


class EmbeddedTurnDetector:
    """Weighs whether the words sound finished and how long the person has been speaking.

    The first pauses of somebody who tells a story are seldom its end, the later ones more often.
    A short turn is over soon where its words are an answer. Words that ask for more, such as
    "because", hold the turn open however long it has lasted. Pitch and level at the end were
    measured too: across speakers they told ends from pauses no better than chance.
    """

    class Options(BaseModel):
        """It has none."""

        model_config = ConfigDict(extra="forbid", frozen=True)

    name: ClassVar[str] = "embedded"

    def __init__(self, words: WordModel) -> None:
        self._words = words

    @classmethod
    async def create(cls, options: Options) -> Self:
        """Loads the word model.

        Raises:
            EngineUnavailable: Its file is missing.
        """
        return cls(WordModel.load(shipped("models") / "turn_end" / "words.npz"))

    async def close(self) -> None:
        """Holds nothing."""

    def completion(self, pause: Pause) -> float:
        """Probability in [0, 1] that the person has finished."""
        words = self._words.log_odds(pause.text)
        odds = max(_AT_LEAST, _spoken_long(pause.speech_s), _sounds_finished(words, pause.speech_s))
        odds -= _PER_UNFINISHED_ODDS * max(0.0, _UNFINISHED_FROM - words)
        return 1.0 / (1.0 + exp(-min(odds, _AT_MOST)))


def _spoken_long(speech_s: float) -> float:
    shortest, longest = _SPEECH_S
    return _AFTER_3_S + _PER_LOG_SECOND * log(min(max(speech_s, shortest), longest) / 3)


def _sounds_finished(words: float, speech_s: float) -> float:
    """A few words may be an answer on their own; of a longer turn more is asked."""
    answer = min(_ANSWER_AT_MOST, _AT_LEAST + _PER_WORD_ODDS * max(0.0, words - _ANSWER_FROM))
    sentence = min(_WORDS_AT_MOST, _AT_LEAST + _PER_WORD_ODDS * max(0.0, words - _WORDS_FROM))
    longer = min(1.0, max(0.0, speech_s - _ANSWER_S))
    return answer + longer * (sentence - answer)
