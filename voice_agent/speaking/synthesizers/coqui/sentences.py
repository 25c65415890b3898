"""A phrase as a neural voice reads it: cut into sentences, with the words to say written out."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from voice_agent.speaking.normalization import spoken_form

_WORD_LIMIT = 60
"""Characters of what is said in one go without a white space between; longer ones are cut."""
_LEAST = 12
"""Characters a sentence needs before it may end: neural voices stumble over very short ones."""
_CLOSERS = "\"'”’»)] \t\n"
_ENDS = ".!?…。！？"
_CLAUSE_ENDS = ",;:—–、，"


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of the phrase and what is said for it.

    Attributes:
        source: The piece, white space included; empty where what is said goes on with the piece
            before.
        said: What is said for it, white space included.
    """

    source: str
    said: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words that a voice renders in one go.

    Attributes:
        words: At least one; each has something to say.
        ends: Whether it ends as a sentence does, rather than where it became too long.
    """

    words: tuple[Word, ...]
    ends: bool

    @property
    def said(self) -> str:
        """The text to say."""
        return "".join(word.said for word in self.words)

    @property
    def source(self) -> str:
        """The text that it stands for."""
        return "".join(word.source for word in self.words)


def sentences(text: str, language: str, limit: int) -> list[Sentence]:
    """Cuts a phrase into sentences whose sources join to it; none where nothing can be said.

    Args:
        text: The phrase.
        language: Its language, as ``en``.
        limit: Characters that the voice takes in one go at most, as they are said.
    """
    words = list(_words(text, language))
    found: list[Sentence] = []
    begin = size = 0
    for end, word in enumerate(words, 1):
        size += len(word.said)
        follows = len(words[end].said) if end < len(words) else 0
        closes = _ends_with(word, _ENDS) and size >= _LEAST
        if closes or not follows or size + follows > limit:
            found.append(Sentence(tuple(words[begin:end]), closes or not follows))
            begin, size = end, 0
        elif _ends_with(word, _CLAUSE_ENDS) and size > limit // 2:
            found.append(Sentence(tuple(words[begin:end]), False))
            begin, size = end, 0
    return found


def _words(text: str, language: str) -> Iterator[Word]:
    """The words of a phrase; what has no sound goes with the word before it, or the first."""
    source = said = ""
    for piece, told in spoken_form(text, language):
        told = "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in told)
        if _sounds(told) and _sounds(said):
            yield from _cut(source, said)
            source = said = ""
        source += piece
        said += told
    if _sounds(said):
        yield from _cut(source, said)


def _cut(source: str, said: str) -> Iterator[Word]:
    """One word, or several where it is too long to be said in one go."""
    parts = [""]
    for part in re.findall(rf"\S{{1,{_WORD_LIMIT}}}\s*|^\s+", said):
        if _sounds(part) and _sounds(parts[-1]) and len(said) > _WORD_LIMIT:
            parts.append(part)
        else:
            parts[-1] += part
    for part in parts:
        yield Word(source, part)
        source = ""


def _sounds(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _ends_with(word: Word, marks: str) -> bool:
    return word.said.rstrip(_CLOSERS)[-1:] in tuple(marks)
