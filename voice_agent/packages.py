"""The packages that the agent asks for, and what installs those that are missing."""

import json
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, version
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement

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


def packages() -> dict[str, list[Package]]:
    """The packages of each extra that are meant for this machine; the base under ``""``."""
    extras = distribution(DISTRIBUTION).metadata.get_all("Provides-Extra") or []
    return {extra: [_package(each) for each in _requirements(extra)] for extra in ("", *extras)}


def _requirements(extra: str) -> list[Requirement]:
    """What an extra asks for, and what the other extras that it names ask for."""
    found = []
    for line in distribution(DISTRIBUTION).requires or []:
        requirement = Requirement(line)
        marker = requirement.marker
        if extra:
            belongs = (
                marker is not None
                and marker.evaluate({"extra": extra})
                and not marker.evaluate({"extra": ""})
            )
        else:
            belongs = marker is None or marker.evaluate({"extra": ""})
        if not belongs:
            continue
        if requirement.name == DISTRIBUTION:
            found += [each for other in requirement.extras for each in _requirements(other)]
        else:
            found.append(requirement)
    return found


def install_command(extra: str = "") -> str:
    """The command that installs an extra in this very environment, from where it came."""
    what = f"[{extra}]" if extra else ""
    origin = json.loads(distribution(DISTRIBUTION).read_text("direct_url.json") or "{}")
    url = origin.get("url", "")
    if origin.get("dir_info", {}).get("editable"):
        target = f"-e '{unquote(urlsplit(url).path)}{what}'"
    elif url:
        vcs = origin.get("vcs_info", {})
        kind, commit = vcs.get("vcs"), vcs.get("commit_id")
        target = f"'{DISTRIBUTION}{what} @ {f'{kind}+{url}@{commit}' if vcs else url}'"
    else:
        target = f"'{DISTRIBUTION}{what}'"
    return f"{sys.executable} -m pip install {target}"


def _package(requirement: Requirement) -> Package:
    wanted = str(requirement.specifier)
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return Package(requirement.name, wanted, None, False)
    fits = requirement.specifier.contains(found, prereleases=True)
    return Package(requirement.name, wanted, found, fits)
