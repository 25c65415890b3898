"""Writes what the hub has of models into ``models/pins.yaml``, for those who keep the catalogue.

In a checkout: ``python -m voice_agent.models.pinning NAME…``, or no name for all models. The newest
commit is pinned. Files that the hub tells no SHA-256 of, and archives, are fetched to find it out.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from voice_agent.errors import ModelError, VoiceAgentError
from voice_agent.models import manifest
from voice_agent.models.catalogue import Archive, Source, catalogue, known
from voice_agent.models.fetching import client, fetch
from voice_agent.models.pulling import plan
from voice_agent.shipped import shipped

_HEADING = "# Written by `python -m voice_agent.models.pinning`.\n"


def pin(source: Source) -> dict[str, Any]:
    """The entry of a model in ``pins.yaml``.

    Raises:
        ModelError: The hub or the server does not give what is needed.
    """
    fresh = source.model_copy(update={"revision": "main", "files": ()})
    if fresh.archive is not None:
        fresh = fresh.model_copy(update={"archive": Archive(url=fresh.archive.url)})
    planned = plan(fresh)
    files = []
    with TemporaryDirectory() as folder, client() as http:
        for remote in planned.files:
            size, sha256 = remote.size, remote.sha256
            if size is None or sha256 is None:
                path = fetch(http, remote, Path(folder), lambda size: None)
                size, sha256 = path.stat().st_size, manifest.sha256(path)
            files.append({"path": remote.path, "size": size, "sha256": sha256})
    if fresh.archive is not None:
        return {"archive": {"size": files[0]["size"], "sha256": files[0]["sha256"]}}
    return {"revision": planned.commit, "files": sorted(files, key=lambda file: file["path"])}


def write(names: Sequence[str], path: Path) -> None:
    """Pins models in a file; what it says of others stays.

    Args:
        names: Models of the catalogue; all that can be fetched if there is none.
        path: The file.

    Raises:
        ModelError: There is no such model, or it cannot be had; the file stays as it was.
    """
    pins = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    for name in names or [model.name for model in catalogue() if not model.comes_along]:
        model = known(name)
        if model is None or model.comes_along:
            raise ModelError(f"the catalogue has no model {name!r} to fetch")
        pins[model.name] = pin(model)
    path.write_text(_HEADING + yaml.safe_dump(pins, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    try:
        write(sys.argv[1:], shipped("models") / "pins.yaml")
    except VoiceAgentError as error:
        sys.exit(str(error))
