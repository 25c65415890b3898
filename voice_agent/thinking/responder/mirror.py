"""Turns a person's own words round: ``"my boss yelled at me"`` → ``"your boss yelled at you"``.

Only clauses that are surely whole are turned round, and only where every word of it is turned: a
mirror of half a sentence, or of words that were misheard, is worse than none.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from voice_agent.thinking.responder.clauses import Clause, Grammar

_LONGEST = 14
_SHORTEST = 3
_FIRST = frozenset(
    "i i'm i've i'd i'll im ive me my mine myself we we're we've us our ours".split()
)
_ADDRESSED = frozenset("you you're your yours yourself you've you'd you'll u ur ya".split())
_NEVER = re.compile(
    # asides and exclamations, things only thought of, and what asks or orders
    r"\b((oh )?my (god|goodness|gosh|word|bad|lord|opinion)|excuse me|trust me|believe me"
    r"|let me|let us|tell me (?!that)|ask me (?!to)|help me$|um|uh|er|erm|hmm|maybe|perhaps"
    r"|i is|i has|i does|i goes|me am|am i|was i|are we|do i|did i|have i|should i|can i|could i"
    r"|would i|will i"
    r"|i's|me and i|my i|i my|i me|we is|they is|he are|she are|he have|she have"
    r"|before (i'm|i am)|(am|is|are|was|were) (i|he|she|they|we) (is|are|was|am)"
    r"|(wonder|wondered|wondering|ask|asked) (i|my|he|she|they|we|the|our)"
    r"|(the|a|an) (of|in|to|and|are|is|the|was|were|with|for|at|on|a|an|i|he|she|they|we)"
    r"|(the|a|an) (my|your|his|our|their|this|that)"
    r"|(he|she|they|we|i) (the|a|of|in|to|and|at|for|my)|(my|your|his|our|their) (the|a|is|are|was"
    r"|of|to|and|in|on|it|i|he|she|they|we|my|am)|(to|of|at|for|with) (is|are|was|were|and|i|he|she"
    r"|they|we))\b"
)
_ASKING = frozenset("what why how who where when which".split())
_COMPOUND = re.compile(r"\b((?:my|our) (?:[\w'-]+ ){1,2}?)and (i|me|myself)\b", re.IGNORECASE)
_CARRIED_ON = re.compile(
    # whether "was" still goes with "I" is anybody's guess
    r"^(?:i|i'm|i've|we)\b.*\b(?:he|she|it|they|that|who|which|there)\b.*"
    r" (?:and|but|or|then) (?:\w+ly )?was(?:n't)?\b"
)
_REPORTED = frozenset("was should could would had did were".split())
_SAID_I = re.compile(r"^(i|i'm|i've|i'll|i'd|im|my|me)$")


class Mirror:
    """Finds clauses in a turn and turns them round.

    Args:
        language: The contents of ``knowledge/language.yaml``.
        grammar: What tells whole clauses.
    """

    def __init__(self, language: Mapping[str, Any], grammar: Grammar | None = None) -> None:
        self._swaps: Mapping[str, Mapping[str, str]] = language["swaps"]
        self._speech = frozenset(language["speech"])
        self._grammar = grammar or Grammar(language)

    def clauses(self, text: str) -> list[str]:
        """The whole clauses of a turn, turned round, in their order, without a final stop."""
        turned = (self.turned(clause) for clause in self._grammar.clauses(text))
        return [one for one in turned if one]

    def turned(self, clause: Clause, person: str = "you") -> str:
        """A clause turned round; empty where it may not be whole, true or wholly turned.

        Args:
            clause: A clause of the person's.
            person: ``you`` to say it to them, ``they`` to say it of them.
        """
        return self.turn_round(clause.words, person) if self.may_turn(clause) else ""

    def may_turn(self, clause: Clause) -> bool:
        """Whether a clause is surely whole, and nothing in it stays as it is that must not."""
        lower = clause.lower
        if not _SHORTEST <= len(lower) <= _LONGEST or "?" in clause.mark:
            return False
        if clause.joint in ("unless", "until", "whenever", "though", "although"):
            return False
        if _ADDRESSED.intersection(lower) or _ASKING.intersection(lower[1:2]):
            return False
        said = " ".join(lower)
        if _NEVER.search(said) or _CARRIED_ON.search(said):
            return False
        if self._quotes(lower) or not self._grammar.is_whole(lower):
            return False
        return lower[0] != "if" and not self._grammar.may_run_on(lower)

    def turn_round(self, words: Sequence[str], person: str = "you") -> str:
        """Exchanges the person for the one spoken to, or for the one spoken of."""
        swaps = self._swaps[person]
        tokens = _reordered([word.replace("’", "'") for word in words])
        out: list[str] = []
        mine = False  # the verb that comes next goes with "I"
        for position, word in enumerate(tokens):
            lower = word.lower()
            before = tokens[position - 1].lower() if position else ""
            if lower in ("was", "wasn't") and mine:
                out.append("were" if lower == "was" else "weren't")
            elif lower == "mine" and before in ("a", "the", "coal", "gold", "this", "that"):
                out.append(lower)
            elif lower in swaps:
                out.append(swaps[lower])
            else:
                out.append(self._cased(word, position, tokens))
            mine = self._goes_with_i(tokens, position, mine)
        return " ".join(out)

    def _goes_with_i(self, tokens: Sequence[str], position: int, mine: bool) -> bool:
        """Whether "was" after this word goes with "I": "I never was", "I fell and was"."""
        lower = tokens[position].lower()
        if lower in ("i", "we"):
            return True
        if lower in self._grammar.adverbs:
            return mine
        if lower in ("and", "but", "or", "then"):
            first = tokens[0].lower()
            others = {"he", "she", "it", "they", "that", "who", "which"}
            said = {one.lower() for one in tokens[1 : position + 1]}
            return first in ("i", "i'm", "i've") and not others.intersection(said)
        compound = "and" in [one.lower() for one in tokens[: position + 1]]
        return compound and tokens[0].lower() in ("me", "i") and position <= 3

    def _cased(self, word: str, position: int, tokens: Sequence[str]) -> str:
        lower = word.lower()
        shouting = all(one.isupper() for one in tokens if len(one) > 1)
        if lower in self._grammar.names:
            return lower[0].upper() + lower[1:]
        if shouting or (position == 0 and not word.isupper()):
            return lower
        if word.isupper() and len(word) > 1:
            return word
        return word if position and word[0].isupper() else lower

    def _quotes(self, lower: Sequence[str]) -> bool:
        """Whether it may quote somebody word for word, so that "I" may be somebody else."""
        for position, (said, after) in enumerate(pairwise(lower)):
            if said not in self._speech or not position:
                continue
            whose = lower[position - 1]
            if said == "like" and whose not in ("was", "were", "is", "am", "i'm", "all"):
                continue
            if whose in ("i", "never", "always", "i've") and "i" in lower[:position]:
                continue  # "I said I would": the same person
            if _SAID_I.match(after) and after not in ("my", "me"):
                past = next((one for one in lower[position + 2 :]), "")
                if after == "i" and past in (
                    "was",
                    "should",
                    "could",
                    "would",
                    "had",
                    "did",
                    "were",
                ):
                    continue
                return True
        return False


def _reordered(words: Sequence[str]) -> list[str]:
    """``my sister and I`` becomes ``I and my sister``, so that "you" comes first when turned."""
    text = " ".join(words)
    text = _COMPOUND.sub(lambda match: f"{match[2]} and {match[1].rstrip()}", text, count=1)
    return re.sub("^me and ", "I and ", text, flags=re.IGNORECASE).split()
