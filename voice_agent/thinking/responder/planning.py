"""Decides what an answer should do: which moves, in which order, with which strategy and tone."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from voice_agent.events import Strategy
from voice_agent.thinking.plain_words import plain
from voice_agent.thinking.responder.phrasebook import Act, Cue, Feeling, Lines, Phrasebook
from voice_agent.thinking.responder.remarks import of_voice
from voice_agent.thinking.responder.situation import Situation
from voice_agent.thinking.responder.tone import ONWARD, SAYING_ENOUGH, reply_tone
from voice_agent.thinking.responder.wording import Move, Option
from voice_agent.thinking.strategy import Stage, allowed, ordered, preferred, stage

_TELLING = re.compile(r"\b(what|how) (should|can|could|do|shall|would) (i|you) (tell|say|answer)\b")
_ASKED_HOW = re.compile(
    r"\bhow (are|is|was|has|have|do) (you|it|your|the)\b|what about you|kind of day|feel"
)
_POOL = {
    Strategy.QUESTION: "ask",
    Strategy.REFLECTION: "reflect",
    Strategy.RESTATEMENT: "restate",
    Strategy.AFFIRMATION: "affirm",
    Strategy.SUGGESTION: "suggest",
    Strategy.INFORMATION: "inform",
    Strategy.OTHERS: "others",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What the answer should do.

    Attributes:
        options: Ways to do it, the best first.
        last_resort: Pools for the case that all of them have been used up.
        slots: What the slots of lines can be filled with.
        feeling: The feeling answered to, perhaps an earlier one that goes on.
        reply_emotion: How to speak.
        style: Caption of the voice.
    """

    options: tuple[Option, ...]
    last_resort: tuple[Lines, ...]
    slots: Mapping[str, str]
    feeling: Feeling | None
    reply_emotion: str
    style: str


class Planner:
    """Plans answers. Holds no conversation."""

    def __init__(self, book: Phrasebook) -> None:
        self._book = book

    def plan(self, situation: Situation) -> Plan:
        """The plan for an answer."""
        now, feeling = situation.now, situation.feeling
        general = self._book.general[situation.valence]
        cue = situation.cue
        if now.unheard == "silence" and cue is not None and cue.name in SAYING_ENOUGH:
            options = self._answer_sound(situation, cue)
        elif now.unheard:
            options = self._ask_again(situation)
        elif now.act is not None and now.act.name in ONWARD:
            asked_how = _ASKED_HOW.search(plain(situation.last_reply))
            name = now.act.name
            options = self._go_on(situation, "nod" if name == "fine" and not asked_how else name)
        elif now.act is not None:
            options = self._respond_to_act(situation, now.act)
        else:
            options = self._respond_to_story(situation)
        reply, style = reply_tone(situation)
        return Plan(
            options=tuple(options),
            last_resort=(general["lead"], self._book.short["nod"]["then"], general["ask"]),
            slots=self._slots(situation),
            feeling=feeling,
            reply_emotion=reply,
            style=style,
        )

    # --- answers to a story --------------------------------------------------------------

    def _respond_to_story(self, s: Situation) -> Iterator[Option]:
        general = self._book.general[s.valence]
        opening = Move(self._pools(s, "open", own_feeling=s.named))
        if s.opposed:
            opening = Move(())  # "How lovely!" to a sad voice is as wrong as "I'm sorry"
        if s.now.corrects:
            opening = Move((self._book.acts["correction"].lines["say"], *opening.pools))
        order = self._strategies(s)
        for strategy in order:
            lead_in = self._lead_in(s, strategy)
            main = Move(self._pools(s, _POOL[strategy]), needed=True, strategy=strategy)
            yield (opening, *lead_in, main, *self._tail(s, strategy))
        yield (opening, Move((general["lead"],), needed=True, strategy=Strategy.OTHERS))

    def _strategies(self, s: Situation) -> Sequence[Strategy]:
        troubled = s.troubled_turns
        value = s.feeling.valence if s.feeling else 0.0
        order = ordered(value, stage(troubled, s.now.advice), s.history)
        if s.named and value < 0 and not s.now.advice and (s.new_topic or s.new_feeling):
            # Something new has come up: first see what it is.
            fresh = preferred(value, Stage.EXPLORATION)
            order = tuple(one for one in fresh if one in allowed(s.history))
        if s.now.advice and Strategy.SUGGESTION in allowed(s.history):
            return (Strategy.SUGGESTION, *order)
        recent = [past.thought.strategy for past in s.history[-6:] if past.thought]
        unwanted = any(past.act and past.act.name == "listen_only" for past in s.past)
        if unwanted or Strategy.SUGGESTION in recent:
            order = tuple(one for one in order if one is not Strategy.SUGGESTION)
        if s.now.advice and troubled == 0 and not s.named:
            order = (Strategy.QUESTION, *order)
        return order

    def _lead_in(self, s: Situation, strategy: Strategy) -> tuple[Move, ...]:
        """The sentence between the opening and the main one: voice, bridge, mirror or topic."""
        bridge, now = self._book.bridge, s.now
        if heard := of_voice(s, self._book.cues):
            return (Move((heard,)),)
        if s.named and s.trouble:
            before = next((p for p in reversed(s.past) if p.feeling), None)
            if before and before.valence < 0 < (s.feeling.valence if s.feeling else 0):
                return (Move((bridge["lighter"],)),)
            bad = [p for p in s.past[-4:] if p.valence < 0 and p.thing]
            if s.new_topic and len(bad) >= 2 and s.valence == "negative":
                return (Move((bridge["sinking"],)),)
        if strategy in (Strategy.REFLECTION, Strategy.RESTATEMENT):
            return ()
        reflects = self._of_topic(s, "reflect")
        if s.valence == "positive" and now.topic and now.topic.feeling == "neutral":
            reflects = ()
        if s.new_topic and reflects and s.named:
            return (Move((reflects,)),)
        if now.clauses and (s.named or s.new_topic):
            return (Move(self._pools(s, "restate")),)
        if s.named and s.new_feeling and s.feeling:
            return (Move((s.feeling.lines.get("reflect", ()),)),)
        if now.topic and not s.new_topic and now.thing.startswith("your"):
            return (Move((bridge["again"],)),)
        return (Move((reflects,)),) if s.new_topic else ()

    def _tail(self, s: Situation, strategy: Strategy) -> tuple[Move, ...]:
        """What may follow the main sentence, so that an answer invites to go on now and then."""
        if strategy in (Strategy.REFLECTION, Strategy.RESTATEMENT) and len(s.history) % 2:
            return (Move((self._book.general[s.valence]["lead"],)),)
        return ()

    def _pools(self, s: Situation, kind: str, own_feeling: bool = True) -> tuple[Lines, ...]:
        """Pools of a kind, the most fitting first."""
        of_topic = self._of_topic(s, kind)
        of_feeling = s.feeling.lines.get(kind, ()) if s.feeling and own_feeling else ()
        if kind == "restate" and of_feeling:
            return (of_feeling,)
        general = self._book.general[s.valence].get(kind, ())
        if kind == "ask" and s.valence == "neutral" and len(s.now.said.split()) <= 3:
            general += self._book.general["neutral"]["topics"]
        if kind == "suggest" and _TELLING.search(s.now.said):
            return (self._book.general["negative"]["tell"],)
        if kind == "suggest" and not s.now.advice:
            general = ()  # unasked, only what is made for the matter
        event = s.now.topic is not None and s.now.topic.feeling != "neutral"
        first = event or s.valence != "positive"
        if kind in ("ask", "suggest") and of_topic and first and len(s.history) % 3 != 2:
            return (of_topic, of_feeling, general)
        if s.named:
            return (of_feeling, of_topic, general)
        return (of_topic, of_feeling, general) if s.fresh_mood else (of_topic, general, of_feeling)

    def _of_topic(self, s: Situation, kind: str) -> Lines:
        """Lines of the topic, as far as they suit the feeling: no bright ones for a sad turn."""
        topic = s.now.topic or s.last_topic
        if topic is None or not _fits(topic.feeling, s, self._book):
            return ()
        hard = s.valence == "negative" and topic.feeling == "neutral"
        return topic.lines.get(f"{kind}_hard" if hard else kind, ())

    # --- answers to moves without a story ------------------------------------------------

    def _respond_to_act(self, s: Situation, act: Act) -> Iterator[Option]:
        say = Move((act.lines["say"],))
        general = self._book.general["neutral"]
        if act.name == "goodbye" and s.trouble and not s.grieving:
            yield (say, Move((act.lines["with_earlier"],), needed=True, strategy=Strategy.OTHERS))
        if act.name == "memory" and s.earlier:
            yield (Move((act.lines["recall"],), needed=True, strategy=Strategy.INFORMATION),)
        if act.name == "repeat" and s.last_reply:
            return
        if "then" in act.lines:
            yield from _both_ways((Move((act.lines["say"],)),), act.lines["then"])
        answers = act.name in self._book.itself or act.name in self._book.unknown
        if answers:
            said = Move((act.lines["say"],), needed=True, strategy=Strategy.INFORMATION)
            yield (said,)
            yield from _both_ways((Move((act.lines["say"],), needed=True),), self._book.back)
        elif "then" not in act.lines:
            yield from _both_ways((), act.lines["say"])
        yield from _both_ways((say,), general["topics"], general["lead"])

    def _go_on(self, s: Situation, name: str) -> Iterator[Option]:
        """After "yes", "no", "fine" and the like: on from the question, or back to the story."""
        lines = self._book.short[name]
        opening = Move((lines.get("open", lines.get("first", ())),))
        if name in ("agree", "disagree") and (answers := self._continuations(s, name)):
            yield (opening, Move((answers,), needed=True))
        if heard := of_voice(s, self._book.cues):
            if s.now.act and s.now.act.name == "fine" and s.cue and s.cue.valence < 0:
                yield (Move((heard,), needed=True, strategy=Strategy.REFLECTION),)
            yield from _both_ways((Move((heard,), needed=True),), lines["then"])
        if s.earlier and name in ("nod", "dont_know", "fine") and len(s.history) % 2 == 0:
            yield (
                opening,
                Move((self._book.bridge["return"],), needed=True, strategy=Strategy.QUESTION),
            )
        yield from _both_ways((opening,), lines["then"])
        yield from self._respond_to_story(s)

    def _continuations(self, s: Situation, name: str) -> Lines:
        last = plain(s.last_reply)
        for line in self._book.with_answers:
            if last.endswith(plain(line.say)):
                return line.if_yes if name == "agree" else line.if_no
        return ()

    def _ask_again(self, s: Situation) -> Iterator[Option]:
        missed = sum(1 for past in s.past[-2:] if past.unheard)
        kinds = ["unclear_again"] if missed == 2 else []
        kinds += [s.now.unheard, "unclear", "unclear_again"]
        for strategy in (Strategy.QUESTION, Strategy.OTHERS, Strategy.INFORMATION):
            for kind in kinds:
                yield (Move((self._book.unheard[kind],), needed=True, strategy=strategy),)

    def _answer_sound(self, s: Situation, cue: Cue) -> Iterator[Option]:
        """After tears or a scream without a word."""
        yield (Move((cue.lines["say"],), needed=True, strategy=Strategy.REFLECTION),)
        yield from self._ask_again(s)

    def _slots(self, s: Situation) -> dict[str, str]:
        said = plain(" ".join(past.reply for past in s.history))
        clause = next((c for c in s.now.clauses if plain(c) not in said), "")
        return {
            "clause": clause,
            "Clause": clause[:1].upper() + clause[1:],
            "thing": s.now.thing,
            "Thing": s.now.thing[:1].upper() + s.now.thing[1:],
            "earlier": s.earlier,
            "trouble": s.trouble,
            "them": s.now.about,
            "word": s.now.word,
        }


def _both_ways(before: Option, *pools: Lines) -> Iterator[Option]:
    """The same answer with any line, then with a question only, then with a statement only.

    Which of them goes depends on the strategies that are still allowed.
    """
    yield (*before, Move(pools, needed=True))
    yield (*before, Move(tuple(tuple(x for x in p if x.asks) for p in pools), needed=True))
    yield (*before, Move(tuple(tuple(x for x in p if not x.asks) for p in pools), needed=True))


def _fits(brings: str, s: Situation, book: Phrasebook) -> bool:
    """Whether what a topic usually brings is on the side of the feeling."""
    feeling = book.feelings.get(brings)
    if feeling is None or s.feeling is None:
        return feeling is None or s.valence == "neutral"
    return feeling.valence * s.feeling.valence >= 0
