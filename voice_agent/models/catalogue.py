"""The models that the agent can use: what they are for, under which licence, where they come from.

The catalogue is ``models/catalogue.yaml``; commits, sizes and sums are beside it in
``models/pins.yaml``, which ``pinning`` writes. Where a model lies on this machine is told by
``installed``; ``pulling`` fetches one.
"""

from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from voice_agent.errors import ConfigError
from voice_agent.shipped import shipped

Kind = Literal[
    "voice activity",
    "recognition",
    "paralinguistics",
    "turn end",
    "language model",
    "understanding",
    "embedding",
    "synthesis",
]

TRANSFORMERS_FILES = (
    "*.json",
    "*.txt",
    "*.jinja",
    "tokenizer.model",
    "*.safetensors",
    "pytorch_model*.bin",
    "LICENSE*",
)
"""What the transformers library reads of a model; of two forms of weights the first is taken."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Memory(_Entry):
    """What a loaded model takes, its work space included; estimates unless the catalogue says more.

    Attributes:
        cpu: MB of the machine's memory, in the number format that its engine chooses there.
        gpu: MB of a GPU's memory; None for a model that runs on the processor alone.
    """

    cpu: int = Field(gt=0)
    gpu: int | None = Field(None, gt=0)


class File(_Entry):
    """A file of a model.

    Attributes:
        path: Where it lies in the model's folder, with ``/``.
        size: Bytes.
        sha256: Its SHA-256 in hexadecimal.
    """

    path: str
    size: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")

    @field_validator("path")
    @classmethod
    def _stays_inside(cls, path: str) -> str:
        return inside(path)


class Archive(_Entry):
    """A zip file that carries a model.

    Attributes:
        url: Where it is fetched.
        size: Bytes; None where nobody has pinned it yet.
        sha256: Its SHA-256 in hexadecimal; None where nobody has pinned it yet.
    """

    url: str = Field(pattern="^https?://")
    size: int | None = Field(None, gt=0)
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")


class Source(_Entry):
    """A model that can be fetched: from where, and under which licence.

    Attributes:
        name: The name of its folder once it is pulled; for a model of the catalogue its name there.
        licence: SPDX id, or the licence's own name where it has none.
        commercial: Whether it may be used commercially, in plain words: "yes", "no", or on what
            condition.
        consent: What one agrees to by fetching it; None where nothing has to be agreed to.
        hub: Its name on the Hugging Face hub.
        revision: Commit, tag or branch on the hub.
        include: Patterns of the files to fetch from the hub; ``*`` stands for no ``/``.
        archive: The zip file to fetch.
        files: Files of which size and sum are pinned; for the others, those of the hub hold.
        megabytes: What there is to fetch; None for what comes with the agent, or is not known.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$")
    licence: str
    commercial: str
    consent: str | None = None
    hub: str | None = None
    revision: str = "main"
    include: tuple[str, ...] = TRANSFORMERS_FILES
    archive: Archive | None = None
    files: tuple[File, ...] = ()
    megabytes: int | None = Field(None, gt=0)

    @property
    def origin(self) -> str:
        """Its name on the hub, or the address of its archive."""
        return self.hub or (self.archive.url if self.archive else "")


class Model(Source):
    """An entry of the catalogue.

    A model comes with the agent (``path``), from the Hugging Face hub (``hub``), or as a zip file
    (``archive``).

    Attributes:
        aliases: Other names for it that engines know.
        kind: What sort of model it is.
        purpose: What it is for.
        source: Its home page.
        languages: Those it serves, in words; None where language does not matter.
        memory: What it takes when loaded.
        used_by: Names of the engines that use it.
        package: The Python package that carries it; None where it lies in ``models/`` itself.
        path: The file or folder, relative to where packages are installed, or to ``models/``.
    """

    aliases: tuple[str, ...] = ()
    kind: Kind
    purpose: str
    source: str
    languages: str | None = None
    memory: Memory
    used_by: tuple[str, ...]
    package: str | None = None
    path: str | None = None

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        if sum(place is not None for place in (self.path, self.hub, self.archive)) != 1:
            raise ValueError(f"{self.name}: one of path, hub and archive must say where it is")
        if self.comes_along != (self.megabytes is None):
            raise ValueError(f"{self.name}: megabytes belongs to what is fetched alone")
        return self

    @property
    def comes_along(self) -> bool:
        """Whether it comes with the agent and its packages, and is never fetched."""
        return self.path is not None

    def answers_to(self, name: str) -> bool:
        """Whether that is its name, an alias, or its name on the hub."""
        return name in (self.name, self.hub, *self.aliases)


def inside(path: str) -> str:
    """A relative path that stays where it is put.

    Raises:
        ValueError: It is absolute, or leads out of the folder.
    """
    parts = PurePosixPath(path).parts
    if not parts or parts[0] == "/" or ".." in parts or any(c in path for c in "\\:\0"):
        raise ValueError(f"{path!r} is no path inside of a folder")
    return path


@cache
def catalogue() -> tuple[Model, ...]:
    """All models, in the order of the catalogue.

    Raises:
        ConfigError: The catalogue is damaged.
    """
    folder = shipped("models")
    try:
        entries = _read(folder / "catalogue.yaml")["models"]
        pins = _read(folder / "pins.yaml")
        return tuple(Model.model_validate(_pinned(entry, pins)) for entry in entries)
    except (OSError, yaml.YAMLError, TypeError, KeyError, ValidationError) as error:
        raise ConfigError(
            f"the catalogue in {folder} is damaged; install the agent anew ({error})"
        ) from error


def known(name: str) -> Model | None:
    """The model of that name, alias or name on the hub; None if the catalogue has none."""
    return next((model for model in catalogue() if model.answers_to(name)), None)


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def _pinned(entry: dict[str, Any], pins: dict[str, Any]) -> dict[str, Any]:
    pin = dict(pins.get(entry["name"], {}))
    if "archive" in pin:
        pin["archive"] = entry["archive"] | pin["archive"]
    return entry | pin
