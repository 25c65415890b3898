"""The gate itself: decides about the answer before and after the model."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from voice_agent.events import Exchange, Strategy, Thought, UserTurn
from voice_agent.handoff import Alert, Handoff
from voice_agent.settings import Safety
from voice_agent.thinking.dual_thinking import describe
from voice_agent.thinking.plain_words import plain
from voice_agent.thinking.safety import risk_model, signs
from voice_agent.thinking.safety.answers import Answers
from voice_agent.thinking.safety.reply_review import ReplyReview
from voice_agent.thinking.safety.risk import SELF_HARM, Course, Danger, Level, Risk, distressed
from voice_agent.thinking.safety.signs import Sign

log = logging.getLogger(__name__)

_REVIEWED_TURNS = {Level.CONCERN: 2, Level.HIGH: 3, Level.ACUTE: 6}
_REMINDER_EVERY = 3
_LIKELY, _POSSIBLE = 0.93, 0.4
"""Probabilities of the model of risk from which it counts by itself, and is watched."""

_YOUNG_VOICE = 0.8
_YOUNG = re.compile(
    r"\bi am (only |just )?"
    r"(\d|1[0-7]|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen)"
    r"( years old\b|$| and\b)"
    r"|\bi am (a kid|a child|in (middle|elementary|primary) school)\b"
)
_OFFENDER = re.compile(r"\b(attracted to|aroused by|porn\w*|csam|fantas\w+|want to)\b")

_MEANING = {
    Danger.HARM_DONE: "They may have hurt themselves already; every minute counts.",
    Danger.SELF_HARM: "They may be thinking of ending their life or hurting themselves.",
    Danger.EMERGENCY: "This may be a medical emergency.",
    Danger.MINOR: "A child may be in danger.",
    Danger.ABUSE: "Somebody near them seems to hurt or threaten them.",
    Danger.VIOLENCE: "They speak of hurting somebody.",
    Danger.OTHER_AT_RISK: "They fear that somebody near them may end their life.",
}
_ANY_TURN = UserTurn("I lost my job.")
_AFTER_DANGER = "They spoke of ending their life earlier; that is not over because they say so."


def prepare() -> None:
    """Compiles the rules and loads the model of risk, which takes a moment: not on the event loop.

    Raises:
        EngineUnavailable: The model is missing or damaged.
    """
    gate = SafetyGate()
    gate.answer(_ANY_TURN)
    review = gate.review()
    review.feed(_ANY_TURN.text)
    review.finish()


@dataclass(frozen=True, slots=True)
class Reviewed:
    """An answer of the safety gate, which goes out instead of the model's."""

    thought: Thought
    text: str


class SafetyGate:
    """Decides about the answer before and after the model, for one conversation.

    ``assess``, ``answer``, ``reminder`` and ``caution`` change nothing, so that they can be asked
    of a turn that may go on; ``take_in`` alone moves the conversation on. The gate remembers the
    course of the danger beyond the history that it is shown. A conversation that is taken up again
    is read from its history.

    Args:
        settings: Region, contacts, and from which level on people are told.
        handoff: Tells people of an organisation when the danger rises; None for nobody.
        session: Which conversation it is.
        user: Name of the person, where known.
    """

    def __init__(
        self,
        settings: Safety | None = None,
        handoff: Handoff | None = None,
        session: str = "",
        user: str | None = None,
    ) -> None:
        settings = settings or Safety()
        self._answers = Answers(settings)
        self._handoff = handoff
        self._told_from = Level[settings.handoff.level.upper()]
        self._session = session
        self._user = user
        self._course: Course | None = None
        self._before = Course()
        self._last: UserTurn | None = None
        self._told = Level.NONE
        self._young = False

    @property
    def level(self) -> Level:
        """The danger to the person as the conversation stands."""
        return (self._course or Course()).level

    def assess(self, turn: UserTurn, history: Sequence[Exchange] = ()) -> Risk:
        """The danger that speaks out of a turn, given what went before."""
        return _assess(turn, self._course_before(turn, history))

    def take_in(self, turn: UserTurn, history: Sequence[Exchange] = ()) -> Risk:
        """A turn is really over: it counts from now on. Tells people where the danger rose.

        Call it once a turn, before or after the answer to it was asked for.

        Args:
            turn: The turn.
            history: What went before; needed only where a conversation is taken up again.
        """
        course = self._course if self._course is not None else _course(history)
        risk = _assess(turn, course)
        self._before, self._course, self._last = course, course.after(risk), turn
        self._young = self._young or _is_young(turn)
        if risk.level >= Level.CONCERN:
            log.warning(
                "danger", extra={"level": risk.level.name.lower(), "danger": str(risk.danger)}
            )
        if self._handoff is not None and risk.level >= max(self._told_from, self._told + 1):
            self._told = risk.level
            self._handoff.notify(
                Alert(
                    self._session,
                    self._user,
                    risk.level.name.lower(),
                    str(risk.danger),
                    risk.signs,
                    turn.text,
                )
            )
        return risk

    def answer(
        self, turn: UserTurn, history: Sequence[Exchange] = (), seed: int = 0
    ) -> Reviewed | None:
        """A reviewed answer, where the turn or one shortly before it calls for one."""
        course = self._course_before(turn, history)
        risk = _assess(turn, course)
        young = self._young or any(_is_young(t) for t in (turn, *_turns(history)))
        if risk.level >= Level.CONCERN and risk.danger is not None:
            meaning = _MEANING[risk.danger]
            text = self._answers.first(_kind_of_answer(risk, course, turn), history, seed, young)
        elif course.since is not None and course.since < _REVIEWED_TURNS[course.peak]:
            meaning = _AFTER_DANGER
            _, text = self._answers.then(turn.text, history, seed, young)
        else:
            return None
        thought = Thought(
            linguistic=meaning,
            paralinguistic=describe(turn.how),
            strategy=Strategy.AFFIRMATION,
            reply_emotion="comfort",
            style="calm, slow, close and clear",
            stage="crisis" if risk.danger in SELF_HARM or risk.danger is None else "",
            reason="Safety comes first: what is said here was reviewed beforehand.",
        )
        return Reviewed(thought, text)

    def reminder(self, history: Sequence[Exchange], seed: int = 0) -> str | None:
        """A careful word about help, due now and then after an earlier sign of self-harm."""
        course = self._course_so_far(history)
        if course.since is None:
            return None
        late = course.since - _REVIEWED_TURNS[course.peak]
        if late < 0 or late % _REMINDER_EVERY:
            return None
        return self._answers.reminder(history, seed, self._young)

    def caution(self, history: Sequence[Exchange] = ()) -> str:
        """What a model is to be told besides its instructions; empty where there is no risk."""
        course = self._course_so_far(history)
        return self._answers.caution if course.since is not None else ""

    def review(self, seed: int = 0) -> ReplyReview:
        """A check of one reply of a model while it streams."""
        return ReplyReview(seed)

    def _course_before(self, turn: UserTurn, history: Sequence[Exchange]) -> Course:
        """The course up to a turn, which may have been taken in already."""
        if self._course is None:
            return _course(history)
        last = history[-1].user if history else None
        is_running = self._last is not None and self._last.text == turn.text
        counted = last is not None and self._last is not None and last.text == self._last.text
        return self._before if is_running and not counted else self._course

    def _course_so_far(self, history: Sequence[Exchange]) -> Course:
        """The course over the turns that were answered."""
        if self._course is None:
            return _course(history)
        last = history[-1].user if history else None
        counted = last is not None and self._last is not None and last.text == self._last.text
        return self._course if counted else self._before


def _assess(turn: UserTurn, course: Course) -> Risk:
    likelihood = risk_model.carried().probability(signs.unexplained(turn.text))
    found = _weighed(signs.read(turn.text), likelihood)
    if not found:
        return Risk()
    worst = min(
        (sign for sign in found if sign.level >= Level.CONCERN),
        key=lambda sign: tuple(Danger).index(sign.danger),
        default=None,
    )
    if worst is not None:
        of_it = [sign for sign in found if sign.danger is worst.danger]
        return Risk(of_it[0].level, worst.danger, tuple(sign.kind for sign in of_it))
    kinds = tuple(sign.kind for sign in found)
    told_by_voice = distressed(turn.how)
    if told_by_voice:
        kinds += ("voice",)
    several = len(course.seen(kinds) - {"voice"}) > 1
    risen = told_by_voice or several or course.since is not None
    return Risk(Level.CONCERN if risen else Level.WATCH, Danger.SELF_HARM, kinds)


def _weighed(found: tuple[Sign, ...], likelihood: float) -> tuple[Sign, ...]:
    """The signs that rules found, and what the words sound like on the whole.

    The model sees risk in words that no rule knows; what the rules can explain it does not raise.
    """
    explained = any(
        sign.kind in signs.EXPLAINED or sign.danger is Danger.OTHER_AT_RISK for sign in found
    )
    found = tuple(sign for sign in found if sign.level > Level.NONE)
    if likelihood >= _POSSIBLE and not explained:
        level = Level.CONCERN if likelihood >= _LIKELY else Level.WATCH
        found = (*found, Sign("wording", Danger.SELF_HARM, level))
    return tuple(sorted(found, key=lambda sign: -sign.level))


def _course(history: Sequence[Exchange]) -> Course:
    def step(course: Course, turn: UserTurn) -> Course:
        return course.after(_assess(turn, course))

    return reduce(step, _turns(history), Course())


def _turns(history: Sequence[Exchange]) -> list[UserTurn]:
    return [exchange.user for exchange in history if exchange.user is not None]


def _kind_of_answer(risk: Risk, course: Course, turn: UserTurn) -> str:
    if risk.danger is Danger.MINOR:
        return "minor_offender" if _OFFENDER.search(plain(turn.text)) else "minor"
    if risk.danger is not Danger.SELF_HARM:
        return str(risk.danger)
    if "method" in risk.signs:
        return "method"
    if risk.signs == ("self_injury",):
        return "self_injury"
    return max(risk.level, course.level).name.lower()


def _is_young(turn: UserTurn) -> bool:
    if turn.how is not None and turn.how.age.get("child", 0.0) >= _YOUNG_VOICE:
        return True
    return bool(_YOUNG.search(plain(turn.text)))
