"""Answers to a turn that tells something: from what fits just these words to what fits any."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from voice_agent.events import Strategy
from voice_agent.thinking.responder.moments import Met, meet
from voice_agent.thinking.responder.phrasebook import Lines, Phrasebook, Topic
from voice_agent.thinking.responder.remarks import of_voice
from voice_agent.thinking.responder.situation import Situation
from voice_agent.thinking.responder.thread import Thread
from voice_agent.thinking.responder.understanding import NAMED
from voice_agent.thinking.responder.wording import Move, Option
from voice_agent.thinking.words_and_voice import feeling_in_words

POOL: Mapping[Strategy, str] = {
    Strategy.QUESTION: "ask",
    Strategy.REFLECTION: "reflect",
    Strategy.RESTATEMENT: "restate",
    Strategy.AFFIRMATION: "affirm",
    Strategy.SUGGESTION: "suggest",
    Strategy.INFORMATION: "inform",
    Strategy.OTHERS: "others",
}
_REMARKS = (Strategy.REFLECTION, Strategy.OTHERS, Strategy.AFFIRMATION)
_TELLING = re.compile(r"\b(what|how) (should|can|could|do|shall|would) (i|you) (tell|say|answer)\b")
_WHETHER = re.compile(r"\bshould i\b(?! (do|say|tell)\b)|\bthink (that )?i should\b")
_BARE = 6
_RECENT = 5
_GENTLE = ("comfort", "sorry")
_BRIGHT = ("happy", "joyful", "surprised")
_BETWEEN_OPENINGS = 4
_LEAST_PLEASANT = 0.1


@dataclass(frozen=True, slots=True)
class Telling:
    """A turn that tells something, and what is made of it.

    Attributes:
        s: The turn in its conversation.
        thread: What the conversation hangs on.
        met: What there is something particular to say to.
        order: Strategies to try, best first.
        leads: The answer should lead on.
        always: It should even if only a question that fits anything is left.
    """

    s: Situation
    thread: Thread
    met: Sequence[Met]
    order: Sequence[Strategy]
    leads: bool
    always: bool = False

    @property
    def goes_on(self) -> bool:
        """The turn tells more of a trouble that was spoken of just before."""
        s = self.s
        if s.named or s.valence != "negative" or not s.past:
            return False
        if self.thread.near and s.feeling is self.thread.lasting:
            return True
        same = s.past[-1].feeling is s.feeling
        return (
            same
            and not s.past[-1].unheard
            and feeling_in_words(s.now.said).valence < _LEAST_PLEASANT
        )


class Storyteller:
    """Finds what can be said to a story. Holds no conversation."""

    def __init__(self, book: Phrasebook) -> None:
        self._book = book

    def options(self, t: Telling) -> Iterator[Option]:
        """Ways to answer, the best first."""
        lead_in = self._lead_in(t)
        opening = () if lead_in else self._opening(t)
        for level in self._levels(t):
            for strategy in t.order:
                main = level.get(POOL[strategy], ())
                if not any(main):
                    continue
                move = Move(main, needed=True, strategy=strategy)
                if strategy is Strategy.QUESTION:
                    remark = () if lead_in else self._remark(t, level)
                    yield (*opening, *lead_in, *remark, move)
                else:
                    yield (*opening, *lead_in, move, *self._tail(t, level))
        lead = self._book.general["negative" if t.goes_on else "neutral"]["lead"]
        for strategy in (Strategy.OTHERS, Strategy.AFFIRMATION):
            yield (*opening, *lead_in, Move((lead,), needed=True, strategy=strategy))

    # --- levels, from the particular to the general ----------------------------------------

    def _levels(self, t: Telling) -> Iterator[Mapping[str, tuple[Lines, ...]]]:
        s = t.s
        known = [met for met in t.met if not met.moment.shape]
        shapes = [met for met in t.met if met.moment.shape]
        if s.now.advice:
            yield self._advice(t)
        for one in known[:1]:
            yield self._of_moments([one])  # what fits best goes before how well a strategy suits
        yield self._of_moments(known[1:])
        yield self._of_matter(t, now=True)
        yield self._of_moments(shapes)
        general = self._book.general[
            "negative" if t.goes_on else s.valence if s.named else "neutral"
        ]
        said = s.now.clauses and not s.now.advice
        yield {"restate": (general.get("restate", ()),) if said else ()}
        if t.goes_on or t.s.now.topic is None:
            yield self._of_matter(t, now=False)
        kinds = set(POOL.values()) - {"suggest", "restate"}
        yield {kind: (general.get(kind, ()),) for kind in kinds}

    def _of_moments(self, met: Sequence[Met]) -> Mapping[str, tuple[Lines, ...]]:
        return {kind: tuple(one.lines(kind) for one in met) for kind in POOL.values()}

    def _of_matter(self, t: Telling, now: bool) -> Mapping[str, tuple[Lines, ...]]:
        """Lines of the topic and of the feeling: those of this turn, or those that go on."""
        s, topic = t.s, t.thread.matter
        pools: dict[str, tuple[Lines, ...]] = {}
        for kind in POOL.values():
            of_topic = self._of_topic(s, topic, kind) if topic and t.thread.mine is now else ()
            told = s.named and not s.voiced  # a voice alone does not say that anything happened
            feels = s.feeling is not None and s.reflects and (told if now else t.goes_on)
            of_feeling = s.feeling.lines.get(kind, ()) if s.feeling and feels else ()
            event = topic is not None and topic.feeling != "neutral"
            grieving = s.feeling is not None and s.feeling is t.thread.lasting
            first = (event or s.valence != "positive") and not grieving
            if kind in ("ask", "suggest") and first:
                pools[kind] = (of_topic, of_feeling)
            else:
                pools[kind] = (of_feeling, of_topic)
        if not now:
            pools["restate"] = ()
        return pools

    def _of_topic(self, s: Situation, topic: Topic, kind: str) -> Lines:
        """Lines of a topic, as far as they suit the feeling: no bright ones for a sad turn."""
        brings = self._book.feelings.get(topic.feeling)
        if brings is not None and s.feeling is not None and brings.valence * s.feeling.valence < 0:
            return ()
        if brings is not None and s.feeling is None and s.reflects:
            return ()
        hard = s.valence == "negative" and topic.feeling == "neutral"
        if hard and not s.named:
            return ()  # a bad mood that goes on need not be about what is mentioned now
        return topic.lines.get(f"{kind}_hard" if hard else kind, ())

    def _advice(self, t: Telling) -> Mapping[str, tuple[Lines, ...]]:
        negative = self._book.general["negative"]
        if _TELLING.search(t.s.now.said):
            told = tuple(met.lines("suggest") for met in t.met)
            return {"suggest": (*told, negative["tell"])}
        of_moments = tuple(met.lines("suggest") for met in t.met)
        words = t.s.now.said.split()
        if _WHETHER.search(t.s.now.said) and words[0] not in ("what", "how"):
            return {"suggest": (*of_moments, negative["decide"])}
        if len(words) > _BARE and t.s.now.topic is None:  # about something of its own
            return {"suggest": (*of_moments, negative["suggest"])}
        matters = dict.fromkeys(one.name for one in (t.thread.matter, t.thread.grave) if one)
        of_topics = [self._book.topics[name].lines.get("suggest", ()) for name in matters]
        of_feeling = t.s.feeling.lines.get("suggest", ()) if t.s.feeling else ()
        before = (p.said for p in reversed(t.s.past[-_RECENT:]) if p.tells)
        lately = [met for said in before for met in meet(said, self._book.moments, t.s.valence)]
        of_moments += tuple(met.lines("suggest") for met in lately if not met.moment.shape)
        return {"suggest": (*of_moments, *of_topics, of_feeling, negative["suggest"])}

    # --- what stands around the main sentence ------------------------------------------------

    def _opening(self, t: Telling) -> Option:
        s, known = t.s, any(not one.moment.shape for one in t.met)
        if s.now.corrects:
            return (Move((self._book.acts["correction"].lines["say"],)),)
        if s.opposed or s.voiced or not s.reflects or s.now.advice:
            # "How lovely!" to a sad voice is as wrong as "I'm sorry"; a voice tells of no event.
            return ()
        told = next((one.moment.reply for one in t.met if not one.moment.shape), "neutral")
        low = s.valence == "negative"
        same = told in (_GENTLE if low else _BRIGHT)
        clear = s.now.strength >= NAMED
        suits = not known or same or (clear and told not in _GENTLE)
        if s.named and s.feeling and s.new_feeling and suits:
            lines = s.feeling.lines.get("open", ())
            naming = self._book.feeling_words
            if not clear and naming is not None:  # a guess is not told them as their feeling
                lines = tuple(line for line in lines if not naming.search(line.said[0]))
            return (Move((lines,)),)
        if not known and len(s.history) % _BETWEEN_OPENINGS == 1:
            kind = "negative" if t.goes_on else s.valence if s.named else "neutral"
            return (Move((self._book.general[kind]["open"],)),)
        return ()

    def _lead_in(self, t: Telling) -> Option:
        """A sentence on the voice, or on how this hangs together with what went before."""
        s, bridge = t.s, self._book.bridge
        if heard := of_voice(s, self._book.cues):
            return (Move((heard,)),)
        if not s.named or not t.thread.trouble or not s.reflects:
            return ()
        if any(one.moment.reply in _GENTLE for one in t.met) and s.valence != "negative":
            return ()  # what is said gently is no bright spot
        before = next((past for past in reversed(s.past) if past.feeling), None)
        if before and before.valence < 0 < (s.feeling.valence if s.feeling else 0):
            return (Move((bridge["lighter"],)),)
        bad = [past for past in s.past[-4:] if past.valence < 0 and past.thing]
        if s.new_topic and len(bad) >= 2 and s.valence == "negative":
            return (Move((bridge["sinking"],)),)
        return ()

    def _remark(self, t: Telling, level: Mapping[str, tuple[Lines, ...]]) -> Option:
        """Something to say before a question, so that an answer is not an interrogation."""
        pools = [lines for one in _REMARKS if one in t.order for lines in level.get(POOL[one], ())]
        return (Move(tuple(pools)),) if any(pools) else ()

    def _tail(self, t: Telling, level: Mapping[str, tuple[Lines, ...]]) -> Option:
        if not t.leads:
            return ()
        pools = list(level.get("ask", ()))
        pools += self._of_matter(t, now=True).get("ask", ())
        pools += [met.lines("ask") for met in t.met]
        if t.always:
            pools.append(self._book.general["negative" if t.goes_on else "neutral"]["ask"])
        return (Move(tuple(pools)),)
