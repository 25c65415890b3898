"""The models that the agent can use: what they are for, under which licence, where they lie."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from voice_agent.errors import ConfigError
from voice_agent.models import hub
from voice_agent.shipped import shipped


class Model(BaseModel):
    """An entry of ``models/catalogue.yaml``.

    Attributes:
        name: Its name in the catalogue.
        purpose: What it is for.
        licence: SPDX id, or words where there is none.
        source: Where it comes from.
        used_by: Names of the engines that use it.
        package: The Python package that carries it; None where it lies in ``models/`` itself.
        path: The file or folder, relative to where packages are installed, or to ``models/``;
            None for a model of the hub.
        hub: Its name on the Hugging Face hub, for a model that does not come with the agent.
        megabytes: What there is to fetch of a model of the hub.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    purpose: str
    licence: str
    source: str
    used_by: tuple[str, ...]
    package: str | None = None
    path: str | None = None
    hub: str | None = None
    megabytes: int | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        if (self.path is None) == (self.hub is None):
            raise ValueError(f"{self.name}: either path or hub must say where it is")
        if (self.hub is None) != (self.megabytes is None):
            raise ValueError(f"{self.name}: megabytes belongs to hub, and to nothing else")
        return self

    def locate(self) -> Path | None:
        """Where it lies on this machine; None if it is not there."""
        if self.hub is not None:
            return hub.find(self.hub)
        assert self.path is not None
        if self.package is None:
            place = shipped("models") / self.path
        else:
            try:
                place = Path(str(distribution(self.package).locate_file(self.path)))
            except PackageNotFoundError:
                return None
        return place if place.exists() else None


def catalogue() -> list[Model]:
    """All models, in the order of the catalogue.

    Raises:
        ConfigError: The catalogue is damaged.
    """
    path = shipped("models") / "catalogue.yaml"
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
        return [Model.model_validate(entry) for entry in entries]
    except (OSError, yaml.YAMLError, TypeError, KeyError, ValidationError) as error:
        raise ConfigError(f"{path} is damaged; install the agent anew ({error})") from error


def size_bytes(path: Path) -> int:
    """Size of a file, or of all files in a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
