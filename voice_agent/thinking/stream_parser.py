"""Splits what a language model streams into the thought and the words to speak.

The format is ``<think><linguistic>…</linguistic><paralinguistic>…</paralinguistic>
<strategy>…</strategy><emotion>…</emotion><style>…</style></think>reply``. Models break it in
every way there is, so the parser goes by one rule: what stands inside a thought is never spoken.
The result does not depend on how the stream is cut into chunks.
"""

import re
from collections.abc import Iterator

from voice_agent.events import REPLY_EMOTIONS, Thought

_FIELDS = {
    "linguistic": "linguistic",
    "paralinguistic": "paralinguistic",
    "strategy": "strategy",
    "emotion": "reply_emotion",
    "reply_emotion": "reply_emotion",
    "style": "style",
}
_THINK = {"think", "thinking", "thought", "thoughts", "reasoning"}
_REPLY = {"reply", "response", "answer", "speech"}
_LONGEST_TAG = 200
_LONGEST_FIELD = 2000

_SYNONYMS = {
    "joyful": "joyful joy excited enthusiastic delighted thrilled cheerful playful celebratory",
    "sorry": "sorry apologetic regretful remorseful sympathetic sympathy condolence",
    "happy": "happy glad pleased content friendly warmly amused proud grateful relieved",
    "angry": "angry anger annoyed furious indignant outraged irritated frustrated",
    "surprised": "surprised surprise amazed astonished shocked curious",
    "disgusted": "disgusted disgust repulsed revolted",
    "sad": "sad sadness sorrowful melancholy mournful unhappy grieving",
    "afraid": "afraid fear fearful scared worried anxious nervous concerned",
    "tearful": "tearful crying weeping teary",
    "comfort": (
        "comfort comforting encourage encouraging encouragement reassuring reassurance caring "
        "compassionate compassion empathetic empathic empathy supportive gentle tender soothing "
        "warm kind understanding hopeful calm calming soft"
    ),
    "neutral": "neutral none normal",
}
_EMOTION_OF = {word: label for label, line in _SYNONYMS.items() for word in line.split()}

_TAG = re.compile(r"<(\s*)/?\s*([A-Za-z][\w-]*)[^<>]*>")
_TAG_BEGINS = re.compile(r"<\s*(?:/\s*)?(?:[A-Za-z][^<>]*)?\Z")

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


def reply_emotion(label: str) -> str:
    """The emotion of ``REPLY_EMOTIONS`` that a label means; ``neutral`` for an unknown one."""
    words: list[str] = re.findall(r"[a-z]+", label.lower())
    for word in words:
        if word in REPLY_EMOTIONS:
            return word
        if word in _EMOTION_OF:
            return _EMOTION_OF[word]
    return "neutral"


class StreamParser:
    """Reads one answer of a language model, chunk by chunk."""

    def __init__(self) -> None:
        self._pending = ""
        self._thinking = False
        self._thought_over = False
        self._field: str | None = None
        self._fields: dict[str, str] = {}
        self._told = False
        self._after_style = ""
        self._style_closed = False
        self._spoken = _SpokenText()

    def feed(self, chunk: str) -> list[Thought | str]:
        """Takes the next chunk; returns what is known now: the thought once, then reply text."""
        self._pending += chunk
        return [item for text in self._read(last=False) for item in self._say(text)] + (
            self._tell() if self._thought_over else []
        )

    def finish(self) -> list[Thought | str]:
        """The stream is over: returns what was held back, and the thought if it never came."""
        items = [item for text in self._read(last=True) for item in self._say(text)]
        if self._thinking and self._style_closed:
            # The model forgot to close its thoughts, and the style is the last of them.
            items += self._say(self._after_style)
        rest = self._spoken.finish()
        return items + self._tell() + ([rest] if rest else [])

    def _tell(self) -> list[Thought | str]:
        if self._told:
            return []
        self._told = True
        texts = {name: " ".join(text.split()) for name, text in self._fields.items()}
        return [
            Thought(
                linguistic=texts.get("linguistic", ""),
                paralinguistic=texts.get("paralinguistic", ""),
                strategy=texts.get("strategy", ""),
                reply_emotion=reply_emotion(texts.get("reply_emotion", "")),
                style=texts.get("style", ""),
            )
        ]

    def _say(self, text: str) -> list[Thought | str]:
        spoken = self._spoken.feed(text)
        return [*self._tell(), spoken] if spoken else []

    def _read(self, last: bool) -> Iterator[str]:
        """Works through the pending text, yielding what lies outside of thoughts."""
        while self._pending:
            text, bracket, rest = self._pending.partition("<")
            if text:
                self._pending = bracket + rest
                yield from self._text(text)
                continue
            window = self._pending[:_LONGEST_TAG]
            tag = _TAG.match(window)
            name = tag[2].lower() if tag else ""
            known = name in _FIELDS or name in _THINK or name in _REPLY
            if tag and (known or not tag[1]):
                self._pending = self._pending[tag.end() :]
                self._tag(name, closing="/" in tag[0][: tag.start(2)])
            elif not tag and len(window) < _LONGEST_TAG and _TAG_BEGINS.match(window):
                if last:
                    self._pending = ""
                return
            else:
                self._pending = self._pending[1:]
                yield from self._text("<")

    def _text(self, text: str) -> Iterator[str]:
        if self._field:
            self._keep(self._field, text)
        elif not self._thinking:
            yield text
        elif self._style_closed:
            self._after_style += text
        else:
            self._keep("linguistic", text)

    def _keep(self, field: str, text: str) -> None:
        if self._thought_over:
            return
        self._fields[field] = (self._fields.get(field, "") + text)[:_LONGEST_FIELD]

    def _tag(self, name: str, closing: bool) -> None:
        if name in _THINK or name in _REPLY:
            self._thinking = name in _THINK and not closing
            self._thought_over |= bool(self._fields) and not self._thinking
            self._field = None
        elif name in _FIELDS and not closing:
            self._field = _FIELDS[name]
            self._keep(self._field, " " if self._field in self._fields else "")
        elif name in _FIELDS:
            self._field = None
        else:
            return
        self._style_closed = self._thinking and closing and name == "style"
        self._after_style = ""


class _SpokenText:
    """Takes out of the reply what nobody says aloud: stage directions, markup, emoji."""

    def __init__(self) -> None:
        self._pending = ""
        self._last = ""
        self._space = False

    def feed(self, text: str) -> str:
        self._pending += text
        return "".join(self._read(last=False))

    def finish(self) -> str:
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
