"""Answers to customers: five stages, twelve strategies (CSC), out of a book of issues and lines.

Nothing is stated of orders or accounts, to which the agent has no access: it collects what is
needed, suggests what customers can do themselves, and names a person for the rest.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from voice_agent.events import Conduct, Exchange, Prompt, ServiceStrategy, Strategy
from voice_agent.thinking.responder.case import Case, ServiceBook, case_of
from voice_agent.thinking.responder.phrasebook import Lines, Phrasebook
from voice_agent.thinking.responder.situation import Situation
from voice_agent.thinking.responder.wording import Bounds, Move, Option, Wording
from voice_agent.thinking.strategy import worn

_MOST_STEPS = 2
_ANGRY = ("anger", "tense")
_Step = tuple[ServiceStrategy, Option]


class ServiceStage(StrEnum):
    """How far a talk with a customer has come (CSC)."""

    CONNECTING = "connecting"
    IDENTIFYING = "identifying"
    EXPLORING = "exploring"
    RESOLVING = "resolving"
    MAINTAINING = "maintaining"


@dataclass(frozen=True, slots=True)
class Served:
    """An answer to a customer in words, and what it follows.

    Attributes:
        text: The words.
        strategy: What it does.
        stage: How far the conversation has come.
        reason: Why this strategy.
        reply_emotion: How to speak.
        style: Caption of the voice.
    """

    text: str
    strategy: ServiceStrategy
    stage: ServiceStage
    reason: str
    reply_emotion: str
    style: str


class Service:
    """Plans and words answers to customers. Holds no conversation.

    Args:
        book: What companion and support have in common.
    """

    def __init__(self, book: Phrasebook) -> None:
        self._book = book
        self._service = ServiceBook()

    def answer(self, prompt: Prompt, situation: Situation) -> Served:
        """The answer to a turn, as the situation reads it."""
        history, conduct = prompt.history, prompt.conduct
        case = case_of(prompt.turn.text, history, self._service)
        bounds = Bounds(
            words=conduct.reply_words,
            avoids=None if situation.reflects else self._book.feeling_words,
        )
        wording = Wording(history, self._slots(case, conduct), prompt.seed, bounds)
        stage = stage_of_case(case, self._service)
        may = may_come_next(history, conduct)
        act = situation.now.act
        if act is not None and act.name == "repeat" and situation.last_reply:
            strategy, text = ServiceStrategy.INFORMATION, situation.last_reply
        else:
            strategy, text = self._worded(case, situation, stage, may, wording)
        reply, style = _tone(case, situation)
        return Served(text, strategy, stage, self._service.reasons[strategy], reply, style)

    def _worded(
        self,
        case: Case,
        s: Situation,
        stage: ServiceStage,
        may: frozenset[ServiceStrategy],
        wording: Wording,
    ) -> tuple[ServiceStrategy, str]:
        """The first step that can be put into new words, else words said long ago."""
        for strategy, option in self._steps(case, s, stage):
            if strategy in may and (found := wording.compose((option,), frozenset(Strategy))):
                return strategy, found.text
        strategy, option = next(one for one in self._anyhow(case) if one[0] in may)
        return strategy, wording.fill(wording.any_of(option[0].pools))

    def _steps(self, case: Case, s: Situation, stage: ServiceStage) -> Iterator[_Step]:
        """What may be done, the most fitting first."""
        yield from self._urgent(case, s, stage)
        for strategy, main in self._onward(case, s, stage):
            yield strategy, (*self._before(case, s), *main)
        yield from self._anyhow(case)

    # --- what the turn itself asks for ------------------------------------------------------

    def _urgent(self, case: Case, s: Situation, stage: ServiceStage) -> Iterator[_Step]:
        lines, signs = self._service.lines, case.signs
        last = s.history[-1].thought.strategy if s.history and s.history[-1].thought else ""
        then = self._next_question(case)
        if s.now.unheard and not case.heard and stage is not ServiceStage.MAINTAINING:
            kind = s.now.unheard if s.now.unheard != "unclear_word" else "unclear"
            yield ServiceStrategy.REFINEMENT, (_must(self._book.unheard[kind]),)
        if "secret" in signs:
            yield ServiceStrategy.INFORMATION, (_must(lines["secret"]), *then)
        if "machine" in signs:
            yield ServiceStrategy.INFORMATION, (_must(lines["machine"]), *then)
        if "person" in signs:
            yield ServiceStrategy.IMPLEMENTATION, (_must(lines["person"]),)
        if (calm := self._calm(case, s)) and last != ServiceStrategy.EMOTION:
            way_out = "hand_over" if stage is ServiceStage.RESOLVING else "forward"
            yield ServiceStrategy.EMOTION, (_must(calm), *(then or (Move((lines[way_out],)),)))
        if stage is ServiceStage.MAINTAINING or last == ServiceStrategy.INFORMATION:
            return
        if "wants_done" in signs and case.issue and not case.open:
            yield ServiceStrategy.INFORMATION, (_must(lines["cannot_do"]), *then)
        if "asks" in signs and case.issue:
            yield ServiceStrategy.INFORMATION, (_must(case.issue.facts, lines["no_access"]), *then)
        elif "asks" in signs:
            yield ServiceStrategy.INFORMATION, (_must(lines["no_access"]), *then)

    def _calm(self, case: Case, s: Situation) -> Lines:
        """Lines that calm; none where nobody is upset. Without leave, feelings are not named."""
        angry, worried = "angry" in case.signs, "worried" in case.signs
        if s.reflects and s.sure and s.cue is not None and s.cue.valence < 0:
            angry, worried = angry or s.cue.name in _ANGRY, worried or s.cue.name not in _ANGRY
        if not (angry or worried):
            return ()
        kind = "plain" if not s.reflects else "angry" if angry else "worried"
        return self._service.lines[f"calm_{kind}"]

    # --- how it goes on ---------------------------------------------------------------------

    def _before(self, case: Case, s: Situation) -> Option:
        """What may stand before the main sentence."""
        lines = self._service.lines
        first_told = case.issue is not None and not any(
            strategy != ServiceStrategy.GREETING for strategy in _used(s.history)
        )
        if first_told:
            return (Move((lines["about"],)),)
        if case.news:
            return (Move((lines["ack"],)),)
        if case.asked_last and "lacks" in case.signs:
            return (Move((lines["without"],)),)
        if "unsolved" in case.signs and case.steps:
            return (Move((lines["still"],)),)
        return ()

    def _onward(self, case: Case, s: Situation, stage: ServiceStage) -> Iterator[_Step]:
        lines, issue = self._service.lines, case.issue
        if stage is ServiceStage.CONNECTING or issue is None:
            if not s.history:
                what = _must(lines["what"])
                yield ServiceStrategy.GREETING, (_must(lines["welcome"]), what)
            if "bye" in case.signs:
                yield ServiceStrategy.CLOSURE, (_must(lines["closing"]),)
            yield ServiceStrategy.REFINEMENT, (_must(lines["what"], lines["more"]),)
            return
        if stage is ServiceStage.MAINTAINING:
            yield from self._to_the_end(case, s)
            return
        for name in case.open:
            detail = self._service.details[name]
            if detail.identity == (stage is ServiceStage.IDENTIFYING):
                asks = ServiceStrategy.IDENTITY if detail.identity else ServiceStrategy.REFINEMENT
                yield asks, (_must(detail.ask),)
        if "disagrees" in case.signs and _used(s.history)[-1:] == [ServiceStrategy.RESTATEMENT]:
            yield ServiceStrategy.REFINEMENT, (_must(lines["corrected"]),)
        if not case.summed_up:
            summary = _must(lines["summary"], lines["summary_bare"])
            yield ServiceStrategy.RESTATEMENT, (summary,)
        hand_over = ServiceStrategy.IMPLEMENTATION, (_must(lines["hand_over"]),)
        step = ServiceStrategy.SUGGESTION, (_must(issue.steps), Move((lines["after_step"],)))
        yield from (step, hand_over) if case.steps < _MOST_STEPS else (hand_over, step)
        yield ServiceStrategy.FEEDBACK, (_must(lines["else"]),)

    def _to_the_end(self, case: Case, s: Situation) -> Iterator[_Step]:
        """The matter is settled: is there more, and a good end."""
        lines, used, signs = self._service.lines, _used(s.history), case.signs
        asked = used[-1:] == [ServiceStrategy.FEEDBACK]
        if asked and "agrees" in signs and not signs & {"solved", "thanks", "bye"}:
            yield ServiceStrategy.REFINEMENT, (_must(lines["what"], lines["more"]),)
        closed = ServiceStrategy.CLOSURE in used[-3:]
        if not closed and "bye" not in signs and not asked:
            ready = used[-1:] == [ServiceStrategy.IMPLEMENTATION] and "solved" not in signs
            opening = Move((lines["hand_over_ready" if ready else "glad"],))
            yield ServiceStrategy.FEEDBACK, (opening, _must(lines["else"], lines["rate"]))
        if not closed:
            come_back = Move((lines["come_back"],))
            yield ServiceStrategy.CLOSURE, (_must(lines["closing"]), come_back)
        yield ServiceStrategy.CONTINUATION, (_must(lines["come_back"]),)

    def _next_question(self, case: Case) -> Option:
        """The next thing to ask, to stand at the end of an answer."""
        if case.issue is None:
            return (Move((self._service.lines["what"],)),)
        return tuple(Move((self._service.details[one].ask,)) for one in case.open[:1])

    def _anyhow(self, case: Case) -> Iterator[_Step]:
        """Something for each strategy, for when nothing better is left or allowed."""
        lines, issue = self._service.lines, case.issue or self._service.issues["other"]
        identity = [one.ask for one in self._service.details.values() if one.identity]
        for strategy, pools in {
            ServiceStrategy.OTHERS: [lines["more"], lines["forward"], lines["ack"]],
            ServiceStrategy.REFINEMENT: [lines["more"], lines["what"]],
            ServiceStrategy.INFORMATION: [issue.facts, lines["no_access"]],
            ServiceStrategy.IMPLEMENTATION: [lines["hand_over"], lines["cannot_do"]],
            ServiceStrategy.FEEDBACK: [lines["else"], lines["rate"]],
            ServiceStrategy.SUGGESTION: [issue.steps],
            ServiceStrategy.RESTATEMENT: [lines["summary_bare"], lines["about"]],
            ServiceStrategy.EMOTION: [lines["calm_plain"]],
            ServiceStrategy.IDENTITY: identity,
            ServiceStrategy.CONTINUATION: [lines["come_back"]],
            ServiceStrategy.CLOSURE: [lines["closing"]],
            ServiceStrategy.GREETING: [lines["welcome"]],
        }.items():
            yield strategy, (_must(*pools),)

    def _slots(self, case: Case, conduct: Conduct) -> dict[str, str]:
        kept = []
        for name, value in case.known.items():
            spoken = " ".join(value) if self._service.details[name].form == "number" else value
            kept.append(self._service.details[name].kept.format(value=spoken))
        return {
            "problem": case.issue.says if case.issue else "",
            "known": " and ".join(filter(None, (", ".join(kept[:-1]), *kept[-1:]))),
            "agent": conduct.name,
        }


def stage_of_case(case: Case, book: ServiceBook) -> ServiceStage:
    """The stage, from what is known of the case by now."""
    if case.issue is None:
        return ServiceStage.CONNECTING
    if case.settled:
        return ServiceStage.MAINTAINING
    if any(book.details[one].identity for one in case.open):
        return ServiceStage.IDENTIFYING
    return ServiceStage.RESOLVING if case.summed_up and not case.open else ServiceStage.EXPLORING


def may_come_next(history: Sequence[Exchange], conduct: Conduct) -> frozenset[ServiceStrategy]:
    """Strategies to choose among: those configured, none more than twice running."""
    listed = conduct.strategies or tuple(ServiceStrategy)
    wanted = frozenset(one for one in ServiceStrategy if one in listed)
    return frozenset(one for one in wanted if one != worn(history)) or wanted


def _must(*pools: Lines) -> Move:
    return Move(pools, needed=True)


def _used(history: Sequence[Exchange]) -> list[str]:
    return [past.thought.strategy for past in history if past.thought]


def _tone(case: Case, s: Situation) -> tuple[str, str]:
    """Calm with anger, friendly at the end, clear in between."""
    low = s.reflects and s.cue is not None and s.sure and s.cue.valence < 0
    if low or case.signs & {"angry", "worried"}:
        return "sorry", "calm, slower, clear"
    if case.signs & {"thanks", "solved", "bye"}:
        return "happy", "friendly"
    return "neutral", "clear, friendly"
