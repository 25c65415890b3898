"""Answers to turns that tell no story: greetings, a yes, questions about the agent, noise."""

from collections.abc import Iterator

from voice_agent.events import Strategy
from voice_agent.thinking.plain_words import plain
from voice_agent.thinking.responder.phrasebook import Act, Cue, Lines, Phrasebook
from voice_agent.thinking.responder.recall import Recalled
from voice_agent.thinking.responder.remarks import of_voice
from voice_agent.thinking.responder.situation import Situation
from voice_agent.thinking.responder.thread import Thread
from voice_agent.thinking.responder.wording import Move, Option

_PLAIN = (Strategy.OTHERS, Strategy.AFFIRMATION)
"""What an answer to a move is called where its own strategy may not go on."""


class Mover:
    """Finds what can be said to a move. Holds no conversation."""

    def __init__(self, book: Phrasebook) -> None:
        self._book = book

    def respond(self, s: Situation, act: Act, thread: Thread) -> Iterator[Option]:
        """To a greeting, thanks, a question about the agent and the like."""
        say = Move((act.lines["say"],))
        general = self._book.general["neutral"]
        if act.name == "goodbye":
            grief = thread.lasting is not None and thread.lasting.name == "grief"
            pool = "with_grief" if grief else "with_earlier" if thread.trouble else "then"
            for strategy in _PLAIN:
                yield (say, Move((act.lines[pool],), needed=True, strategy=strategy))
        if act.name == "name":
            named = Move((act.lines["named"],), needed=True, strategy=Strategy.INFORMATION)
            yield (named, Move((self._book.back,)))
            yield (named,)
        if "then" in act.lines:
            yield from both_ways((say,), act.lines["then"])
        if act.name in self._book.itself or act.name in self._book.unknown:
            answers = act.lines["say"] if s.reflects else act.lines.get("unread", act.lines["say"])
            back = self._book.back if act.name in self._book.itself else ()
            for strategy in (Strategy.INFORMATION, *_PLAIN):
                yield (Move((answers,), needed=True, strategy=strategy), Move((back,)))
        elif "then" not in act.lines:
            yield from both_ways((), act.lines["say"])
        yield from both_ways((say,), general["topics"], general["lead"])

    def go_on(self, s: Situation, name: str, thread: Thread) -> Iterator[Option]:
        """After "yes", "no", "fine" and the like: on from the question, or back to the story."""
        lines = self._book.short[name]
        opening = Move((lines.get("open", lines.get("first", ())),))
        if name in ("agree", "disagree") and (answers := self._continuations(s, name)):
            yield (opening, Move((answers,), needed=True))
            yield (Move((answers,), needed=True),)
        if heard := of_voice(s, self._book.cues):
            if s.now.act and s.now.act.name == "fine" and s.cue and s.cue.valence < 0:
                yield (Move((heard,), needed=True, strategy=Strategy.REFLECTION),)
            yield from both_ways((Move((heard,), needed=True),), lines["then"])
        if thread.trouble and name in ("nod", "dont_know", "fine") and len(s.history) % 2 == 0:
            back = Move((self._book.bridge["return"],), needed=True, strategy=Strategy.QUESTION)
            yield (opening, back)
        yield from both_ways((opening,), lines["then"])
        yield from both_ways((), self._book.general[s.valence]["lead"])

    def ask_again(self, s: Situation) -> Iterator[Option]:
        """Where what was heard cannot be built on."""
        missed = sum(1 for past in s.past[-2:] if past.unheard)
        kinds = ["unclear_again"] if missed == 2 else []
        kinds += [s.now.unheard, "unclear", "unclear_again"]
        for strategy in (Strategy.QUESTION, Strategy.OTHERS, Strategy.INFORMATION):
            for kind in kinds:
                yield (Move((self._book.unheard[kind],), needed=True, strategy=strategy),)

    def answer_sound(self, s: Situation, cue: Cue) -> Iterator[Option]:
        """After tears or a scream without a word."""
        yield (Move((cue.lines["say"],), needed=True, strategy=Strategy.REFLECTION),)
        yield from self.ask_again(s)

    def recall(self, found: Recalled) -> Iterator[Option]:
        """To a question about what the person told."""
        pools = self._book.recall
        if len(found.facts) > 1:
            kinds: tuple[str, ...] = ("several",)
        elif found.facts:
            kinds = ("known_earlier", "known") if found.earlier else ("known",)
        else:
            kinds = ("unknown",)
        said = Move(tuple(pools[kind] for kind in kinds), needed=True)
        yield (Move(said.pools, needed=True, strategy=Strategy.INFORMATION),)
        for strategy in (Strategy.RESTATEMENT, Strategy.OTHERS):
            yield (Move(said.pools, needed=True, strategy=strategy),)

    def remind(self) -> Option:
        """What was told in an earlier conversation, brought up by the agent."""
        told = self._book.recall["reminded"]
        return (Move((told,), needed=True, strategy=Strategy.QUESTION),)

    def other_language(self) -> Iterator[Option]:
        """To something that is not English."""
        only = self._book.unheard["other_language"]
        for strategy in (Strategy.INFORMATION, Strategy.OTHERS):
            yield (Move((only,), needed=True, strategy=strategy),)

    def _continuations(self, s: Situation, name: str) -> Lines:
        last = plain(s.last_reply)
        for line in self._book.with_answers:
            if last.endswith(line.said[-1]):
                return line.if_yes if name == "agree" else line.if_no
        return ()


def both_ways(before: Option, *pools: Lines) -> Iterator[Option]:
    """The same answer with any line, then with a question only, then with a statement only.

    Which of them goes depends on the strategies that are still allowed.
    """
    yield (*before, Move(pools, needed=True))
    yield (*before, Move(tuple(tuple(x for x in p if x.asks) for p in pools), needed=True))
    said = tuple(tuple(x for x in p if not x.asks) for p in pools)
    yield (*before, Move(said, needed=True))
    yield (*before, Move(said, needed=True, strategy=Strategy.AFFIRMATION))
