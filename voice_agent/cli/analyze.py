"""``voice-agent analyze``: how recordings are spoken, over time."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voice_agent.cli.options import EngineName, Logging, LogLevel, Source

if TYPE_CHECKING:
    from rich.console import Console

    from voice_agent.evaluation.recording import Recording, Turn
    from voice_agent.events import Paralinguistics
    from voice_agent.settings import Config

_BARS = "▁▂▃▄▅▆▇█"
_WIDE = 110


def analyze(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Audio files: WAV, FLAC or OGG.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    picture: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Draw the one file's course there.")
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Draw each file's course in that folder.")
    ] = None,
    source: Source = "embedded",
    engine: EngineName = None,
    log_level: Logging = LogLevel.WARNING,
) -> None:
    """Tell how recordings are spoken: emotion, sounds of the voice, pitch, pace and level."""
    import asyncio
    import json

    from voice_agent import logs
    from voice_agent.cli.analyzer import configured

    if picture is not None and (len(files) > 1 or pictures is not None):
        raise typer.BadParameter(
            "takes one file; for several use --pictures DIR", param_hint="--picture"
        )
    logs.configure(log_level.value, structured=False)
    config = configured(source, engine)
    targets = [picture] if picture is not None else _targets(files, pictures)
    found = asyncio.run(_analyze(files, targets, config, show=not as_json))
    if as_json:
        document = {"engine": config.hearing.paralinguistics.engine, "files": found}
        print(json.dumps(document, ensure_ascii=False))
    if any("error" in entry for entry in found):
        raise typer.Exit(1)


def _targets(files: Sequence[Path], folder: Path | None) -> list[Path | None]:
    """A picture for each file, named after it; a number keeps files of the same name apart."""
    if folder is None:
        return [None] * len(files)
    targets: list[Path | None] = []
    for path in files:
        target, number = folder / f"{path.stem}.png", 1
        while target in targets:
            number += 1
            target = folder / f"{path.stem}-{number}.png"
        targets.append(target)
    return targets


async def _analyze(
    files: Sequence[Path], targets: Sequence[Path | None], config: "Config", show: bool
) -> list[dict[str, Any]]:
    """Hears file after file; one that fails does not keep the others from being heard."""
    import sys

    from rich.console import Console

    from voice_agent.cli.analyzer import opened
    from voice_agent.cli.playing import Playing
    from voice_agent.errors import AudioError, PictureError
    from voice_agent.evaluation.recording import listen
    from voice_agent.hearing.vad import VadModel

    console = Console(highlight=False)
    vad = VadModel()
    found = []
    async with opened(config) as analyzer:
        for path, target in zip(files, targets, strict=True):
            try:
                with Playing(path, "reading the rest") as playing:
                    recording = await listen(path, analyzer, vad, config, playing.update)
                if target is not None:
                    _draw(recording, path, target)
            except (AudioError, PictureError) as error:
                print(f"voice-agent: {error}", file=sys.stderr)
                found.append(
                    {"file": str(path), "error": {"code": error.code, "message": str(error)}}
                )
                continue
            found.append(_as_json(recording, path, target))
            if show:
                _show(console, recording, path, target)
    return found


def _draw(recording: "Recording", path: Path, target: Path) -> None:
    from voice_agent.evaluation.pictures import write
    from voice_agent.evaluation.timeline import timeline_picture

    write(timeline_picture(recording, path.name), target)


def _as_json(recording: "Recording", path: Path, target: Path | None) -> dict[str, Any]:
    from dataclasses import asdict

    turns = [
        {
            "start": turn.start,
            "end": turn.end,
            "final": asdict(turn.final),
            "readings": [{"at": reading.at, **asdict(reading.how)} for reading in turn.readings],
        }
        for turn in recording.turns
    ]
    return {
        "file": str(path),
        "seconds": recording.seconds,
        "speech_s": sum(turn.final.manner.speech_s for turn in recording.turns),
        "turns": turns,
        "events": [asdict(event) for event in recording.events],
        "picture": str(target) if target else None,
    }


def _show(console: "Console", recording: "Recording", path: Path, target: Path | None) -> None:
    from rich.markup import escape
    from rich.table import Table

    turns = recording.turns
    count = f"{len(turns)} turn{'s' * (len(turns) != 1)}" if turns else "no speech"
    console.print(f"[bold]{escape(str(path))}[/]  [dim]{_time(recording.seconds)}, {count}[/]")
    if turns:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("time", "emotion", "valence", "arousal", "voice", "pitch", "rate", "level"):
            right = heading in ("pitch", "rate", "level")
            wraps = heading in ("emotion", "voice")
            table.add_column(heading, justify="right" if right else "left", no_wrap=not wraps)
        table.add_column("events", overflow="fold")
        for turn in turns:
            table.add_row(*_row(turn, bars=console.width >= _WIDE))
        console.print(table)
    between = [
        event
        for event in recording.events
        if not any(turn.start <= event.start < turn.end for turn in turns)
    ]
    if between:
        sounds = ", ".join(f"{event.label} {_time(event.start)}" for event in between)
        console.print(f"[dim]{'between turns' if turns else 'sounds'}:[/] {sounds}")
    if target is not None:
        console.print(f"[dim]picture:[/] {escape(str(target))}")
    console.print()


def _row(turn: "Turn", bars: bool) -> tuple[str, ...]:
    how, manner = turn.final, turn.final.manner
    return (
        f"{_time(turn.start)}–{_time(turn.end)}",
        _emotion(how),
        _course(turn, "valence", bars),
        _course(turn, "arousal", bars),
        _voice(how),
        "–" if manner.pitch_hz is None else f"{manner.pitch_hz:.0f} Hz",
        "–" if manner.syllable_rate is None else f"{manner.syllable_rate:.1f}/s",
        "–" if manner.level_db is None else f"{manner.level_db:.0f} dB",
        ", ".join(f"{event.label} {_time(event.start)}" for event in how.events),
    )


def _emotion(how: "Paralinguistics") -> str:
    if how.uncertain or not how.emotion:
        return "[dim]uncertain[/]"
    label, share = max(how.emotion.items(), key=lambda item: item[1])
    if label == "neutral" and how.calm > share / 2:
        label = "neutral, calm"
    return f"{label} {share:.0%}"


def _course(turn: "Turn", name: str, bars: bool) -> str:
    """The value of the whole turn and, where there is room, how it came about."""
    estimates = [getattr(reading.how, name) for reading in turn.readings]
    last = getattr(turn.final, name)
    if last is None:
        return "–"
    if not bars:
        return f"{last.value:+.2f}"
    values = [estimate.value for estimate in (*estimates, last) if estimate is not None]
    drawn = "".join(_BARS[min(7, int((value + 1) * 4))] for value in values[-8:])
    return f"{last.value:+.2f} [dim]{drawn}[/]"


def _voice(how: "Paralinguistics") -> str:
    words = [
        max(shares, key=lambda label: shares[label])
        for shares in (how.gender, how.age, how.manner.phonation)
        if shares and max(shares.values()) >= 0.5
    ]
    return ", ".join(word for word in words if word != "normal") or "–"


def _time(seconds: float) -> str:
    minutes, tenths = divmod(round(seconds * 10), 600)
    return f"{minutes}:{tenths / 10:04.1f}"
