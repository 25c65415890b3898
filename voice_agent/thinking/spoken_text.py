"""Takes out of a reply what nobody says aloud: stage directions, markup, emoji."""

import re
from collections.abc import Iterator

_STAGE_VERBS = (
    "sigh|smil|laugh|chuckl|giggl|grin|nod|paus|lean|whisper|gasp|hug|cri|cry|sniff|sniffl|sob|"
    "clear|cough|breath|inhal|exhal|shrug|wink|look|gaz|frown|yawn|wav|blush|tilt|hum|speak|"
    "tak|lower|soften|murmur"
)
_DIRECTION = re.compile(
    r"\W*(?:(?:with|in) an? .*"
    rf"|(?:[a-z]+ly,? )?(?:{_STAGE_VERBS})(?:e|es|s|ed|ing|ning|ging|ding)\b.*"
    r"|(?:sigh|laugh|nod|hug|cry|pause|gasp|whisper|grin|shrug|wink|hum)\b\W*(?:[a-z]+ly\W*)?"
    r"|(?:softly|gently|warmly|quietly|calmly|slowly|cheerfully|sadly|kindly|tenderly|silence|"
    r"beat|laughter|music|applause|(?:short|long|brief) pause)\b.*)",
    re.IGNORECASE,
)
_CLOSERS = {"*": "*", "(": ")", "[": "]"}
_LONGEST_DIRECTION = 60
_UNSPOKEN = re.compile(r"[*`_~#\u200d\ufe0f\u2600-\u27bf\U0001f000-\U0001faff]")


class SpokenText:
    """Reads one reply, chunk by chunk."""

    def __init__(self) -> None:
        self._pending = ""
        self._last = ""
        self._space = False

    def feed(self, text: str) -> str:
        """Takes more of the reply; returns what is said aloud of it."""
        self._pending += text
        return "".join(self._read(last=False))

    def finish(self) -> str:
        """The reply is complete: returns what was held back."""
        return "".join(self._read(last=True))

    def _read(self, last: bool) -> Iterator[str]:
        while self._pending:
            opening = re.search(r"[*(\[]", self._pending)
            if opening is None:
                text, self._pending = self._pending, ""
                yield self._clean(text)
            elif opening.start() > 0:
                text, self._pending = (
                    self._pending[: opening.start()],
                    self._pending[opening.start() :],
                )
                yield self._clean(text)
            else:
                direction = self._direction(last)
                if direction is None:
                    return
                yield self._clean(direction)

    def _direction(self, last: bool) -> str | None:
        """What is spoken of the bracketed text that begins here; None while it is unclear."""
        mark = self._pending[0]
        if len(self._pending) == 1 and not last:
            return None
        if self._pending.startswith("**"):
            self._pending = self._pending[2:]
            return ""
        window = self._pending[1 : _LONGEST_DIRECTION + 1]
        end = window.find(_CLOSERS[mark])
        broken = re.search(r"[\n(\[]", window if end < 0 else window[:end])
        if end < 0 or broken:
            if end < 0 and not broken and len(window) < _LONGEST_DIRECTION and not last:
                return None
            self._pending = self._pending[1:]
            return mark if mark == "(" else ""
        inner = window[:end]
        self._pending = self._pending[end + 2 :]
        if mark == "[" or _DIRECTION.fullmatch(inner):
            return ""
        return inner if mark == "*" else f"({inner})"

    def _clean(self, text: str) -> str:
        out = []
        for character in _UNSPOKEN.sub("", text):
            if character.isspace():
                self._space = True
                continue
            if self._space and self._last and character not in ".,!?;:…":
                out.append(" ")
            self._space = False
            self._last = character
            out.append(character)
        return "".join(out)
