"""Answers to "do you remember?": out of what is known of the person, or out of this talk."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from voice_agent.events import Exchange, Memory
from voice_agent.thinking.memory.asking import Search
from voice_agent.thinking.plain_words import plain
from voice_agent.thinking.responder.understanding import Reading

_NAMING = ("called", "named", "name")
_MOST_OF_ALL = 3
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


def recalled(
    said: str, search: Search, memories: Sequence[Memory], past: Iterable[Reading]
) -> Recalled:
    """What is known in answer to a question for something told earlier.

    Args:
        said: The question in plain words.
        search: What it looks for.
        memories: What is known, the most fitting first.
        past: What was said in this talk, oldest first.
    """
    if search.everything:
        told = [memory for memory in memories if memory.kind != "mood"][:_MOST_OF_ALL]
        return Recalled(tuple(m.text for m in told), any(m.earlier for m in told))
    naming = any(word in said.split() for word in (*_NAMING, "who"))
    for memory in memories:
        if _answers(search, f"{memory.text} {memory.about}", naming):
            return Recalled((memory.text,), memory.earlier)
    clauses = [clause for reading in past for clause in reading.clauses]
    for clause in reversed(clauses):
        if _answers(search, clause, naming):
            return Recalled((clause,))
    return Recalled()


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
    told = plain(" ".join(f"{past.reply} {past.user.text if past.user else ''}" for past in history))
    fresh = (m.text for m in earlier if m.kind != "mood" and plain(m.text) not in told)
    return next(fresh, "")


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
    if len(word) > 4:  # noqa: PLR2004
        for ending in _ENDINGS:
            if word.endswith(ending):
                return word[: -len(ending)]
    return word
