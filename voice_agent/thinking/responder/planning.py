"""Decides what an answer should do: which moves, in which order, with which strategy and tone."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from voice_agent.events import Prompt, Strategy
from voice_agent.thinking.plain_words import plain
from voice_agent.thinking.responder import clock
from voice_agent.thinking.responder.initiative import may_lead
from voice_agent.thinking.responder.moments import Met, meet
from voice_agent.thinking.responder.moves import Mover
from voice_agent.thinking.responder.phrasebook import Lines, Phrasebook
from voice_agent.thinking.responder.recall import recalled, reminder
from voice_agent.thinking.responder.situation import Situation
from voice_agent.thinking.responder.story import Storyteller, Telling
from voice_agent.thinking.responder.thread import Thread, follow, resume
from voice_agent.thinking.responder.tone import ONWARD, SAYING_ENOUGH, reply_tone
from voice_agent.thinking.responder.wording import Bounds, Option
from voice_agent.thinking.strategy import Choice, allowed, choose, stage_of

_ASKED_HOW = re.compile(
    r"\bhow (are|is|was|has|have) (you|it|your|the)\b|what about you|kind of day|are you feeling"
)
_WORTH_SAYING_BACK = re.compile(
    # Of the person, of some weight, and no denial: "so you haven't even started" sounds like blame.
    r"^(?=your?\b)(?!.*\b(not|never|nobody|nothing)\b)"
    r"(?!you (just |really |still )?(can|could|would|should|might|may|know|guess|think|mean|hope|"
    r"like|love|expect|suppose|believe|feel|felt)\b)(\S+ ){3,}"
)
_BETWEEN_REMINDERS = 10
_BETWEEN_IDEAS = 5
_ALWAYS = 0.8
_NOT_OF_OLD = {"follow_check", "hear_check", "permission"}
_MAY_ASK = {"correction", "insult", "prelude", "bad_news", "news"}
_SHALLOW = set("guess_others fact future plans doing nod dont_know takes_up disagree".split())
"""Moves that a turn is taken for by its build; what it says goes before."""

_STATEMENTS = (
    Strategy.OTHERS,
    Strategy.AFFIRMATION,
    Strategy.REFLECTION,
    Strategy.RESTATEMENT,
    Strategy.INFORMATION,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the answer should do.

    Attributes:
        options: Ways to do it, the best first.
        last_resort: Pools for the case that all of them have been used up.
        slots: What the slots of lines can be filled with.
        may: Strategies it may follow.
        bounds: What its words must keep to.
        choices: Strategies in the order in which they suit a story, with the reasons.
        situation: What is answered; a lasting feeling may have been taken up again.
        stage: How far the conversation has come; empty where the turn tells no story.
        reply_emotion: How to speak.
        style: Caption of the voice.
    """

    options: tuple[Option, ...]
    last_resort: tuple[Lines, ...]
    slots: Mapping[str, str]
    may: frozenset[Strategy]
    bounds: Bounds
    choices: tuple[Choice, ...]
    situation: Situation
    stage: str
    reply_emotion: str
    style: str

    def reason(self, strategy: str) -> str:
        """Why the answer follows a strategy."""
        if not self.stage:
            return "the turn itself asks for this answer"
        found = (choice.reason for choice in self.choices if choice.strategy == strategy)
        return next(found, "nothing else fits better")


class Planner:
    """Plans answers. Holds no conversation.

    Args:
        book: What can be said.
        now: Tells the local time.
    """

    def __init__(self, book: Phrasebook, now: Callable[[], datetime] = datetime.now) -> None:
        self._book = book
        self._now = now
        self._moves = Mover(book)
        self._stories = Storyteller(book)

    def plan(self, situation: Situation, prompt: Prompt) -> Plan:
        """The plan for an answer."""
        thread = follow(situation, self._book)
        s = resume(situation, thread)
        met = meet(s.now.said, self._book.moments, s.valence)
        if any(not one.moment.shape for one in met):
            s = _understood(s)
        leading = may_lead(prompt.history, prompt.conduct.initiative)
        choices = self._choices(s, prompt, leading)
        reply, style = reply_tone(s)
        told_as = next((one.moment.reply for one in met if one.moment.reply), reply)
        if reply == "neutral" or (told_as == "comfort" and s.valence == "positive"):
            reply = told_as
        general = self._book.general[s.valence]
        act = s.now.act.name if s.now.act else ""
        asks_back = act in _NOT_OF_OLD  # "do you understand what I say" asks for nothing told
        told = None if asks_back else recalled(s.now.said, prompt.memories, s.past)
        bounds = Bounds(
            words=prompt.conduct.reply_words,
            asks=leading or bool(s.now.unheard) or act in _MAY_ASK,
            # What it says of itself is no reading of the person.
            avoids=None if s.reflects or act in self._book.itself else self._book.feeling_words,
        )
        if told is not None:
            options: Iterator[Option] = self._moves.recall(told)
        else:
            options = self._options(s, thread, met, choices, prompt, leading)
        return Plan(
            options=tuple(options),
            last_resort=(general["lead"], self._book.short["nod"]["then"], general["affirm"]),
            slots=self._slots(s, thread, prompt, told.facts if told else ()),
            may=_may(prompt),
            bounds=bounds,
            choices=choices,
            situation=s,
            stage=_stage(s, prompt) if s.now.tells and told is None else "",
            reply_emotion=reply,
            style=style,
        )

    def _options(
        self,
        s: Situation,
        thread: Thread,
        met: tuple[Met, ...],
        choices: tuple[Choice, ...],
        prompt: Prompt,
        leading: bool,
    ) -> Iterator[Option]:
        now, cue = s.now, s.cue
        others = self._book.other_languages
        words = now.said.split()
        foreign = others.findall(now.said) if others is not None else []
        if len(foreign) * 2 >= len(words) > 1 or (foreign and len(words) == 1 < len(words[0]) - 2):
            return self._moves.other_language()
        if now.unheard == "silence" and cue is not None and cue.name in SAYING_ENOUGH:
            return self._moves.answer_sound(s, cue)
        if now.unheard:
            return self._moves.ask_again(s)
        if now.act is not None and now.act.name in ONWARD:
            asked_how = _ASKED_HOW.search(plain(s.last_reply))
            name = "nod" if now.act.name == "fine" and not asked_how else now.act.name
            return self._moves.go_on(s, name, thread)
        if now.act is not None and now.act.name == "greeting" and leading and self._told(prompt):
            return iter((self._moves.remind(), *self._moves.respond(s, now.act, thread)))
        if now.act is not None:
            return self._moves.respond(s, now.act, thread)
        order = [choice.strategy for choice in choices]
        telling = Telling(s, thread, met, order, leading, prompt.conduct.initiative >= _ALWAYS)
        stories = self._stories.options(telling)
        if leading and not now.advice and self._told(prompt):
            return iter((self._moves.remind(), *stories))
        return stories

    def _choices(self, s: Situation, prompt: Prompt, leading: bool) -> tuple[Choice, ...]:
        """Strategies for a story, best first, as far as the moment lets the agent lead."""
        advice = s.now.advice
        chosen = choose(
            prompt.turn,
            prompt.history,
            valence=s.feeling.valence if s.feeling else 0.0,
            advice_wanted=advice,
            conduct=prompt.conduct,
        )
        may = _may(prompt)
        known = {choice.strategy for choice in chosen}
        rest = [one for one in _STATEMENTS if one in may and one not in known]
        least = min((choice.score for choice in chosen), default=0.0)
        chosen += tuple(Choice(one, least - 1, "nothing else fits better") for one in rest)
        if advice:
            wanted = Choice(Strategy.SUGGESTION, 0.0, "they ask for advice")
            told = next((c for c in chosen if c.strategy is Strategy.SUGGESTION), wanted)
            first = (told,) if Strategy.SUGGESTION in may else ()
            return first + tuple(c for c in chosen if c.strategy is not Strategy.SUGGESTION)
        out = set()
        if not leading:
            out |= {Strategy.QUESTION, Strategy.SUGGESTION}
        if self._no_ideas(s):
            out |= {Strategy.SUGGESTION, Strategy.INFORMATION}
        if not s.reflects:
            out.add(Strategy.REFLECTION)
        recent = [past.thought.strategy for past in s.history[-3:] if past.thought]
        if Strategy.RESTATEMENT in recent:
            out.add(Strategy.RESTATEMENT)  # said back too often, it is an echo
        kept = tuple(choice for choice in chosen if choice.strategy not in out)
        return kept or chosen

    def _no_ideas(self, s: Situation) -> bool:
        """Whether an idea nobody asked for would come too early, too often or unwanted."""
        unwanted = any(past.act and past.act.name == "listen_only" for past in s.past)
        recent = [p.thought.strategy for p in s.history[-_BETWEEN_IDEAS:] if p.thought]
        early = s.troubled_turns < 2 or s.new_topic or (s.named and s.new_feeling)
        return unwanted or early or Strategy.SUGGESTION in recent or s.valence != "negative"

    def _told(self, prompt: Prompt) -> str:
        return reminder(prompt.memories, prompt.history, _BETWEEN_REMINDERS)

    def _slots(
        self, s: Situation, thread: Thread, prompt: Prompt, facts: tuple[str, ...]
    ) -> dict[str, str]:
        said = plain(" ".join(past.reply for past in s.history))
        worth = (c for c in s.now.clauses if _WORTH_SAYING_BACK.search(plain(c)))
        clause = next((c for c in worth if plain(c) not in said), "")
        now = self._now()
        return {
            "clause": clause,
            "Clause": clause[:1].upper() + clause[1:],
            "thing": s.now.thing,
            "Thing": s.now.thing[:1].upper() + s.now.thing[1:],
            "earlier": thread.trouble or s.earlier,
            "trouble": thread.trouble,
            "them": s.now.about,
            "word": s.now.word,
            "name": prompt.conduct.name,
            "time": clock.time_of_day(now),
            "date": clock.date(now),
            "fact": facts[0] if facts else self._told(prompt),
            "facts": "; ".join(facts) if len(facts) > 1 else "",
        }


def _may(prompt: Prompt) -> frozenset[Strategy]:
    """Strategies that the answer to a story may follow."""
    wanted = frozenset(Strategy(name) for name in prompt.conduct.strategies) or frozenset(Strategy)
    return (allowed(prompt.history) & wanted) or wanted


def _stage(s: Situation, prompt: Prompt) -> str:
    value = s.feeling.valence if s.feeling else 0.0
    return stage_of(prompt.turn, prompt.history, valence=value, advice_wanted=s.now.advice)


def _understood(s: Situation) -> Situation:
    """The situation of a turn that there is something particular to say to."""
    act = s.now.act if s.now.act and s.now.act.name not in _SHALLOW else None
    unheard = s.now.unheard if s.now.unheard == "silence" else ""
    return replace(s, now=replace(s.now, act=act, unheard=unheard, word=""))
