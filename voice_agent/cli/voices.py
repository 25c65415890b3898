"""``voice-agent voices``: voices of one's own, made of recordings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voice_agent.cli.options import AsJson, EngineName, Source

if TYPE_CHECKING:
    from voice_agent.speaking.voices import Consent, NewClip, Voice
    from voice_agent.voice_making import sources
    from voice_agent.voice_making.picking import Picking

app = typer.Typer(help="Add, pick, list and remove voices made of recordings.")

STATEMENT = "This is my own voice, or its owner agreed that a synthetic voice is made of it."

Name = Annotated[str, typer.Argument(metavar="NAME", help="Small letters, digits, - and _.")]
Language = Annotated[str, typer.Option(metavar="LANG", help="Language of the recordings.")]
Licence = Annotated[str, typer.Option(metavar="TEXT", help="What the voice may be used for.")]
Agreed = Annotated[bool, typer.Option("--consent", help=f"Do not ask: {STATEMENT}")]
Note = Annotated[
    str, typer.Option("--consent-note", metavar="TEXT", help="Who agreed, or where that is kept.")
]


@app.callback()
def _group() -> None:
    pass


@app.command()
def add(
    name: Name,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="WAV, FLAC or OGG, 3 to 30 s of speech each."),
    ] = None,
    emotion: Annotated[
        str | None,
        typer.Option(metavar="EMOTION", help="Of these files; else they are named after it."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--from", metavar="FOLDER", help="Files by name, or with a manifest.csv."),
    ] = None,
    language: Language = "en",
    licence: Licence = "",
    consent: Agreed = False,
    consent_note: Note = "",
) -> None:
    """Make a voice of recordings, or give a voice more: sad.wav, comfort-1.wav, comfort-2.wav."""
    from voice_agent.cli.voice_tables import print_voice
    from voice_agent.voice_making.sources import from_files, from_folder

    if (folder is None) == (not files):
        raise typer.BadParameter("name files, or a folder with --from", param_hint="FILE")
    if folder is not None and emotion is not None:
        raise typer.BadParameter("goes with files, not with --from", param_hint="--emotion")
    chosen = from_folder(folder) if folder else from_files(files or (), emotion)
    clips = _examined(chosen)
    voice = _keep(name, language, licence, clips, consent, consent_note)
    print_voice(voice)


@app.command()
def pick(
    name: Name,
    folder: Annotated[
        Path, typer.Option("--from", metavar="FOLDER", help="Recordings of one person alone.")
    ],
    dry_run: Annotated[bool, typer.Option(help="Show what would be picked, keep nothing.")] = False,
    language: Language = "en",
    licence: Licence = "",
    consent: Agreed = False,
    consent_note: Note = "",
    source: Source = "embedded",
    engine: EngineName = None,
) -> None:
    """Let the agent choose good clips for each emotion that it hears in a folder of recordings."""
    import asyncio
    import sys

    from voice_agent.cli.voice_tables import print_picking, print_voice
    from voice_agent.errors import VoiceError
    from voice_agent.speaking.voices import NewClip
    from voice_agent.voice_making.sources import recordings

    found = asyncio.run(_picked(recordings(folder), source, engine))
    for path, why in found.unused:
        print(f"voice-agent: {path.name} is not used: {why}", file=sys.stderr)
    for heard, seconds in found.too_little:
        print(f"voice-agent: only {seconds:.1f} s sound {heard}", file=sys.stderr)
    if not found.clips:
        raise VoiceError(f"no emotion is heard clearly for 3 s or more in {folder}")
    print_picking(found)
    if dry_run:
        return
    clips = []
    for one in found.clips:
        surest = one.takes[0].take
        names = dict.fromkeys(heard.take.path.name for heard in one.takes)
        clips.append(
            NewClip(
                one.samples,
                one.emotion,
                surest.level_db,
                surest.manner.pitch_hz,
                surest.snr_db,
                ", ".join(names),
            )
        )
    print_voice(_keep(name, language, licence, clips, consent, consent_note))


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the voices."""
    import json
    import sys

    from voice_agent.cli.voice_tables import print_voices, voice_as_json
    from voice_agent.errors import VoiceError
    from voice_agent.speaking.voices import VoiceBank

    bank = VoiceBank.open()
    voices, damaged = [], False
    for name in bank.names:
        try:
            voices.append(bank.voice(name))
        except VoiceError as error:
            print(f"voice-agent: {error}", file=sys.stderr)
            damaged = True
    if as_json:
        for voice in voices:
            print(json.dumps(voice_as_json(voice), ensure_ascii=False))
    elif voices:
        print_voices(voices)
    elif not damaged:
        print(f"There are no voices in {bank.folder}. Add one with: voice-agent voices add")
    if damaged:
        raise typer.Exit(1)


@app.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Show the clips of a voice, what it speaks after in each emotion, and who agreed to it."""
    import json

    from voice_agent.cli.voice_tables import print_voice, voice_as_json
    from voice_agent.errors import VoiceError
    from voice_agent.speaking.voices import VoiceBank

    voice = VoiceBank.open().voice(name)
    if as_json:
        print(json.dumps(voice_as_json(voice), ensure_ascii=False))
    else:
        print_voice(voice)
    if changed := voice.changed():
        raise VoiceError(
            f"changed since they were added: {', '.join(clip.file for clip in changed)}; remove "
            "the voice and add its recordings again"
        )


@app.command()
def remove(
    name: Name,
    emotion: Annotated[
        str | None, typer.Option(metavar="EMOTION", help="Its clips of that emotion alone.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove a voice and its recordings for good."""
    from voice_agent.speaking.voices import VoiceBank

    bank = VoiceBank.open()
    if not yes:
        what = f"the clips of {emotion} of {name}" if emotion else f"the voice {name}"
        typer.confirm(f"Remove {what}? It cannot be brought back.", abort=True, err=True)
    bank.remove(name, emotion)
    print(f"Removed {name}." if emotion is None else f"Removed the clips of {emotion} of {name}.")


def _examined(chosen: "list[sources.Source]") -> "list[NewClip]":
    """All recordings, if all will do; else every one that will not is told, and nothing is added.

    Raises:
        typer.Exit: One will not do.
    """
    import sys

    from voice_agent.errors import AudioError, VoiceError
    from voice_agent.hearing.vad import VadModel
    from voice_agent.speaking.voices import NewClip
    from voice_agent.voice_making.examination import examine

    vad = VadModel()
    clips, refused = [], False
    for source in chosen:
        try:
            examined = examine(source.path, vad)
        except (AudioError, VoiceError) as error:
            print(f"voice-agent: {error}", file=sys.stderr)
            refused = True
            continue
        for warning in examined.warnings:
            print(f"voice-agent: {source.path}: {warning}", file=sys.stderr)
        take = examined.take
        clips.append(
            NewClip(
                examined.samples,
                source.emotion,
                take.level_db,
                take.manner.pitch_hz,
                take.snr_db,
                source.path.name,
            )
        )
    if refused:
        print("voice-agent: nothing was added", file=sys.stderr)
        raise typer.Exit(1)
    return clips


def _keep(
    name: str, language: str, licence: str, clips: "list[NewClip]", agreed: bool, note: str
) -> "Voice":
    """Adds clips to the voice, or makes it, once it is said that this is allowed."""
    from voice_agent.errors import VoiceError
    from voice_agent.speaking.voices import VoiceBank

    bank = VoiceBank.open()
    if name not in bank.names:
        return bank.create(name, language, _consent(agreed, note), clips, licence)
    voice = bank.voice(name)
    if voice.language.partition("-")[0] != language.partition("-")[0]:
        raise VoiceError(
            f"the voice {name!r} speaks {voice.language}; for recordings in {language} "
            "(--language) make a voice of another name"
        )
    return bank.add(name, clips, _consent(agreed, note or voice.contents.consent.note))


def _consent(agreed: bool, note: str) -> "Consent":
    from datetime import UTC, datetime

    from voice_agent.speaking.voices import Consent

    if not agreed:
        typer.confirm(f"{STATEMENT}\nIs that so?", abort=True, err=True)
    return Consent(
        statement=STATEMENT, given=datetime.now(UTC).isoformat(timespec="seconds"), note=note
    )


async def _picked(paths: list[Path], source: str, engine: str | None) -> "Picking":
    from rich.console import Console
    from rich.progress import Progress

    from voice_agent.cli.analyzer import configured, opened
    from voice_agent.hearing.vad import VadModel
    from voice_agent.voice_making.picking import pick as pick_clips

    console = Console(stderr=True)
    async with opened(configured(source, engine)) as analyzer:
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("listening", total=2 * len(paths))
            return await pick_clips(paths, analyzer, VadModel(), lambda: progress.advance(task))
