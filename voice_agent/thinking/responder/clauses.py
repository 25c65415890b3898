"""English clauses, as far as words alone tell: where they begin, and whether one is whole.

Recognised speech has no marks and no capitals, so both are told by the words: a clause begins with
a subject, has a finite verb that agrees with it, and does not end on a word that wants another.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?(?:-[^\W_]+)*")
_MARK = re.compile(r"[.!?,;:…\n—–()\"“”]+| - ")
_TRAILING = frozenset("um uh like though too lol so even luckily unfortunately".split())
_LONGEST_SUBJECT = 5
_LONG_LEAD = 3
_LONGEST_GAP = 2  # a verb and a word after it: "the job I wanted most"
_ENDINGS = ("'s", "'d", "'ll", "'m", "'ve", "'re")
_NOMINATIVE = frozenset("i im he she we they i'm i've i'd i'll he's she's we're they're".split())
_FEELING = frozenset(
    "excited tired scared worried bored annoyed disappointed embarrassed ashamed surprised shocked "
    "married divorced interested confused exhausted depressed stressed relieved pleased used "
    "frustrated disgusted devastated terrified need feed speed seed indeed hundred".split()
)
_TIMES = frozenset("day week night morning month year weekend evening afternoon summer".split())
_OWNERS = frozenset("my our his her their".split())
_BE = frozenset("is are was were".split())
_PERSONS = frozenset("i he she we they it you me him us them who that which".split())


@dataclass(frozen=True)
class Clause:
    """A stretch of a turn that belongs together.

    Attributes:
        words: Its words as they came, without the joint in front.
        joint: The word that joins it to what went before (``because``); empty for none.
        mark: The mark behind it.
        text: It as it came.
    """

    words: tuple[str, ...]
    joint: str = ""
    mark: str = ""
    text: str = ""

    @cached_property
    def lower(self) -> tuple[str, ...]:
        """Its words in lower case."""
        return tuple(word.lower().replace("’", "'") for word in self.words)


class Grammar:
    """What is known of clauses.

    Args:
        language: The contents of ``knowledge/language.yaml``.
    """

    def __init__(self, language: Mapping[str, Any]) -> None:
        self.subjects = frozenset(language["subjects"])
        self.determiners = frozenset(language["determiners"])
        self.singular = frozenset(language["singular"])
        self.adverbs = frozenset(language["adverbs"])
        self.names = frozenset(language["capitals"])
        self._nominal = self.determiners | self.subjects
        self._fillers = frozenset(language["fillers"])
        self._leads = sorted((tuple(lead.split()) for lead in language["leads"]), key=len)[::-1]
        self._asides = [lead for lead in self._leads if len(lead) >= _LONG_LEAD]
        self._joints = frozenset(language["joints"])
        self._links = frozenset(language["links"])
        self._function = frozenset().union(
            *(language[name] for name in ("fillers", "joints", "links", "adverbs", "helpers")),
            *(language[name] for name in ("dangling", "plural_verbs", "singular_verbs", "was")),
            _PERSONS,
            "here me him us mine yours not one".split(),
        )
        self._complete = frozenset(language["complete"])
        self._dangling = frozenset(language["dangling"])
        self._helpers = frozenset(language["helpers"])
        self._plural = frozenset(language["plural_verbs"])
        self._singular_verbs = frozenset(language["singular_verbs"])
        self._was = frozenset(language["was"])
        forms = [entry.split() for entry in language["irregular"]]
        self._bases = frozenset([base for base, *_ in forms] + language["regular"]) - {"be"}
        self._pasts = frozenset(past for _, past, *_ in forms) | frozenset(
            _past(base) for base in language["regular"]
        )
        self._thirds = frozenset(_third(base) for base in self._bases)
        takers = frozenset(language["clause_takers"])
        past_of = {base: past for base, past, *_ in forms}
        self._takers = takers | frozenset(
            form
            for base in takers & self._bases
            for form in (_third(base), past_of.get(base, _past(base)), f"{base}ing")
        )

    def clauses(self, text: str) -> list[Clause]:
        """The clauses of a text, in order; each trimmed of fillers at its ends."""
        found: list[Clause] = []
        for piece, mark in _pieces(text):
            found += [
                Clause(clause.words, clause.joint, mark if last else "", clause.text)
                for clause, last in self._divided(piece)
            ]
        return [clause for clause in found if clause.words]

    def is_whole(self, lower: Sequence[str]) -> bool:
        """Whether plain lower-case words are a whole statement, from its subject on."""
        if len(lower) < 3 or lower[-1] in self._dangling:
            return False
        if any(a == b for a, b in pairwise(lower)):
            return False
        return self.verb(lower) is not None

    def verb(self, lower: Sequence[str]) -> int | None:
        """Where the finite verb stands that goes with the subject at the front, or None."""
        end, plural = self._subject(lower) if len(lower) > 1 else (None, False)
        if end is None:
            return None
        if "'" in lower[end - 1] and lower[end - 1].endswith(_ENDINGS) and end == 1:
            return 0
        for position in range(end, len(lower)):
            word = lower[position]
            if self._finite(word, plural):
                return position
            if word not in self.adverbs:
                return None
        return None

    def has_any_verb(self, words: Sequence[str]) -> bool:
        """Whether some word may be a finite verb."""
        return any(
            self._finite(word, True) or self._finite(word, False) or "'" in word for word in words
        )

    def _finite(self, word: str, plural: bool) -> bool:
        if word in self._helpers or word in self._pasts:
            return True
        if word.endswith("ed") and len(word) > 4 and word not in _FEELING:
            return True
        if plural:
            return word in self._plural or word in self._bases or word in self._was
        return word in self._singular_verbs or word in self._thirds or word in self._was

    def _subject(self, lower: Sequence[str]) -> tuple[int | None, bool]:
        """How many words the subject at the front has (None for none), and whether it is plural."""
        first = lower[0]
        if first == "no" and lower[1] == "one" and not self._links.issuperset(lower[2:3]):
            return 2, False
        if first in ("me", "i") and lower[1:2] == ("and",) and len(lower) > 3:
            return self._noun_subject(lower, 2, joined=True)
        if first in ("that", "this") and self._nominal.issuperset(lower[1:2]):
            return None, False
        if first in self.subjects and (first not in self.determiners or self._verb_next(lower)):
            return 1, first not in self.singular
        if first in self.determiners:
            return self._noun_subject(lower, 0)
        if first in self.names:
            return 1, False
        return self._bare_noun(lower)

    def _bare_noun(self, lower: Sequence[str]) -> tuple[int | None, bool]:
        """A noun without a determiner, which its verb tells: ``work is``, ``kids are``."""
        first, following = lower[0], lower[1]
        if first in self._function or not first.isalpha():
            return None, False
        plural = _plural_noun([first])
        if following in (self._plural if plural else self._singular_verbs) | self._was:
            return (1, plural) if following != "am" else (None, False)
        return None, False

    def _verb_next(self, lower: Sequence[str]) -> bool:
        follows = next((word for word in lower[1:3] if word not in self.adverbs), "")
        return follows in self._singular_verbs or follows in self._was or follows in self._helpers

    def _noun_subject(
        self, lower: Sequence[str], start: int, joined: bool = False
    ) -> tuple[int | None, bool]:
        """A determiner, up to some words, and then what may be the verb."""
        for end in range(start + 2, min(len(lower), start + _LONGEST_SUBJECT + 1)):
            word = lower[end]
            if lower[end - 1] in self._links or lower[end - 1] in self.determiners:
                continue
            if word in ("and", "or") or word in self._links:
                continue
            ahead = next((w for w in lower[end:] if w not in self.adverbs), "")
            if word in _PERSONS and lower[end - 1] != "and":
                return None, False
            plural = _plural_noun(lower[start:end])
            joined = joined or "and" in lower[start:end]
            if self._finite(ahead, plural) or (joined and self._finite(ahead, True)):
                return end, plural or joined
        return None, False

    def _divided(self, piece: str) -> Iterator[tuple[Clause, bool]]:
        """The clauses of a stretch without marks, and whether each is its last."""
        spans = list(_WORD.finditer(piece))
        words = [span[0] for span in spans]
        lower = [word.lower().replace("’", "'") for word in words]
        starts = [0, *(at for at in range(1, len(words)) if self._begins(lower, at))]
        begun = 0
        bounds = []
        for start in starts[1:]:
            linked = lower[start] in ("and", "or", "but")
            if (start - begun >= 3 or lower[start] in self._joints) and not (
                linked and not self.has_any_verb(lower[begun:start])
            ):
                bounds.append((begun, start))
                begun = start
        bounds.append((begun, len(words)))
        for start, end in bounds:
            last = end == len(words)
            joint = lower[start] if start < end and lower[start] in self._joints else ""
            first, stop = self._trimmed(lower, start, end)
            text = piece[spans[first].start() : spans[stop - 1].end()] if first < stop else ""
            yield Clause(tuple(words[first:stop]), joint, "", text), last

    def _begins(self, lower: Sequence[str], at: int) -> bool:
        """Whether a new clause begins there: at a joint, or at a subject that nothing leads to."""
        word, before = lower[at], lower[at - 1]
        rest = lower[at + 1 : at + 9]
        if any(lower[at : at + len(lead)] == list(lead) for lead in self._asides):
            return True
        if word in self._joints and word != "that" and rest:
            skip = 1 if rest[0] in self._fillers and len(rest) > 1 else 0
            return rest[skip] in _NOMINATIVE or self._leads_a_clause(rest[skip:])
        if word == "there" and rest and rest[0] in _BE and before not in self._takers:
            return before not in self._links or before == "not"
        if before in self._joints or before in self._links or before in self._takers:
            return False
        if word in ("because", "cause", "cos", "since") and before not in self._links:
            return True
        if before in self._complete and word in self.determiners:
            return self.verb(lower[at : at + _LONGEST_SUBJECT + 1]) is not None
        if word in _NOMINATIVE and before not in self.determiners:
            told = (
                at >= 2 and lower[at - 2] in self._takers and before in ("me", "us", "him", "her")
            )
            relative = self._ends_in_a_noun(lower[max(0, at - 4) : at])  # "the dog we had"
            return not told and not relative and self.verb(lower[at : at + 5]) is not None
        return False

    def may_run_on(self, lower: Sequence[str]) -> bool:
        """Whether it may be two clauses: "a city I have no friends in" reads like "a dog I had"."""
        for at in range(2, len(lower) - 1):
            if lower[at] in _NOMINATIVE and self._ends_in_a_noun(lower[max(0, at - 4) : at]):
                verb = self.verb(lower[at : at + _LONGEST_SUBJECT])
                if verb is not None and len(lower) - (at + verb) > _LONGEST_GAP:
                    return True
        return False

    def _ends_in_a_noun(self, lower: Sequence[str]) -> bool:
        """Whether these words end in a noun that a clause may go on to describe."""
        if lower[-1] in _TIMES or lower[-1] in self._links | self._takers:
            return False
        for position in range(len(lower) - 2, -1, -1):
            if lower[position] in self.determiners:
                return lower[position] not in _OWNERS  # "my exam I" begins anew
            if self._finite(lower[position], True) or self._finite(lower[position], False):
                return False
        return False

    def _leads_a_clause(self, lower: Sequence[str]) -> bool:
        return bool(lower) and self.verb(tuple(lower)) is not None

    def _trimmed(self, lower: Sequence[str], start: int, end: int) -> tuple[int, int]:
        while start < end:
            lead = next(
                (lead for lead in self._leads if tuple(lower[start : start + len(lead)]) == lead),
                None,
            )
            if lead and end - start > len(lead) + 2:
                start += len(lead)
            elif lower[start : start + 2] == ["no", "one"]:
                break
            elif lower[start] in self._fillers or (
                lower[start] in self._joints and end - start > 1
            ):
                start += 1
            else:
                break
        while end > start and lower[end - 1] in _TRAILING:
            end -= 1
        return start, end


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Stretches between marks, each with the mark behind it."""
    begun = 0
    for match in _MARK.finditer(text):
        yield text[begun : match.start()], match[0].strip()
        begun = match.end()
    yield text[begun:], ""


def _plural_noun(words: Sequence[str]) -> bool:
    head = words[-1]
    for position, word in enumerate(words):
        if word in ("of", "from", "at", "in", "with", "on", "next") and position > 1:
            head = words[position - 1]
            break
    irregular = head in {"people", "children", "kids", "men", "women", "parents", "police", "feet"}
    return irregular or (head.endswith("s") and not head.endswith(("ss", "us", "is", "'s")))


def _third(base: str) -> str:
    if base.endswith(("s", "sh", "ch", "x", "z", "o")):
        return f"{base}es"
    return f"{base[:-1]}ies" if base.endswith("y") and base[-2] not in "aeiou" else f"{base}s"


def _past(base: str) -> str:
    if base.endswith("e"):
        return f"{base}d"
    if base.endswith("y") and base[-2] not in "aeiou":
        return f"{base[:-1]}ied"
    short = re.fullmatch(
        r"[^aeiou]*[aeiou][bdgklmnprt]|.*(?:fer|mit|gret|pel|cel|nap|rop|top)", base
    )
    return f"{base}{base[-1]}ed" if short and not base.endswith("w") else f"{base}ed"
