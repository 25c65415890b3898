"""A turn of the person: who decides about it, what it is while it lasts, what becomes of it."""

from dataclasses import dataclass

from voice_agent.dialogue.interruption import ANSWERED, is_speech, sound_alone
from voice_agent.events import Paralinguistics, Thought, UserTurn
from voice_agent.hearing.events import Utterance


@dataclass(slots=True)
class TurnTaking:
    """Who decides when it is whose turn.

    Attributes:
        automatic: The agent hears when a turn is over; else ``commit`` says so.
        create_response: A finished turn is answered at once; else ``respond`` asks for it.
        interrupt_response: Speech takes the floor from the agent.
        aloud: Answers are spoken; else they are text only.
    """

    automatic: bool = True
    create_response: bool = True
    interrupt_response: bool = True
    aloud: bool = True


@dataclass(slots=True)
class Speaking:
    """The turn that the person is in the middle of.

    Attributes:
        item: Id that the turn will have.
        at: Seconds of received audio at which it began.
        suspect: It began while the agent spoke, and may be no interruption.
        words, confidence: The newest hypothesis.
        stable: The leading part of it that will not change any more.
        asr_final: ``time.perf_counter()`` when the words were last settled.
        how: The newest reading.
        thought: What was thought of it so far.
    """

    item: str
    at: float
    suspect: bool
    words: str = ""
    confidence: float | None = None
    stable: str = ""
    asr_final: float | None = None
    how: Paralinguistics | None = None
    thought: Thought | None = None

    @property
    def sound(self) -> str | None:
        """The sound that it is, where it is no speech as far as can be told."""
        return sound_alone(self.words, self.how)


def deserves_answer(user: Speaking, utterance: Utterance) -> bool:
    """Whether what was said is to be answered, now that it is over."""
    if user.sound is not None:
        return user.sound in ANSWERED
    return is_speech(user.words, utterance.speech_s, utterance.voiced_share, user.confidence)


def heard(utterance: Utterance) -> UserTurn:
    """What was said and how, as it is thought about."""
    hypothesis = utterance.hypothesis
    return UserTurn(hypothesis.text, utterance.how, hypothesis.confidence)
