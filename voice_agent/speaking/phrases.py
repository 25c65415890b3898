"""Phrases out of a token stream: the first one small, so that the voice begins early.

Later ones grow to sentences, which sound better in one go. The phrases joined are the text.
"""

import re

_LIMIT = 280
"""Characters after which a phrase ends at the last white space, and at twice that anywhere."""

_CLAUSE_WORDS = (2, 6, 14)
"""Words a phrase needs before a comma may end it: the first, the second, all later ones."""

_OPENING_WORDS = (6, 9)
"""Without punctuation the first phrase ends before a joining word from 6 words on, or after 9."""

_ASIDE_LIMIT = 120
"""Characters after which an aside that was opened counts as forgotten rather than open."""

_CLOSERS = r"""["'”’»)\]*_]*+(?=\s)"""
_SENTENCE_END = re.compile(rf"(?<![.!?…。！？])[.!?…。！？]++{_CLOSERS}|\n")
_CLAUSE_END = re.compile(rf"[,;:]{_CLOSERS}|\s[–—-]++(?=\s)|—(?=\s)")
_ABBREVIATION = re.compile(
    r"""["'“‘(\[*_]*+
    (?: dr|mr|mrs|ms|prof|st|jr|sr|rev|gen|sgt|capt|lt|vol|approx|dept|est|vs|cf|mt|ave
      | jan|feb|aug|sept?|oct|nov|dec|[a-hj-z]|[a-z](?:\.[a-z])+ )\.""",
    re.IGNORECASE | re.VERBOSE,
)
_LIST_NUMBER = re.compile(r"\d{1,2}\.")
_STARS = re.compile(r"\*+(?=\S)|(?<=\S)\*+")
_BRACKET = re.compile(r"(?<![:;=8-])[(\[]|[)\]]")
_WORD = re.compile(r"(?<!\S)\S++(?=\s)")
_JOINING = frozenset(
    "and but or so because that when while if as since though although until unless which who "
    "where with without for from to in on at of about like into over after before than".split()
)


class PhraseSplitter:
    """Cuts one reply into phrases as its text arrives.

    A phrase ends after its white space. Where the cuts fall does not depend on how the text was
    cut into deltas.
    """

    def __init__(self) -> None:
        self._rest = ""
        self._count = 0

    def push(self, delta: str) -> list[str]:
        """Takes more text; returns the phrases that are complete."""
        self._rest += delta
        phrases = []
        while end := self._cut():
            phrases.append(self._rest[:end])
            self._rest = self._rest[end:]
            self._count += 1
        return phrases

    def flush(self) -> list[str]:
        """Ends the reply; returns its last phrase, if any text is left."""
        phrases = [self._rest] if self._rest else []
        self._rest = ""
        self._count = 0
        return phrases

    def _cut(self) -> int:
        """Where the next phrase ends, its white space included; 0 if it is not complete."""
        punctuated = _first(self._sentence(), self._clause())
        end = _first(self._opening(punctuated) or punctuated, self._limit())
        while 0 < end < len(self._rest) and self._rest[end].isspace():
            end += 1
        return end

    def _sentence(self) -> int:
        for match in _SENTENCE_END.finditer(self._rest, self._begin_of(1 if self._count else 2)):
            before = self._rest[: match.end()]
            if match.group() == "\n" or not (_abbreviates(before) or _in_aside(before)):
                return match.end()
        return 0

    def _clause(self) -> int:
        needed = _CLAUSE_WORDS[min(self._count, len(_CLAUSE_WORDS) - 1)]
        for match in _CLAUSE_END.finditer(self._rest, self._begin_of(needed)):
            if not _in_aside(self._rest[: match.end()]):
                return match.end()
        return 0

    def _begin_of(self, number: int) -> int:
        """Where the word of that number begins, counted from 1; the end if it did not yet."""
        for word in _WORD.finditer(self._rest):
            number -= any(character.isalnum() for character in word.group())
            if number == 0:
                return word.start()
        return len(self._rest)

    def _opening(self, punctuated: int) -> int:
        """A place for the first phrase to end where no punctuation comes in time."""
        if self._count:
            return 0
        words = list(_WORD.finditer(self._rest))
        if punctuated:
            words = [word for word in words if word.end() < punctuated]
        least, most = _OPENING_WORDS
        for seen in range(least, min(len(words), most) + 1):
            for word in reversed(words[3:seen]):
                joins = word.group().lower() in _JOINING
                if joins and not _in_aside(self._rest[: word.start()]):
                    return word.start()
        if len(words) >= most and not _in_aside(self._rest[: words[most - 1].end()]):
            return words[most - 1].end()
        return 0

    def _limit(self) -> int:
        text = self._rest
        if len(text) <= _LIMIT:
            return 0
        space = max(text.rfind(" ", _LIMIT // 2, _LIMIT), text.rfind("\t", _LIMIT // 2, _LIMIT))
        if space > 0:
            return space + 1
        return 2 * _LIMIT if len(text) > 2 * _LIMIT else 0


def _first(*places: int) -> int:
    return min((place for place in places if place), default=0)


def _abbreviates(before: str) -> bool:
    """Whether a full stop belongs to an abbreviation, an initial or the number of a list item."""
    word = before.rsplit(maxsplit=1)[-1]
    opens_line = before[: -len(word)].rstrip(" \t")[-1:] in ("", "\n")
    return bool(_ABBREVIATION.fullmatch(word) or (opens_line and _LIST_NUMBER.fullmatch(word)))


def _in_aside(before: str) -> bool:
    """Whether brackets or asterisks stand open, so that a cut would tear an aside apart."""
    line = before[before.rfind("\n") + 1 :]
    stars = [match.start() for match in _STARS.finditer(line)]
    if len(stars) % 2 and stars[-1] > len(line) - _ASIDE_LIMIT:
        return True
    open_at: list[int] = []
    for match in _BRACKET.finditer(line):
        if match.group() in "([":
            open_at.append(match.start())
        elif open_at:
            open_at.pop()
    return bool(open_at) and open_at[-1] > len(line) - _ASIDE_LIMIT
