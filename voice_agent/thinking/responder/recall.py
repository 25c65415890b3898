"""Answers to "do you remember?": out of what is known of the person, or out of this talk."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from voice_agent.events import Exchange, Memory
from voice_agent.thinking import knowledge
from voice_agent.thinking.memory.asking import Search, search_for
from voice_agent.thinking.memory.stemming import stems
from voice_agent.thinking.plain_words import plain
from voice_agent.thinking.responder.understanding import Reading

_QUESTION = re.compile(
    r"^((ok|so|and|hey|well|but|please|now|tell me|by the way) )*"
    r"(what|who|where|which|how|do|does|did|can|could|have|remember|tell"
    r"|when (is|was|are|were|do|does|did|have|has|had|will|would|can|could|should|am)"
    r"|when's)\b"
    r"|\b(do|did|can) you (still )?(remember|recall|know)\b|\bagain$"
)
_NAMED = re.compile(
    r"\b(?:my|our) (?P<whose>(?:\w+ )?\w+?)(?:'s)? "
    r"(?:name is|name was|(?:is|was) (?:called|named)) (?P<a>\w+)"
    r"|\b(?:his|her|its|he|she|it)(?: (?:full|first))? (?:name )?"
    r"(?:(?:is|was) (?:an? \w+ )?(?:called |named )|(?<=name )(?:is|was) )(?P<b>\w+)"
)
_OF_OLD = re.compile(
    r"^((ok|so|and|hey|well) )*((who|where|when|what|which \w+) (did|was|were) (i|my|we)\b"
    r"|who (?!(can|could|will|would|should|do|does|is|else|cares|wants)\b)\w+ (me|my)\b)"
)
_OF_ME = re.compile(
    r"^(what|which) (?!should|would)\w+ do i (like|love|have|eat|drink|drive|play)\b"
)
_ASKS_AGE = re.compile(r"\bhow old\b|\bage\b")
_NUMBER = re.compile(
    r"\b(\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|"
    r"twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)\b"
)
_AGED = re.compile(
    rf"\b(?P<who>he|she|(?:my|our) (?:\w+ )?\w+?)(?:'s)? (?:is |turned |just turned )?"
    rf"(?:only |just |already |almost |nearly )?(?P<age>{_NUMBER.pattern}(?: \w+ old)?)$"
)
_ASKS_NAME = re.compile(r"\b(called|named|names?|who (is|was|are|were))\b")
_NAME_OF = re.compile(r"what (?:is|was|are) the names? of my ([\w ]+)")
_OWN = re.compile(
    r"\b(i|me|my|mine|we|us|our|his|her|their)\b|\bdo you (remember|still (know|remember))\b"
)
_SOMEBODY = re.compile(
    r"\b(?:my|our|a|this|the) (?P<who>(?:best |little |big |old |oldest |youngest )?"
    r"(?:dog|cat|horse|rabbit|hamster|bird|parrot|puppy|kitten|pet|girlfriend|boyfriend|wife|husband|"
    r"partner|friend|brother|sister|son|daughter|baby|mom|dad|boss|colleague|teacher|neighbor|doctor|"
    r"girl|boy|car|boat|bike|van|plant|grandson|granddaughter|cousin|uncle|aunt|roommate))\b"
)
_MEN = set("husband boyfriend brother son dad boy uncle grandson".split())
_WOMEN = set("wife girlfriend sister daughter mom girl aunt granddaughter".split())
_NEAR_TURNS = 4
_LOOSE = "the name is"
_NAMING = ("called", "named", "name")
_MOST_OF_ALL = 3


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is known in answer to a question.

    Attributes:
        facts: Clauses that fit after "you told me that"; empty where nothing is known.
        earlier: They were told in an earlier conversation.
    """

    facts: tuple[str, ...] = ()
    earlier: bool = False


def recalled(said: str, memories: Sequence[Memory], past: Sequence[Reading]) -> Recalled | None:
    """What is known in answer to a turn; None where it asks for nothing that was told.

    Args:
        said: The turn in plain words.
        memories: What is known, the most fitting first.
        past: What was said in this talk, oldest first.
    """
    sought = _NAME_OF.sub(r"what is my \1's name", said)
    search = search_for(sought)
    if not search.asks and (_OF_OLD.search(said) or _OF_ME.search(said)):
        # It may be a question of something else: it counts only where the answer is known.
        found = recalled(f"do you remember {sought}", memories, past)
        if found is None or not (found.facts or _OF_ME.search(said)):
            return None
        return found
    if not search.asks or not _QUESTION.search(said) or not _OWN.search(said):
        return None
    if search.everything:
        told = [memory for memory in memories if memory.kind != "mood"][:_MOST_OF_ALL]
        return Recalled(tuple(m.text for m in told), any(m.earlier for m in told))
    naming = search.naming or _ASKS_NAME.search(said) is not None
    for memory in memories:
        if _ASKS_AGE.search(said) and not _NUMBER.search(plain(memory.text)):
            continue
        if _answers(search, f"{memory.text} {memory.about}", naming):
            return Recalled((memory.text,), memory.earlier)
    if _ASKS_AGE.search(said):
        aged = [one for one in _ages(past) if _answers(search, one, naming)]
        return Recalled(tuple(aged[-1:]))
    clauses = [clause for reading in past for clause in reading.clauses]
    names = list(_names(past)) if naming else []
    if names and not search.about and not search.terms:
        return Recalled((names[-1],))
    for clause in reversed(clauses + names):
        if _answers(search, clause, naming):
            return Recalled((clause,))
    loose = [name for name in names if name.startswith(_LOOSE)]
    return Recalled((loose[0],)) if len(loose) == 1 else Recalled()


def reminder(memories: Sequence[Memory], history: Sequence[Exchange], rest: int) -> str:
    """Something told in an earlier conversation that was not spoken of in this one.

    Args:
        memories: What is known, the most fitting first.
        history: The conversation.
        rest: Answers that must lie between two reminders.
    """
    earlier = [memory for memory in memories if memory.earlier]
    if not earlier:
        return ""
    recent = plain(" ".join(past.reply for past in history[-rest:]))
    if any(plain(memory.text) in recent for memory in earlier):
        return ""
    told = plain(
        " ".join(f"{past.reply} {past.user.text if past.user else ''}" for past in history)
    )
    fresh = (m.text for m in earlier if m.kind != "mood" and plain(m.text) not in told)
    return next(fresh, "")


def _names(past: Sequence[Reading]) -> Iterator[str]:
    """The names that were told: ``"your dog is called Taco"``."""
    for position, reading in enumerate(past):
        for match in _NAMED.finditer(reading.said):
            whose, name = match["whose"], match["a"] or match["b"]
            if whose is None:
                # Who is meant by "her" further back is anybody's guess, and a wrong name hurts.
                before = past[position - 1].said if position else ""
                whose = _last_mentioned(f"{before} {reading.said[: match.start()]}")
                whose = whose or _only_mentioned(past[:position], match[0].split()[0])
            if whose:
                yield f"your {whose} is called {name.capitalize()}"
            else:
                yield f"{_LOOSE} {name.capitalize()}"


def _ages(past: Sequence[Reading]) -> Iterator[str]:
    """The ages that were told: ``"your brother is six"``, and clauses with a number in them."""
    for position, reading in enumerate(past):
        yield from (clause for clause in reading.clauses if _NUMBER.search(plain(clause)))
        match = _AGED.search(reading.said)
        if match is None:
            continue
        who = match["who"]
        if who in ("he", "she"):
            before = past[position - 1].said if position else ""
            whose = _last_mentioned(before) or _only_mentioned(past[:position], who)
        else:
            whose = who.split(" ", 1)[1]
        if whose:
            yield f"your {whose} is {match['age']}"


def _last_mentioned(said: str) -> str:
    mentioned = list(_SOMEBODY.finditer(said))
    return mentioned[-1]["who"] if mentioned else ""


def _only_mentioned(past: Sequence[Reading], pronoun: str) -> str:
    """Whom a pronoun means that the talk was of a little further back; empty where it is unsure."""
    said = " ".join(reading.said for reading in past[-_NEAR_TURNS:])
    mentioned = {match["who"] for match in _SOMEBODY.finditer(said)}
    if pronoun in ("she", "her"):
        mentioned -= _MEN
    elif pronoun in ("he", "his"):
        mentioned -= _WOMEN
    return mentioned.pop() if len(mentioned) == 1 else ""


def _answers(search: Search, told: str, naming: bool) -> bool:
    """Whether something told is about whom or what a question asks for."""
    words = plain(told).split()
    if naming and not any(word in words for word in _NAMING):
        return False
    known = _stems(words)
    if search.about:
        return all(group & known for group in search.about)
    return bool(_stems(search.terms) & known) if search.terms else naming


def _stems(words: Iterable[str]) -> set[str]:
    """Words without their endings; irregular forms as those of their verb."""
    return set(stems(" ".join(_bases().get(word, word) for word in words)))


@lru_cache(maxsize=1)
def _bases() -> Mapping[str, str]:
    """The verbs of forms without an ending: ``met`` is of ``meet``."""
    forms = (entry.split() for entry in knowledge.load("language")["irregular"])
    return {form: base for base, *others in forms for form in others}
