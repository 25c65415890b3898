"""Where models lie on this machine. Nothing is fetched.

A model is in a folder of one's own, among the pulled ones, or in the cache of the Hugging Face hub.
Engines ask for one by a name that may mean each of these.
"""

import re
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import platformdirs

from voice_agent.errors import EngineUnavailable
from voice_agent.models.catalogue import Model, known
from voice_agent.shipped import shipped


def home() -> Path:
    """The folder of the pulled models, one folder each."""
    return platformdirs.user_data_path("voice-agent", appauthor=False) / "models"


def all_pulled() -> list[Path]:
    """The folders of all pulled models, by name."""
    if not home().is_dir():
        return []
    return sorted(
        each for each in home().iterdir() if each.is_dir() and not each.name.startswith(".")
    )


def pulled(model: str) -> Path:
    """Where a pulled model is kept, whether it is there or not.

    Args:
        model: Its name in the catalogue, an alias, or its name on the Hugging Face hub.
    """
    entry = known(model)
    return home() / (entry.name if entry else model.replace("/", "--"))


def find(model: str, needs: Iterable[str] = ("config.json",)) -> Path | None:
    """The folder of a model; None if it is not here, or not whole.

    Args:
        model: A folder, a name of the catalogue, or a name on the Hugging Face hub.
        needs: Files without which it is of no use.
    """
    needs = tuple(needs)
    return next((folder for folder in _places(model) if not _lacking(folder, needs)), None)


def require(model: str, needs: Iterable[str] = ("config.json",)) -> Path:
    """As ``find``.

    Raises:
        EngineUnavailable: The model is not here, or not whole; says how to get it.
    """
    needs = tuple(needs)
    folder = find(model, needs)
    if folder is not None:
        return folder
    for place in _places(model):
        missing = _lacking(place, needs)
        if len(missing) < len(needs):
            raise EngineUnavailable(
                f"{place} lacks {' and '.join(missing)}, without which the model does not run: "
                "put it there, or fetch the model anew"
            )
    raise EngineUnavailable(
        f"there is no model {model!r} here: looked for such a folder with {' and '.join(needs)}, "
        f"for a pulled one in {pulled(model)}, and in the cache of the Hugging Face hub; "
        f"{_get(model)}"
    )


def locate(model: Model) -> Path | None:
    """Where a model of the catalogue lies on this machine; None if it is not there."""
    if not model.comes_along:
        place = pulled(model.name)
        return place if place.is_dir() else _cached(model.name)
    assert model.path is not None
    if model.package is None:
        place = shipped("models") / model.path
    else:
        try:
            place = Path(str(distribution(model.package).locate_file(model.path)))
        except PackageNotFoundError:
            return None
    return place if place.exists() else None


def size_bytes(path: Path) -> int:
    """Size of a file, or of all files in a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def is_hub_name(name: str) -> bool:
    """Whether it has the form of a name on the Hugging Face hub, ``owner/name``."""
    return re.fullmatch(r"[\w-][\w.-]*/[\w.-]+", name) is not None and ".." not in name


def _places(model: str) -> Iterator[Path]:
    for place in (Path(model).expanduser(), pulled(model)):
        if place.is_dir():
            yield place
    cached = _cached(model)
    if cached is not None:
        yield cached


def _lacking(folder: Path, needs: tuple[str, ...]) -> list[str]:
    return [name for name in needs if not (folder / name).is_file()]


def _cached(model: str) -> Path | None:
    """The newest copy of a model in the cache of the hub."""
    entry = known(model)
    name = entry.hub if entry else model
    if name is None or not is_hub_name(name):
        return None
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except LocalEntryNotFoundError:
        return None


def _get(model: str) -> str:
    entry = known(model)
    if entry is not None:
        about = f"{entry.megabytes} MB, licence {entry.licence}"
        return f"get it with: voice-agent models pull {entry.name} ({about})"
    if is_hub_name(model):
        return f"get it with: voice-agent models pull {model}"
    return "`voice-agent models list` shows what `voice-agent models pull` can fetch"
