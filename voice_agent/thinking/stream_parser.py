"""Splits what a language model streams into the thought and the words to speak.

The format is ``<think><linguistic>…</linguistic> … <style>…</style></think>reply``, with the fields
of ``TAGS``; in natural language, the thought is a paragraph that ends in "Strategy: …. Tone: …".
Models break it in every way there is, so the parser goes by one rule: what stands inside a thought
is never spoken. The result does not depend on how the stream is cut into chunks.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from voice_agent.events import REPLY_EMOTIONS, Thought
from voice_agent.thinking.spoken_text import SpokenText
from voice_agent.thinking.tag_form import LABELLED_REPLY, TagForm

TAGS = {
    "linguistic": "linguistic",
    "stimulus": "stimulus",
    "appraisal": "appraisal",
    "need": "need",
    "paralinguistic": "paralinguistic",
    "conflict": "conflict",
    "stage": "stage",
    "strategy": "strategy",
    "reason": "reason",
    "emotion": "reply_emotion",
    "style": "style",
}
"""The tags of a thought in their order, and the fields of ``Thought`` that they fill."""

_FIELDS = TAGS | {"reply_emotion": "reply_emotion"}
_THINK = {"think", "thinking", "thought", "thoughts", "reasoning"}
_REPLY = {"reply", "response", "answer", "speech"}
_CLOSING_WORDS = re.compile(
    r"[\s*_]*\b(?:(strategy)|(?:tone|emotion|reply emotion|tone of voice))"
    r"[*_ ]*[:=][*_ ]*([^.;\n]*)[.;]?",
    re.IGNORECASE,
)
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
    """Reads one answer of a language model, chunk by chunk.

    Args:
        before: What is known of the thought already; what the model does not give stays.
    """

    def __init__(self, before: Thought | None = None) -> None:
        self._before = before or Thought()
        self._form = TagForm()
        self._pending = ""
        self._thinking = False
        self._thought_over = False
        self._field: str | None = None
        self._fields: dict[str, str] = {}
        self._told = False
        self._paragraph = False
        self._after_style = ""
        self._style_closed = False
        self._spoken = SpokenText()

    def feed(self, chunk: str) -> list[Thought | str]:
        """Takes the next chunk; returns what is known now: the thought once, then reply text."""
        self._pending += self._form.feed(chunk)
        return [item for text in self._read(last=False) for item in self._say(text)] + (
            self._tell() if self._thought_over else []
        )

    def finish(self) -> list[Thought | str]:
        """The stream is over: returns what was held back, and the thought if it never came."""
        self._pending += self._form.finish()
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
        return [self.thought]

    @property
    def thought(self) -> Thought:
        """The thought as far as it is known."""
        return self._thought(self._fields)

    @property
    def settled(self) -> Thought:
        """The same without the field or the sentence that is being written."""
        fields = {name: text for name, text in self._fields.items() if name != self._field}
        if self._paragraph and not self._thought_over:
            fields["linguistic"] = fields["linguistic"].rpartition(".")[0]
        return self._thought(fields)

    def _thought(self, fields: Mapping[str, str]) -> Thought:
        given: dict[str, Any] = {name: " ".join(text.split()) for name, text in fields.items()}
        for words in _CLOSING_WORDS.finditer(given.get("linguistic", "")):
            given.setdefault("strategy" if words[1] else "reply_emotion", words[2].strip(" *_"))
        if "linguistic" in given:
            given["linguistic"] = _CLOSING_WORDS.sub("", given["linguistic"]).strip()
        if given.get("reply_emotion"):
            given["reply_emotion"] = reply_emotion(given["reply_emotion"])
        return replace(self._before, **{name: text for name, text in given.items() if text})

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
            known = name in _FIELDS or name in _THINK or name in _REPLY or name == LABELLED_REPLY
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
            self._paragraph |= not text.isspace()
            self._keep("linguistic", text)

    def _keep(self, field: str, text: str) -> None:
        if self._thought_over:
            return
        self._fields[field] = (self._fields.get(field, "") + text)[:_LONGEST_FIELD]

    def _tag(self, name: str, closing: bool) -> None:
        if name == LABELLED_REPLY:
            if self._thinking:
                return  # a label inside a thought says what the reply will be, no more
            name = "reply"
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
