"""Brings what language models write instead of the tag form into the tag form, as it streams.

Models label their thoughts line by line (``**Strategy:** Question``), answer in JSON, or reason
aloud without opening a tag. All of it would be spoken if it were taken for the reply. The result
does not depend on how the stream is cut into chunks.
"""

import json
import re
from typing import Any, Literal

_FIELD_OF = {
    "linguistic": "linguistic",
    "paralinguistic": "paralinguistic",
    "stimulus": "stimulus",
    "cause": "stimulus",
    "appraisal": "appraisal",
    "need": "need",
    "conflict": "conflict",
    "stage": "stage",
    "strategy": "strategy",
    "reason": "reason",
    "emotion": "emotion",
    "tone": "emotion",
    "style": "style",
    "thought": "linguistic",
    "thoughts": "linguistic",
    "thinking": "linguistic",
    "analysis": "linguistic",
    "reply": "reply",
    "response": "reply",
    "answer": "reply",
    "agent": "reply",
    "assistant": "reply",
}
LABELLED_REPLY = "labelled-reply"
"""Tag that a label for the reply becomes: unlike ``<reply>`` it does not end a ``<think>``."""

_DECIDED = {"strategy", "emotion", "style"}
"""After one of these a blank line leads on to the reply."""

_LABEL = re.compile(
    r"[ \t>#*_-]*(?:(?:my|the|reply|chosen|support) )?"
    rf"({'|'.join(_FIELD_OF)})(?: (?:thought|analysis|caption|emotion|of voice))?"
    r"[*_ \t]{0,4}[:=][*_ \t]{0,4}",
    re.IGNORECASE,
)
_LONGEST_LABEL = 48
_BEFORE_LABEL = ("my", "the", "reply", "chosen", "support")
_AFTER_LABEL = ("thought", "analysis", "caption", "emotion", "of", "voice")
_JSON_BEGINS = re.compile(r"\s*(?:```(?:json)?\s*)?\{\s*(?:\"|')")
_MAY_BE_JSON = re.compile(r"\s*(?:`{1,3}(?:j(?:s(?:o(?:n)?)?)?)?\s*)?(?:\{\s*)?")
_LONGEST_JSON = 20_000
_JSON_REPLY = re.compile(r'"(?:reply|response|answer)"\s*:\s*"((?:[^"\\]|\\.)*)"')

_REASONING_BEGINS = (
    *("okay", "ok,", "ok ", "alright", "hmm", "let me", "let's", "let us", "first,", "so the user"),
    *("so, the user", "so i need", "so i should", "the user", "the person", "the speaker"),
    *("this user", "this person", "we need", "we should", "we must", "i need to", "i should "),
    *("i must ", "i have to", "now i ", "now, i ", "now the user"),
)
_REASONS = re.compile(
    r"\b(?:the|this) (?:user|speaker|human|caller|person (?:is|seems|says|said|sounds|wants))\b"
    r"|\b(?:i|we) (?:should|need to|must|have to) "
    r"(?:respond|reply|answer|acknowledge|validate|choose|consider|keep|use|write|output|follow)\b",
    re.IGNORECASE,
)
_LONGEST_OPENING = 160


class TagForm:
    """Reads one answer of a language model and gives it back in tags."""

    def __init__(self) -> None:
        self._kind: Literal["unknown", "text", "json"] = "unknown"
        self._pending = ""
        self._line_begins = True
        self._labelled = False
        self._field = ""

    def feed(self, chunk: str) -> str:
        """Takes the next chunk; returns what can be told by now."""
        self._pending += chunk
        return self._read(last=False)

    def finish(self) -> str:
        """The stream is over: returns what was held back."""
        return self._read(last=True)

    def _read(self, last: bool) -> str:
        begun = ""
        if self._kind == "unknown":
            kind = _first_decision(self._pending, last)
            if kind is None:
                return ""
            begun = "<think>" if kind == "reasoning" else ""
            self._kind = "json" if kind == "json" else "text"
        if self._kind == "json":
            return self._read_json(last)
        return begun + self._read_lines(last)

    def _read_json(self, last: bool) -> str:
        self._pending = self._pending[:_LONGEST_JSON]
        if not last:
            return ""
        text, self._pending = self._pending, ""
        return _from_json(text)

    def _read_lines(self, last: bool) -> str:
        out = ""
        while self._pending:
            if self._line_begins:
                label = _LABEL.match(self._pending[:_LONGEST_LABEL])
                if label and (label.end() < len(self._pending) or last):
                    self._pending = self._pending[label.end() :]
                    self._line_begins = False
                    out += self._tag(_FIELD_OF[label[1].lower()])
                    continue
                if not last and len(self._pending) < _LONGEST_LABEL and self._undecided(label):
                    return out
                if self._labelled and self._field in _DECIDED and self._pending[0] == "\n":
                    out += f"</{self._field}>"
                    self._field = ""
            line, newline, rest = self._pending.partition("\n")
            out += line + newline
            self._pending = rest
            self._line_begins = bool(newline)
        return out

    def _undecided(self, label: re.Match[str] | None) -> bool:
        return label is not None or _may_be_label(self._pending)

    def _tag(self, field: str) -> str:
        if field == "reply":
            self._labelled, self._field = True, ""
            return f"<{LABELLED_REPLY}>"
        self._labelled, self._field = True, field
        return f"<{field}>"


def _first_decision(text: str, last: bool) -> str | None:
    """What kind of answer it is: the first decision that any beginning of it allows.

    Going through the beginnings makes the decision independent of how the text was cut.
    """
    for length in range(1, len(text) + 1):
        kind = _decide(text[:length])
        if kind is not None:
            return kind
    return "text" if last else None


def _decide(text: str) -> str | None:
    if _JSON_BEGINS.match(text):
        return "json"
    if _MAY_BE_JSON.fullmatch(text) and len(text) < _LONGEST_LABEL:
        return None
    said = text.lstrip().lower()
    if not any(said.startswith(begin[: len(said)]) for begin in _REASONING_BEGINS):
        return "text"
    if _REASONS.search(text[:-1]):
        return "reasoning"
    over = re.search(r"[.!?\n<]", text) is not None or len(text) >= _LONGEST_OPENING
    return "text" if over else None


def _may_be_label(text: str) -> bool:
    """Whether a line that begins like this may turn out to be labelled."""
    named = re.fullmatch(r"[ \t>#*_-]*((?:[A-Za-z]+ ?)*)[*_ \t]{0,4}", text)
    if named is None:
        return False
    words = named[1].lower().split()
    if words and words[0] in _BEFORE_LABEL and (len(words) > 1 or named[1].endswith(" ")):
        words = words[1:]
    if not words:
        return True
    *whole, last = words
    expected = [(*_FIELD_OF, *_BEFORE_LABEL), _AFTER_LABEL, _AFTER_LABEL]
    return (
        len(words) <= len(expected)
        and all(word in names for word, names in zip(whole, expected, strict=False))
        and any(name.startswith(last) for name in expected[len(whole)])
    )


def _from_json(text: str) -> str:
    try:
        data = json.loads(text[text.index("{") : text.rindex("}") + 1])
    except ValueError:
        found = _JSON_REPLY.search(text)
        return _speakable(found[1]) if found else ""
    return _thought_and_reply(data) if isinstance(data, dict) else ""


def _speakable(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return ""


def _thought_and_reply(data: dict[str, Any]) -> str:
    thought, reply = "", ""
    for key, value in _flat(data):
        words = [word for word in re.findall(r"[a-z]+", key.lower()) if word in _FIELD_OF]
        if not words or not isinstance(value, str):
            continue
        if "emotion" in words:
            thought += f"<emotion>{value}</emotion>"
        elif _FIELD_OF[words[0]] == "reply":
            reply = value
        else:
            thought += f"<{_FIELD_OF[words[0]]}>{value}</{_FIELD_OF[words[0]]}>"
    return f"<think>{thought}</think>{reply}"


def _flat(data: dict[str, Any]) -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in data.items():
        pairs += _flat(value) if isinstance(value, dict) else [(str(key), value)]
    return pairs
