"""Answers to "do you remember?": out of what is known of the person, or out of this talk."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from voice_agent.events import Exchange, Memory
from voice_agent.thinking.plain_words import plain
from voice_agent.thinking.responder.understanding import Reading

_OWN = r"(my|our|i|me|we|his|her|their|its)"
_ASKS = re.compile(
    r"\b(do|can|did) you (still )?(remember|recall|know|forget|guess) (?!how\b|if\b|me$|you\b)"
    rf".*\b{_OWN}\b"
    r"|\bwhat (did|have) (i|we) (just |already )?(tell|told|say|said|talk|mention\w*)\b"
    r"|\b(did|have) i (already |ever )?(tell|told|mention\w*)( you)?\b"
    r"|\bwhat do you (know|remember) (about|of|from) (me|us|my|our|last|before|yesterday)\b"
    rf"|\b(what|who|where|when|which) (is|are|was|were) {_OWN}\b(?! (problem|point|fault|doing))"
    rf"|\bhow (old|many|long|much) (is|are|was|were|do|have|did|has) {_OWN}\b"
    r"|\b(where|when|what) (do|did|am|was) i (live|work|do for|study|from|born|going|getting|come)"
    rf"|\b(what|who|where|when) .*\b{_OWN}\b.* again$"
    r"|\bwhat was (his|her|its|their|the) name\b"
)
_OPEN = re.compile(
    r"\bwhat do you (know|remember) (about|of) (me|us)\b"
    r"|\bwhat (did|have) (i|we) (tell|told|say|said|talk\w*)( you| about)*( so far| before| today"
    r"| yesterday| last time)?$|\bdo you remember (me|us|what|last time)\b.{0,24}$"
)
_NAME = re.compile(r"\b(name|names|called|who is|who are|who was)\b")
_NAMING = re.compile(r"\b(called|named|name)\b")
_EMPTY = frozenset(
    "a an the this that what who where when which how do does did can could you your i my me we our "
    "us is are was were am be have has had of to in on at for from with about and or it its he she "
    "his her him they them their tell told say said talk talked mention mentioned remember recall "
    "know forget again still just already ever old many long much name names called guess please "
    "called named so ok hey tell".split()
)
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


def asks(said: str) -> bool:
    """Whether the plain words ask for something that the person told of themselves."""
    return _ASKS.search(said) is not None


def recalled(said: str, memories: Sequence[Memory], past: Iterable[Reading]) -> Recalled:
    """What is known in answer to a question that ``asks``.

    Args:
        said: The question in plain words.
        memories: What is known, the most fitting first.
        past: What was said in this talk, oldest first.
    """
    sought = _stems(said)
    if _OPEN.search(said) and not sought - {"time", "last", "befor", "yesterday", "today", "far"}:
        told = [memory for memory in memories if memory.kind != "mood"][:_MOST_OF_ALL]
        return Recalled(tuple(m.text for m in told), any(m.earlier for m in told))
    naming = _NAME.search(said) is not None
    for memory in memories:
        if _answers(sought, f"{memory.text} {memory.about}", naming):
            return Recalled((memory.text,), memory.earlier)
    clauses = [clause for reading in past for clause in reading.clauses]
    fitting = [clause for clause in clauses if _answers(sought, clause, naming)]
    return Recalled((fitting[-1],)) if fitting else Recalled()


def reminder(memories: Sequence[Memory], history: Sequence[Exchange], rest: int) -> str:
    """Something told in an earlier conversation that was not spoken of in this one.

    Args:
        memories: What is known, the most fitting first.
        history: The conversation.
        rest: Answers that must lie between two reminders.
    """
    told = plain(" ".join(f"{past.reply} {past.user.text if past.user else ''}" for past in history))
    recent = plain(" ".join(past.reply for past in history[-rest:]))
    for memory in memories:
        if plain(memory.text) in recent and memory.earlier:
            return ""
    for memory in memories:
        if memory.earlier and memory.kind != "mood" and plain(memory.text) not in told:
            return memory.text
    return ""


def _answers(sought: frozenset[str], told: str, naming: bool) -> bool:
    said = plain(told)
    if naming and not _NAMING.search(said):
        return False
    return bool(sought) and sought <= _stems(said) | {"my"}


def _stems(said: str) -> frozenset[str]:
    found = set()
    for word in said.split():
        bare = word.removesuffix("'s")
        if bare not in _EMPTY:
            found.add(re.sub(r"(ing|ies|ied|ed|es|s|e|y)$", "", bare) if len(bare) > 3 else bare)
    return frozenset(found)
