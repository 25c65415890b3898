"""How the causes found in what people say lie against those marked in ESConv.

    python benchmarks/causes.py esconv/valid.jsonl

Each turn of a seeker in which a cause is marked is read twice: as it was typed, and as a recogniser
would give it, in lower case without marks. Words in common with the marked span are counted; beside
them stand the whole turn and its first and last sentence. The marks are a model's, and more than a
quarter of them are the whole turn; the last lines leave out those longer than 70 % of it.
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from voice_agent.events import UserTurn
from voice_agent.thinking.plain_words import words
from voice_agent.thinking.responder.phrasebook import Phrasebook
from voice_agent.thinking.responder.understanding import Reader
from voice_agent.thinking.text_emotion import carried

_LEAST_WORDS = 3
_SHORT = 0.7


def marked(path: Path) -> list[tuple[str, str]]:
    """Turns with the cause marked in them."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        for turn in json.loads(line)["dialog"]:
            if turn["speaker"] == "usr" and turn.get("cause"):
                text, cause = (re.sub(r" ' ", "'", turn[key]) for key in ("text", "cause"))
                if len(words(cause)) >= _LEAST_WORDS:
                    found.append((text, cause))
    return found


def overlap(found: str, cause: str) -> tuple[float, float, float]:
    """Precision, recall and F1 of the words."""
    ours, theirs = Counter(words(found)), Counter(words(cause))
    common = (ours & theirs).total()
    if not common:
        return 0.0, 0.0, 0.0
    precision, recall = common / ours.total(), common / theirs.total()
    return precision, recall, 2 * precision * recall / (precision + recall)


def table(name: str, turns: Sequence[tuple[str, str]], reader: Reader) -> None:
    rows: dict[str, list[tuple[str, str]]] = {}
    for text, cause in turns:
        parts = [one for one in re.split(r"[.!?]+", text) if len(words(one)) > 1] or [text]
        heard = " ".join(words(text))
        for kind, found in (
            ("found, as typed", reader.read(UserTurn(text)).stimulus),
            ("found, as heard", reader.read(UserTurn(heard)).stimulus),
            ("whole turn", text),
            ("first sentence", parts[0]),
            ("last sentence", parts[-1]),
        ):
            rows.setdefault(kind, []).append((found, cause))
    print(f"\n{name}: {len(turns)} turns\n")
    print("| | given | overlapping, where given | precision, where given | F1, none counting 0 |")
    print("|---|---|---|---|---|")
    for kind, pairs in rows.items():
        given = [overlap(*pair) for pair in pairs if pair[0]]
        f1 = sum(one[2] for one in given) / len(pairs)
        touching = sum(one[2] > 0 for one in given) / len(given)
        precision = sum(one[0] for one in given) / len(given)
        share = len(given) / len(pairs)
        print(f"| {kind} | {share:.0%} | {touching:.0%} | {precision:.2f} | {f1:.2f} |")


def main(path: Path) -> None:
    turns = marked(path)
    reader = Reader(Phrasebook(), carried())
    table("all", turns, reader)
    short = [(t, c) for t, c in turns if len(words(c)) < _SHORT * len(words(t))]
    table("a part of the turn is marked", short, reader)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    main(parser.parse_args().path)
