"""What Whisper has read: words with the space before them, where they lie, how sure they are."""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from voice_agent.hearing.recognizers.faster_whisper.loudness import Loudness

UNSPACED = frozenset({"zh", "ja", "th", "lo", "my", "yue"})
"""Languages whose words Whisper does not tell apart: each of its letters counts as one."""

REPETITIVE = 2.4
"""Compression ratio from which on a text is a loop, as in OpenAI's Whisper."""

LONGEST_LOOP = 12
"""Words in what a loop repeats, at most."""


@dataclass(frozen=True, slots=True)
class ReadWord:
    """A word of a reading.

    Attributes:
        text: As written, with the space before it in languages that have spaces.
        start, end: Seconds from the beginning of the audio that was read.
        confidence: Mean probability of its tokens.
    """

    text: str
    start: float
    end: float
    confidence: float

    def later(self, seconds: float) -> Self:
        """The same word with its times counted from an earlier beginning."""
        return replace(self, start=self.start + seconds, end=self.end + seconds)


def joined(words: Iterable[ReadWord]) -> str:
    """The text of words."""
    return "".join(word.text for word in words).strip()


def whole(pieces: Iterable[ReadWord], language: str) -> list[ReadWord]:
    """Words out of what Whisper's tokens give: in languages with spaces each begins with one."""
    words: list[ReadWord] = []
    for piece in pieces:
        text = piece.text.strip()
        if not text:
            continue
        if language in UNSPACED:
            words.append(replace(piece, text=text))
        elif words and not piece.text[0].isspace():
            before = words[-1]
            words[-1] = ReadWord(
                before.text + text,
                before.start,
                piece.end,
                (before.confidence + piece.confidence) / 2,
            )
        else:
            words.append(replace(piece, text=f" {text}"))
    return words


def heard(words: Iterable[ReadWord], loudness: Loudness, length_s: float) -> list[ReadWord]:
    """Words where something sounds, with times that end with the sound and follow one another.

    A word in the middle of a silence was not heard but made up.
    """
    kept: list[ReadWord] = []
    for word in words:
        start = min(max(0.0, word.start), length_s)
        span = loudness.within(start, min(max(start, word.end), length_s))
        if span is None:
            continue
        after = kept[-1].start if kept else 0.0
        start = max(after, span[0])
        kept.append(replace(word, start=start, end=max(start, span[1])))
    return kept


def is_loop(text: str) -> bool:
    """Whether a text repeats itself as only a model that has lost its way does."""
    data = text.encode()
    return len(data) > REPETITIVE * len(zlib.compress(data))


def without_loop(words: Sequence[ReadWord]) -> list[ReadWord]:
    """Words up to the end of the first round of a loop at their end."""
    texts = [word.text.casefold() for word in words]
    for size in range(1, min(LONGEST_LOOP, len(texts) // 3) + 1):
        first = len(texts) - size
        while first > 0 and texts[first - 1] == texts[first - 1 + size]:
            first -= 1
        if len(texts) - first >= 3 * size:
            return list(words[: first + size])
    return list(words)
