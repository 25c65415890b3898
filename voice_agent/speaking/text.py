"""What of a text is said aloud.

Language models write emoji, markdown, addresses and stage directions; none of them belongs into a
voice. Numbers, dates and abbreviations are left to the synthesizer, some of which read them well
and some of which need ``normalization``.
"""

import html
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

_ACTING = (
    r"laughs|laughing|chuckles|chuckling|giggles|giggling|smiles|smiling|sighs|sighing|grins"
    r"|grinning|nods|nodding|pauses|pausing|whispers|whispering|gasps|gasping|sobs|sobbing"
    r"|sniffs|sniffles|shrugs|shrugging|winks|winking|coughs|coughing|yawns|yawning|exhales"
    r"|exhaling|inhales|inhaling|frowns|frowning|blushes|breathes|leans (?:in|closer|forward|back)"
    r"|leaning (?:in|closer|forward|back)|clears (?:\w+ )?throat|clearing (?:\w+ )?throat"
    r"|takes a (?:\w+ )?breath|hugs you|gives you a hug|hesitates|beams|snorts|groans|murmurs"
    r"|swallows|hums|tears up|voice \w+ing|listens (?:\w+ly|closely)"
)
_GESTURE = (
    r"(?:gives|takes|looks|places|puts|holds|reaches|tilts|squeezes|pats|wipes|offers|lowers"
    r"|raises|speaks|shakes|rests|lays|closes|opens|waves|softens|rubs)(?: [\w’']+){0,6}"
    r" (?:smile|nod|hug|hand|hands|breath|shoulder|arm|head|eyes|look|laugh|sigh|voice|tone|tears?"
    r"|softly|gently|warmly|kindly|quietly)"
)
"""Verbs that say much else besides: stage directions only with a gesture or a part of the body."""
_ALONE = (
    r"laugh|laughter|laughing|chuckle|giggle|smile|smiling|sigh|gasp|whisper|whispering|cough"
    r"|sniff|softly|warmly|gently|quietly|tenderly|soothingly|reassuringly|sympathetically"
    r"|compassionately|in a (?:\w+,? ){1,3}(?:voice|tone)|with a (?:\w+ ){0,2}(?:smile|laugh|sigh)"
    r"|(?:(?:short|long|brief) )?pause|silence|pause \d+ ?(?:s|sec|seconds?)?"
)
_STAGE = rf"(?:(?:\w+ly )?(?:{_ACTING})(?:,? [^*_()\[\]\n]{{0,60}})?|{_GESTURE}|{_ALONE})".replace(
    " ", r"\s"
)

_SPAN = re.compile(
    rf"""
    !?\[(?P<label>[^\]\n]*)\]\([^()\s]*\)
  | (?:https?://)?(?P<mail>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
  | (?:https?://(?:www\.)?|www\.)(?P<host>[\w.-]+\w)(?:[/:?\#][^\s<>"')\]]*?)?
      (?=[.,;:!?*_]*(?:[\s<>"')\]]|$))
  | (?P<silent> \*{{1,2}}{_STAGE}\*{{1,2}} | (?<!\w)_{_STAGE}_(?!\w) | \({_STAGE}\) | \[{_STAGE}\]
      | </?[a-zA-Z][^<>\n]*>
      | \[(?:emotion|tone|voice|mood|style)\s?[:=][^\]\n]*\] | (?<=[\w.,!?])\[\^?\d{{1,3}}\]
      | (?<![\w:]):[a-z][a-z0-9_+-]+:(?![\w:])
      | (?<!\S)(?:[:;=8]['’]?-?[)(DPp/|\\3*]+|<3+|\^_*\^|[xX]D+|[-T]_+[-T]|o_O|¯\\_\(ツ\)_/¯)
        (?=[.,!?]*(?:\s|$)) )
    """,
    re.VERBOSE | re.IGNORECASE,
)

_UNSPOKEN = re.compile(
    "[\U0001f000-\U0001faff\U000e0000-\U000e007f\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff"
    "\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff\ufe00-\ufe0f\u200b-\u200f\u2028-\u202f\u2060-\u206f"
    "\u20e3\ufeff\ufffd\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ue000-\uf8ff\ud800-\udfff]+"
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});")
_TIMES = re.compile(r"(?<=\d)\*(?=\d)")
_MARKS = re.compile(r"\*+|`+|~~+|(?<!\w)_+|_+(?!\w)")
_LINE_MARK = re.compile(r"#{1,6}|>+|[-+•]|[-=_]{3,}|\|?[-:|]*\|")


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is said of a text, and which part of the text was said when.

    Attributes:
        text: What to say; empty where nothing is.
        source: What it was made of.
    """

    text: str
    source: str
    _said: tuple[int, ...]
    _covers: tuple[int, ...]

    def covered(self, said: int) -> int:
        """How many characters of ``source`` are said once ``said`` characters of ``text`` are."""
        if said >= len(self.text):
            return len(self.source)
        index = bisect_right(self._said, said)
        return self._covers[index - 1] if index else 0


def speakable(source: str, goes_on: bool = False) -> Spoken:
    """Makes a text fit to be said: no emoji, markdown, tags, addresses, stage directions.

    Args:
        source: The text as written.
        goes_on: More follows; a text cut in mid-sentence then gets a comma, so that the voice
            does not fall as at an end.
    """
    said, covers = [], []
    text = ""
    at = 0
    for piece, words in _pieces(source):
        at += len(piece)
        if words.strip():
            text += words.strip()
            said.append(len(text))
            covers.append(at)
        elif covers:
            covers[-1] = at
        if text and piece[-1:].isspace() and not text.endswith(" "):
            text += " "
    if not any(character.isalnum() for character in text):
        return Spoken("", source, (), ())
    text = text.rstrip()
    if goes_on and text[-1].isalnum():
        text += ","
    return Spoken(text, source, tuple(said), tuple(covers))


def _pieces(source: str) -> Iterator[tuple[str, str]]:
    """Cuts a text into pieces, each with what is said for it."""
    at = 0
    for span in _SPAN.finditer(source):
        yield from _plain(source, at, span.start())
        yield span.group(), _said_for(span)
        at = span.end()
    yield from _plain(source, at, len(source))


def _said_for(span: re.Match[str]) -> str:
    if span["label"] is not None:
        return speakable(span["label"]).text
    if span["mail"] is not None:
        return span["mail"].replace("@", " at ").replace(".", " dot ")
    if span["host"] is not None:
        return span["host"].replace(".", " dot ")
    return ""


def _plain(source: str, start: int, end: int) -> Iterator[tuple[str, str]]:
    for match in re.finditer(r"\S+\s*|\s+", source[start:end]):
        piece = match.group()
        word = piece.strip()
        begin = start + match.start()
        opens_line = not source[:begin].rpartition("\n")[2].strip()
        if opens_line and piece != word and _LINE_MARK.fullmatch(word):
            word = ""
        word = _ENTITY.sub(lambda entity: html.unescape(entity.group()), word)
        word = _TIMES.sub("×", _UNSPOKEN.sub("", word))
        yield piece, _MARKS.sub("", word).replace("|", ",")
