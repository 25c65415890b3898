"""What a turn looks like: as JSON for programs, or on a terminal for people."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from voice_agent.events import Latency, Manner, Paralinguistics
from voice_agent.transports.files import FileTurn

AUDIBLE_SHIFT_ST, AUDIBLE_SHIFT_DB, AUDIBLE_SHIFT_RATE = 1.5, 3.0, 0.15
"""Differences from the speaker's usual voice that are worth a word."""


def as_json(turn: FileTurn, engines: Mapping[str, str]) -> str:
    """A turn as one line of JSON; ``note`` is there only if there is something to say."""
    record = turn.record
    line: dict[str, Any] = {
        "turn": turn.number,
        "user": {"text": "", "paralinguistics": None},
        "thinking": None,
        "reply": None,
        "latency_ms": asdict(Latency()),
        "engines": dict(engines),
    }
    if record is not None:
        thought = record.thought
        line |= {
            "user": {
                "text": record.user.text,
                "paralinguistics": asdict(record.user.how) if record.user.how else None,
            },
            "thinking": {
                "linguistic": thought.linguistic,
                "paralinguistic": thought.paralinguistic,
                "strategy": thought.strategy,
                "reply_emotion": thought.reply_emotion,
            },
            "reply": {
                "text": record.reply,
                "emotion": thought.reply_emotion,
                "audio": str(turn.audio) if turn.audio else None,
            },
            "latency_ms": asdict(record.latency),
            "engines": dict(record.engines),
        }
    if turn.note:
        line["note"] = turn.note
    return json.dumps(line, ensure_ascii=False)


def show(console: Console, turn: FileTurn, title: str = "") -> None:
    """Prints a turn for a person to read."""
    console.print(f"[bold]Turn {turn.number}[/]  [dim]{escape(title)}[/]", highlight=False)
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", justify="right", min_width=9)
    table.add_column(overflow="fold")
    record = turn.record
    if record is not None:
        table.add_row("you", escape(record.user.text or "(no words understood)"))
        if record.user.how is not None:
            table.add_row("voice", escape(in_words(record.user.how)))
        thought = record.thought
        for name, value in (
            ("said", thought.linguistic),
            ("how", thought.paralinguistic),
            ("strategy", thought.strategy),
        ):
            if value:
                table.add_row(name, f"[dim]{escape(value)}[/]")
        table.add_row("agent", f"[bold]{escape(record.reply)}[/]  [dim]{thought.reply_emotion}[/]")
        if turn.audio is not None:
            table.add_row("audio", escape(str(turn.audio)))
        latency = _latency(record.latency)
        if latency:
            table.add_row("latency", f"[dim]{latency}[/]")
    if turn.note:
        table.add_row("note", f"[yellow]{escape(turn.note)}[/]")
    console.print(table, highlight=False)
    console.print()


def in_words(how: Paralinguistics) -> str:
    """How something was said, in a line."""
    likely = sorted(how.emotion.items(), key=lambda item: -item[1])[:2]
    parts = [f"{label} {share:.0%}" for label, share in likely if share >= 0.25]
    if parts and how.uncertain:
        parts[-1] += " (uncertain)"
    parts += [event.label for event in how.events]
    return ", ".join(parts + _manner(how.manner)) or "too little speech to tell"


def _manner(manner: Manner) -> list[str]:
    words = []
    for shift, audible, high, low in (
        (manner.pitch_shift_st, AUDIBLE_SHIFT_ST, "higher than usual", "lower than usual"),
        (manner.level_shift_db, AUDIBLE_SHIFT_DB, "louder than usual", "quieter than usual"),
        (
            None if manner.rate_shift is None else manner.rate_shift - 1,
            AUDIBLE_SHIFT_RATE,
            "faster than usual",
            "slower than usual",
        ),
    ):
        if shift is not None and abs(shift) >= audible:
            words.append(high if shift > 0 else low)
    if manner.pitch_hz is not None:
        words.append(f"{manner.pitch_hz:.0f} Hz")
    if manner.syllable_rate is not None:
        words.append(f"{manner.syllable_rate:.1f} syllables/s")
    return words


def _latency(latency: Latency) -> str:
    steps = [
        f"{name.replace('_', ' ')} {value:.0f}"
        for name, value in asdict(latency).items()
        if value is not None
    ]
    return f"{' · '.join(steps)} ms" if steps else ""
