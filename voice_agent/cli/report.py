"""What a turn looks like: as JSON for programs, or on a terminal for people."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from voice_agent.events import Latency, Manner, Paralinguistics, Thought
from voice_agent.transports.files import FileTurn

AUDIBLE_SHIFT_ST, AUDIBLE_SHIFT_DB, AUDIBLE_SHIFT_RATE = 1.5, 3.0, 0.15
"""Differences from the speaker's usual voice that are worth a word."""

TELLING_SHARE, TELLING_TRUST = 0.25, 0.25
"""Share from which a second emotion is told of, and confidence from which a measure is."""


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
            "thinking": asdict(thought),
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
        for name, value in thought_in_rows(thought):
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


def thought_in_rows(thought: Thought) -> list[tuple[str, str]]:
    """A thought in rows of a name and words; what is not known has none."""
    plan = " · ".join(part for part in (thought.stage, thought.strategy) if part)
    rows = [
        ("said", thought.linguistic),
        ("because", thought.stimulus),
        ("seen as", thought.appraisal),
        ("need", thought.need),
        ("how", thought.paralinguistic),
        ("contrast", thought.conflict),
        ("strategy", f"{plan}: {thought.reason}" if thought.reason else plan),
    ]
    return [(name, words) for name, words in rows if words]


def in_words(how: Paralinguistics) -> str:
    """How something was said, in a line."""
    parts = _likely(how.emotion)
    remarks = []
    if _top(how.emotion) == "neutral" and how.calm >= how.emotion["neutral"] / 2:
        remarks.append("calm")
    if how.evidence and _top(how.evidence) != _top(how.emotion):
        remarks.append(f"alone {_likely(how.evidence)[0]}")
    if how.uncertain:
        remarks.append("uncertain")
    if parts and remarks:
        parts[-1] += f" ({', '.join(remarks)})"
    for name, estimate in (("valence", how.valence), ("arousal", how.arousal)):
        if estimate is not None and estimate.confidence >= TELLING_TRUST:
            parts.append(f"{name} {estimate.value:+.1f}")
    parts += dict.fromkeys(event.label for event in how.events)
    return ", ".join(parts + _manner(how.manner)) or "too little speech to tell"


def _likely(posterior: Mapping[str, float]) -> list[str]:
    labels = sorted(posterior, key=lambda label: -posterior[label])
    told = [each for each in labels[1:2] if posterior[each] >= TELLING_SHARE]
    return [f"{label} {posterior[label]:.0%}" for label in labels[:1] + told]


def _top(posterior: Mapping[str, float]) -> str:
    return max(posterior, key=lambda label: posterior[label], default="")


def _manner(manner: Manner) -> list[str]:
    voice = {"whisper": "whispered", "shout": "shouted"}.get(_top(manner.phonation))
    words = [voice] if voice else []
    for name, shift, audible, high, low in (
        (
            "pitch_shift_st",
            manner.pitch_shift_st,
            AUDIBLE_SHIFT_ST,
            "higher than usual",
            "lower than usual",
        ),
        (
            "level_shift_db",
            manner.level_shift_db,
            AUDIBLE_SHIFT_DB,
            "louder than usual",
            "quieter than usual",
        ),
        (
            "rate_shift",
            None if manner.rate_shift is None else manner.rate_shift - 1,
            AUDIBLE_SHIFT_RATE,
            "faster than usual",
            "slower than usual",
        ),
    ):
        trusted = manner.confidence.get(name, 1.0) >= TELLING_TRUST
        if shift is not None and trusted and abs(shift) >= audible:
            words.append(high if shift > 0 else low)
    if manner.pitch_hz is not None:
        span = ""
        if manner.pitch_low_hz is not None and manner.pitch_high_hz is not None:
            span = f" ({manner.pitch_low_hz:.0f} to {manner.pitch_high_hz:.0f})"
        words.append(f"{manner.pitch_hz:.0f} Hz{span}")
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
