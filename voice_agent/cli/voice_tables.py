"""What ``voice-agent voices`` prints."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from voice_agent.events import REPLY_EMOTIONS
from voice_agent.speaking.voices import Voice
from voice_agent.voice_making.picking import Picking


def print_voices(voices: Sequence[Voice]) -> None:
    """Prints voices, a line each."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("name", "language", "seconds", "emotions", "licence"):
        table.add_column(heading, justify="right" if heading == "seconds" else "left")
    for voice in voices:
        seconds = sum(clip.seconds for clip in voice.all_clips)
        emotions = ", ".join(voice.emotions)
        table.add_row(
            voice.name, voice.language, f"{seconds:.0f}", emotions, voice.contents.licence or "–"
        )
    Console(markup=False, highlight=False).print(table)


def print_picking(found: Picking) -> None:
    """Prints what was picked, and out of which recordings."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("emotion", "seconds", "picked from"):
        table.add_column(heading, justify="right" if heading == "seconds" else "left")
    for one in found.clips:
        seconds = sum(heard.take.seconds for heard in one.takes)
        takes = (
            f"{heard.take.path.name} {heard.take.start:.1f} s ({heard.share:.0%})"
            for heard in one.takes
        )
        table.add_row(one.emotion, f"{seconds:.1f}", ", ".join(takes))
    Console(markup=False, highlight=False).print(table)
    print()


def print_voice(voice: Voice) -> None:
    """Prints all of a voice."""
    contents = voice.contents
    console = Console(markup=False, highlight=False)
    console.print(f"{voice.name} ({voice.language}) in {voice.folder}", soft_wrap=True)
    console.print(f"licence: {contents.licence or 'not said'}")
    note = f" ({contents.consent.note})" if contents.consent.note else ""
    console.print(f"consent: {contents.consent.given[:10]}{note}: {contents.consent.statement}")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("emotion", "seconds", "level", "pitch", "noise", "from"):
        right = heading in ("seconds", "level", "pitch", "noise")
        table.add_column(heading, justify="right" if right else "left")
    for clip in sorted(voice.all_clips, key=lambda clip: REPLY_EMOTIONS.index(clip.emotion)):
        table.add_row(
            clip.emotion,
            f"{clip.seconds:.1f}",
            f"{clip.level_db:.0f} dB",
            "–" if clip.pitch_hz is None else f"{clip.pitch_hz:.0f} Hz",
            "–" if clip.snr_db is None else f"{clip.snr_db:.0f} dB below",
            clip.source,
        )
    console.print(table)
    stands_in = [
        f"{emotion} like {voice.style(emotion)}"
        for emotion in REPLY_EMOTIONS
        if emotion not in voice.emotions
    ]
    if stands_in:
        console.print(f"without clips of their own: {', '.join(stands_in)}")
    if "neutral" not in voice.emotions:
        console.print("most replies are neutral: record a clip in your everyday voice, too")


def voice_as_json(voice: Voice) -> dict[str, Any]:
    """A voice as ``--json`` gives it: ``voice.json``, its folder, its style of each emotion."""
    data = voice.contents.model_dump(mode="json")
    styles = {emotion: voice.style(emotion) for emotion in REPLY_EMOTIONS}
    return {**data, "folder": str(voice.folder), "styles": styles}
