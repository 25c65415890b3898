"""What a training does, as a file: ``configs/training/paralinguistics.yaml`` is the shipped one."""

from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from voice_agent.errors import ConfigError
from voice_agent.shipped import shipped


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Chances(_Section):
    """How often each change is made to a recording, and how far it goes."""

    speed: float = Field(0.6, ge=0, le=1, description="Share played faster or slower.")
    speed_range: tuple[float, float] = Field((0.9, 1.1), description="Slowest and fastest.")
    reverberation: float = Field(0.3, ge=0, le=1, description="Share put into a room.")
    noise: float = Field(0.5, ge=0, le=1, description="Share with noise added.")
    noise_db: tuple[float, float] = Field((5, 35), description="Signal-to-noise ratios.")
    telephone: float = Field(0.3, ge=0, le=1, description="Share sent through 8 kHz µ-law.")
    clipping: float = Field(0.05, ge=0, le=1, description="Share recorded too loud.")
    padding_s: float = Field(0.3, ge=0, description="Most silence before and after.")


class Fit(_Section):
    """How a network is fitted."""

    epochs: int = Field(50, ge=1, description="Passes over the recordings, at most.")
    patience: int = Field(15, ge=1, description="Passes without a gain after which it stops.")
    batch: int = Field(32, ge=2)
    learning_rate: float = Field(2e-3, gt=0, description="Highest of the one-cycle schedule.")
    weight_decay: float = Field(0.02, ge=0)
    dropout: float = Field(0.3, ge=0, lt=1)
    smoothing: float = Field(0.1, ge=0, lt=1, description="Share of a label spread over all.")
    mixing: float = Field(0.5, ge=0, le=1, description="Share of batches that are mixed up.")


class Voice(_Section):
    """The model of emotion and gender."""

    members: int = Field(3, ge=1, description="Networks whose readings are averaged.")
    width: int = Field(32, ge=4, description="Channels of the first stage.")
    variants: int = Field(12, ge=1, description="Variants made of each recording.")
    frames: int = Field(224, ge=32, description="Length of a training example (10 ms each).")
    gain: float = Field(1.0, ge=0, description="Deviation of the level, in nepers of power.")
    colour: float = Field(0.7, ge=0, description="Deviation of the microphone's colour.")
    plain: float = Field(
        0.03, ge=0, description="Read speech in a pass, as a share of the labelled recordings."
    )
    usual: float = Field(
        0.5, ge=0, le=1, description="Share read against the speaker's usual voice."
    )
    chances: Chances = Chances()
    fit: Fit = Fit()


class Events(_Section):
    """The model of vocal events."""

    width: int = Field(24, ge=4)
    windows: int = Field(20_000, ge=100, description="Examples of one second that are made.")
    chances: Chances = Chances(
        speed=0.5, speed_range=(0.85, 1.18), telephone=0.25, noise=0.4, padding_s=0
    )
    fit: Fit = Fit(epochs=10, batch=64, weight_decay=0.03, mixing=0.4)


class Recipe(_Section):
    """Everything that a training depends on but its recordings."""

    seed: int = 0
    voice: Voice = Voice()
    events: Events = Events()

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Reads a recipe, the shipped one if no other is named.

        Raises:
            ConfigError: It cannot be read or has something that a recipe has not.
        """
        path = path or shipped("configs") / "training" / "paralinguistics.yaml"
        try:
            return cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
        except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
            raise ConfigError(f"the recipe {path} cannot be used: {error}") from error
