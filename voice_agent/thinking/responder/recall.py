"""Answers to "do you remember?": out of what is known of the person, or out of this talk."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from voice_agent.events import Exchange, Memory
from voice_agent.thinking.memory.asking import Search, search_for
from voice_agent.thinking.plain_words import plain
from voice_agent.thinking.responder.understanding import Reading

_QUESTION = re.compile(
    r"^((ok|so|and|hey|well|but|please|now|tell me|by the way) )*"
    r"(what|who|where|when|which|how|do|does|did|can|could|have|remember|tell)\b"
    r"|\b(do|did|can) you (still )?(remember|recall|know)\b|\bagain$"
)
_NAMED = re.compile(
    r"\b(?:my|our) (?P<whose>(?:\w+ )?\w+?)(?:'s)? "
    r"(?:name is|name was|(?:is|was) (?:called|named)) (?P<a>\w+)"
    r"|\b(?:his|her|its|he|she|it)(?: (?:full|first))? (?:name )?"
    r"(?:(?:is|was) (?:an? \w+ )?(?:called |named )|(?<=name )(?:is|was) )(?P<b>\w+)"
)
_NAME_OF = re.compile(r"what (?:is|was|are) the names? of my ([\w ]+)")
_OWN = re.compile(
    r"\b(i|me|my|mine|we|us|our|his|her|their)\b|\bdo you (remember|still (know|remember))\b"
)
_SOMEBODY = re.compile(
    r"\b(?:my|our|a|this|the) (?P<who>(?:best |little |big |old |oldest |youngest )?"
    r"(?:dog|cat|horse|rabbit|hamster|bird|parrot|puppy|kitten|pet|girlfriend|boyfriend|wife|husband|"
    r"partner|friend|brother|sister|son|daughter|baby|mom|dad|boss|colleague|teacher|neighbor|doctor|"
    r"girl|boy|grandson|granddaughter|cousin|uncle|aunt|roommate))\b"
)
_LOOSE = "the name is"
_NAMING = ("called", "named", "name")
_MOST_OF_ALL = 3
_LEAST_STEMMED = 5
_ENDINGS = ("ing", "ed", "es", "s", "e")


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
    search = search_for(_NAME_OF.sub(r"what is my \1's name", said))
    if not search.asks or not _QUESTION.search(said) or not _OWN.search(said):
        return None
    if search.everything:
        told = [memory for memory in memories if memory.kind != "mood"][:_MOST_OF_ALL]
        return Recalled(tuple(m.text for m in told), any(m.earlier for m in told))
    naming = any(word in said.split() for word in (*_NAMING, "who"))
    for memory in memories:
        if _answers(search, f"{memory.text} {memory.about}", naming):
            return Recalled((memory.text,), memory.earlier)
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
                mentioned = list(_SOMEBODY.finditer(f"{before} {reading.said[: match.start()]}"))
                whose = mentioned[-1]["who"] if mentioned else ""
            if whose:
                yield f"your {whose} is called {name.capitalize()}"
            else:
                yield f"{_LOOSE} {name.capitalize()}"


def _answers(search: Search, told: str, naming: bool) -> bool:
    """Whether something told is about whom or what a question asks for."""
    words = plain(told).split()
    if naming and not any(word in words for word in _NAMING):
        return False
    if search.about:
        return all(group.intersection(words) for group in search.about)
    sought = {_stem(term) for term in search.terms}
    return bool(sought.intersection(map(_stem, words))) if sought else naming


def _stem(word: str) -> str:
    if len(word) >= _LEAST_STEMMED:
        for ending in _ENDINGS:
            if word.endswith(ending):
                return word[: -len(ending)]
    return word
