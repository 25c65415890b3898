"""How far a conversation about a trouble has come (Hill: exploration, insight, action).

Found anew from all that was said, turn by turn, so that the same conversation is always in the
same stage and nothing has to be kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from voice_agent.events import Exchange, Strategy, UserTurn
from voice_agent.thinking.plain_words import words
from voice_agent.thinking.strategy.evidence import evidence, valence_of

_TROUBLED = -0.2
_GLAD = 0.2
_STORY_WORDS = 4
_ENOUGH_TOLD = 60  # words after which what happened is known well enough, whatever they were
_LONG_EXPLORED = 5
_LONG_SEEN = 4
_OVER_AFTER = 3
_LOW = frozenset(("sad", "anger", "fear", "disgust"))
_UNDERSTANDING = (Strategy.REFLECTION, Strategy.RESTATEMENT)


class Stage(StrEnum):
    """How far a conversation about a trouble has come: understand it, see it anew, act on it."""

    EXPLORATION = "exploration"
    INSIGHT = "insight"
    ACTION = "action"


@dataclass(frozen=True, slots=True)
class Course:
    """What has come out about a trouble so far.

    Attributes:
        stage: How far the conversation has come.
        begun: A trouble has been told of, and it is not over.
        turns: Turns that told something of it.
        told: Words of those turns.
        cause: It is known what happened, or why.
        feeling: The feeling is named, or was confirmed when the agent named it.
        in_stage: Turns that told something since the stage began.
        easing: It has become lighter.
        glad: Good turns running.
    """

    stage: Stage = Stage.EXPLORATION
    begun: bool = False
    turns: int = 0
    told: int = 0
    cause: bool = False
    feeling: bool = False
    in_stage: int = 0
    easing: bool = False
    glad: int = 0


def stage_of(
    turn: UserTurn, history: Sequence[Exchange], *, valence: float, advice_wanted: bool
) -> Stage:
    """The stage that the conversation is in with this turn.

    Asking for advice leads straight to action; without being asked, the agent listens first, and
    something new that comes up leads back to exploration.

    Args:
        turn: What was said last.
        history: What went before, oldest first.
        valence: Of the person's feeling now, in [-1, 1]; 0 where none shows.
        advice_wanted: This turn asks for advice.
    """
    return course(turn, history, valence=valence, advice_wanted=advice_wanted).stage


def course(
    turn: UserTurn, history: Sequence[Exchange], *, valence: float, advice_wanted: bool
) -> Course:
    """As ``stage_of``, with what the stage was found from."""
    now = Course()
    reply_to = ""
    for past in history:
        if past.user is not None:
            advice = "advice" in evidence(past.user.text)
            now = _after(now, past.user.text, _valence(past), advice, reply_to)
        reply_to = past.thought.strategy if past.thought else ""
    now = _after(now, turn.text, valence, advice_wanted, reply_to)
    return replace(now, stage=Stage.ACTION) if advice_wanted else now


def _after(now: Course, text: str, valence: float, advice: bool, reply_to: str) -> Course:
    """The course after one more turn."""
    shown = evidence(text)
    said = len(words(text))
    story = said >= _STORY_WORDS and "leaving" not in shown
    names_trouble = "feeling" in shown and valence <= _GLAD
    if not now.begun and valence > _TROUBLED and not (names_trouble or advice):
        # Plain so far; what it tells may turn out to be the cause of a trouble named next.
        plain = story and valence <= _GLAD
        return Course(turns=1, told=said, cause="cause" in shown) if plain else Course()
    if "new" in shown and valence <= _GLAD and now.stage is not Stage.EXPLORATION:
        now = Course()
    now = replace(now, begun=True)
    glad = now.glad + 1 if valence > _GLAD else 0
    if glad >= _OVER_AFTER and "cause" not in shown:
        return Course()
    understood = "confirms" in shown and reply_to in _UNDERSTANDING
    now = replace(
        now,
        turns=now.turns + story,
        told=now.told + said * story,
        cause=now.cause or "cause" in shown or now.told + said >= _ENOUGH_TOLD,
        feeling=now.feeling or "feeling" in shown or understood,
        in_stage=now.in_stage + story,
        easing="relief" in shown or (now.easing and "resists" not in shown),
        glad=glad,
    )
    following = _next_stage(now, shown, advice, reply_to)
    return now if following is now.stage else replace(now, stage=following, in_stage=0)


def _next_stage(now: Course, shown: frozenset[str], advice: bool, reply_to: str) -> Stage:
    if now.stage is Stage.EXPLORATION:
        if advice and now.cause:
            return Stage.ACTION
        clear = now.cause and now.feeling and now.turns >= 2
        seen = "insight" in shown and now.cause and now.turns >= 2
        return Stage.INSIGHT if clear or seen or now.turns >= _LONG_EXPLORED else now.stage
    if now.stage is Stage.INSIGHT:
        ready = now.easing or "plans" in shown
        if advice or (ready and now.in_stage >= 1) or now.in_stage >= _LONG_SEEN:
            return Stage.ACTION
        return now.stage
    unhelped = "resists" in shown and reply_to == Strategy.SUGGESTION
    return Stage.INSIGHT if unhelped and not advice else now.stage


def _valence(past: Exchange) -> float:
    """Of a past turn: of its words, else of what the voice showed."""
    told = valence_of(past.user.text, sure=True) if past.user else 0.0
    if told:
        return told
    return -0.5 if past.thought and past.thought.voice_emotion in _LOW else 0.0
