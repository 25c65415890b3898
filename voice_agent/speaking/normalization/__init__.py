"""Written text as it is said, for voices that read letters alone.

Neural voices stumble over ``$3.50``, ``Dr.`` and ``NHS``: the words for them must be written out.
English is done in full; in other languages numbers are.
"""

import re
from collections.abc import Iterator

from voice_agent.speaking.normalization import english, other_languages
from voice_agent.speaking.normalization.reading import Reading


def spoken_form(text: str, language: str) -> list[tuple[str, str]]:
    """Writes out what a text leaves to its reader: numbers, money, dates, units, abbreviations.

    Args:
        text: What to say, without markup (``speaking.text.speakable``).
        language: BCP 47, as ``en`` or ``pt-BR``; numeric dates are month first, except in English
            of other regions than the United States.

    Returns:
        Pairs of a piece of the text and what is said for it: as a rule a word, or several that
        are said as one (``5 km``), white space after them included. The pieces joined are the
        text; what is said joined is what to give to the voice, where each piece ends with white
        space if its source does. It is empty for a piece that is not said.

    Raises:
        EngineUnavailable: num2words is not installed.
    """
    if language.partition("-")[0].lower() == "en":
        readings = english.readings(text, day_first="-" in language and language != "en-US")
    else:
        readings = other_languages.readings(text, language)
    return list(_by_words(text, readings))


def _by_words(text: str, readings: list[Reading]) -> Iterator[tuple[str, str]]:
    """Joins what stands between two white spaces, readings and plain text, to one piece."""
    source = said = ""
    for piece, words in _pieces(text, readings):
        # White space at the very beginning belongs to the first word.
        if source[-1:].isspace() and not source.isspace():
            yield source, _spaced(said, source)
            source = said = ""
        source += piece
        said += words
    if source:
        yield source, _spaced(said, source)


def _pieces(text: str, readings: list[Reading]) -> Iterator[tuple[str, str]]:
    at = 0
    for reading in readings:
        yield from _words(text[at : reading.start])
        yield text[reading.start : reading.end], reading.said
        at = reading.end
    yield from _words(text[at:])


def _words(text: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(r"\S+\s*|\s+", text):
        yield match.group(), match.group()


def _spaced(said: str, source: str) -> str:
    words = re.sub(r"\s+([,.!?;:])", r"\1", " ".join(said.split()))
    return f"{words} " if words and source[-1].isspace() else words
