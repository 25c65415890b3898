"""What is installed, what can run here, and what brings the rest."""

import json
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement

from voice_agent.config import engine_options, load, profiles
from voice_agent.errors import VoiceAgentError

DISTRIBUTION = "voice-agent"


@dataclass(frozen=True, slots=True)
class Package:
    """A package that the agent asks for.

    Attributes:
        name: Its name.
        wanted: The versions that will do, as ``>=2,<3``.
        found: The installed version; None if it is missing.
        fits: Whether that version will do.
    """

    name: str
    wanted: str
    found: str | None
    fits: bool


@dataclass(frozen=True, slots=True)
class Runs:
    """Whether a profile can run here: ``problems`` says what is missing and what brings it."""

    profile: str
    engines: dict[str, str]
    problems: tuple[str, ...]


def packages() -> dict[str, list[Package]]:
    """The packages of each extra that are meant for this machine; the base under ``""``."""
    extras = distribution(DISTRIBUTION).metadata.get_all("Provides-Extra") or []
    wanted = [Requirement(line) for line in distribution(DISTRIBUTION).requires or []]
    found: dict[str, list[Package]] = {}
    for extra in ("", *extras):
        for requirement in wanted:
            marker = requirement.marker
            if marker is None:
                belongs = extra == ""
            else:
                belongs = marker.evaluate({"extra": extra}) and not (
                    extra and marker.evaluate({"extra": ""})
                )
            if belongs:
                found.setdefault(extra, []).append(_package(requirement))
    return found


def install_command(extra: str = "") -> str:
    """The command that installs an extra in this very environment."""
    what = f"[{extra}]" if extra else ""
    place = _checkout()
    target = f"-e '{place}{what}'" if place else f"'{DISTRIBUTION}{what}'"
    return f"{sys.executable} -m pip install {target}"


async def can_run(profile: str) -> Runs:
    """Loads each engine of a profile once, to see whether it can run here."""
    try:
        config = load(profile)
    except VoiceAgentError as error:
        return Runs(profile, {}, (str(error),))
    problems = []
    for kind, choice in config.engine_choices.items():
        try:
            engine_class, options = engine_options(kind, choice)
            engine = await engine_class.create(options)
            await engine.close()
        except VoiceAgentError as error:
            problems.append(f"{kind.replace('_', ' ')} {choice.engine}: {error}")
        except ImportError as error:
            problems.append(
                f"{kind.replace('_', ' ')} {choice.engine}: the package {error.name} is missing"
            )
    return Runs(
        profile,
        {kind: choice.engine for kind, choice in config.engine_choices.items()},
        tuple(problems),
    )


async def all_profiles() -> list[Runs]:
    """Each shipped profile, tried one after another."""
    return [await can_run(name) for name in profiles()]


def _package(requirement: Requirement) -> Package:
    wanted = str(requirement.specifier)
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return Package(requirement.name, wanted, None, False)
    fits = requirement.specifier.contains(found, prereleases=True)
    return Package(requirement.name, wanted, found, fits)


def _checkout() -> Path | None:
    """The checkout that is installed in editable form, if it is."""
    origin = json.loads(distribution(DISTRIBUTION).read_text("direct_url.json") or "{}")
    if not origin.get("dir_info", {}).get("editable"):
        return None
    return Path(unquote(urlsplit(origin["url"]).path))
