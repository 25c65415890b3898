"""Dialogues of emotional support with a strategy to each answer (ESConv, Liu et al. 2021).

One dialogue a line, as JSON: ``dialog`` is a list of turns with ``speaker`` (``usr`` or ``sys``)
and ``text``; a turn of ``sys`` has a ``strategy``, one of ``usr`` may have ``feedback`` (1 to 5,
for the answers since the last) and ``vad`` (three numbers in [0, 1]).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voice_agent.errors import ManifestError
from voice_agent.events import Exchange, Strategy, Thought, UserTurn

SELF_DISCLOSURE = "Self-disclosure"
"""A strategy of the data that the agent never uses."""

CLASSES = (*(one.value for one in Strategy if one is not Strategy.INFORMATION), SELF_DISCLOSURE)
"""What is told apart. The data do not part suggestions from information."""

_NAMES = {name: name for name in CLASSES} | {
    "Providing Suggestions or Information": Strategy.SUGGESTION.value,
    "Information": Strategy.SUGGESTION.value,
    "Greeting": Strategy.OTHERS.value,
}
_SPLIT_WORD = re.compile(r"\s+['’]\s*(t|s|m|re|ve|ll|d)\b")


@dataclass(frozen=True, slots=True)
class Moment:
    """A place in a dialogue at which somebody chose a strategy.

    Attributes:
        dialogue: Number of the dialogue.
        turn: What the person had said.
        history: What went before.
        strategy: The strategy chosen, one of ``CLASSES``.
        following: What the person said next; empty at the end.
        unease: First number of ``vad`` of the turn and of the one that follows, in [0, 1], which
            rises with unpleasant feelings (see the model card); None where there is none.
        feedback: The person's next rating, 1 to 5, within the two turns that follow.
    """

    dialogue: int
    turn: UserTurn
    history: tuple[Exchange, ...]
    strategy: str
    following: str = ""
    unease: tuple[float, float] | None = None
    feedback: int | None = None


def read(path: Path) -> list[Moment]:
    """The moments of all dialogues in a file, or in the ``*.jsonl`` of a folder.

    Raises:
        ManifestError: A file is missing, empty or of another form; names the line.
    """
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    moments: list[Moment] = []
    number = 0
    for file in files:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ManifestError(f"{file} cannot be read: {error}") from error
        for at, line in enumerate(lines, 1):
            if line.strip():
                moments += _moments(line, number, f"{file}, line {at}")
                number += 1
    if not moments:
        raise ManifestError(f"{path} holds no answers with a strategy; is it ESConv as *.jsonl?")
    return moments


def _moments(line: str, number: int, where: str) -> Iterator[Moment]:
    try:
        turns = json.loads(line)["dialog"]
        blocks = list(_blocks(turns))
    except (ValueError, KeyError, TypeError) as error:
        raise ManifestError(
            f"{where}: must be JSON with 'dialog', a list of turns with 'speaker', 'text' and, "
            f"for sys, one of the strategies {', '.join(_NAMES)} ({error!r})"
        ) from error
    history: tuple[Exchange, ...] = ()
    for at, (user, answer) in enumerate(blocks):
        if answer is None:
            continue
        turn = UserTurn(_text(user["text"])) if user else None
        strategy = _NAMES[answer["strategy"]]
        after = [block for block, _ in blocks[at + 1 : at + 3] if block]
        if turn is not None:
            yield Moment(
                number,
                turn,
                history,
                strategy,
                _text(after[0]["text"]) if after else "",
                _unease(user, after),
                next((int(b["feedback"]) for b in after if b.get("feedback")), None),
            )
        said = Exchange(turn, _text(answer["text"]), Thought(strategy=_of_agent(strategy)))
        history = (*history, said)


def _blocks(
    turns: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]]:
    """Each turn of the person with the answer to it; the first answer may have no turn."""
    user: Mapping[str, Any] | None = None
    for turn in turns:
        if turn["speaker"] == "usr":
            if user is not None:
                turn = {**turn, "text": f"{user['text']} {turn['text']}"}
            user = turn
        elif turn["speaker"] == "sys":
            _ = _NAMES[turn["strategy"]], turn["text"]
            yield user, turn
            user = None
        else:
            raise ValueError(f"speaker {turn['speaker']!r}")
    if user is not None:
        yield user, None


def _of_agent(strategy: str) -> str:
    """The strategy as the agent's own history would hold it: it has no self-disclosure."""
    return "" if strategy == SELF_DISCLOSURE else strategy


def _unease(
    user: Mapping[str, Any] | None, after: Sequence[Mapping[str, Any]]
) -> tuple[float, float] | None:
    if not user or not after or not user.get("vad") or not after[0].get("vad"):
        return None
    return float(user["vad"][0]), float(after[0]["vad"][0])


def _text(text: str) -> str:
    """The text with words joined that the data split: "don ' t"."""
    return _SPLIT_WORD.sub(r"'\1", text)
