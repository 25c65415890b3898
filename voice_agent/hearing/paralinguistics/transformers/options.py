"""The settings of the engine."""

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Kind = Literal["emotion", "gender", "age", "events", "dimensions"]


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class ModelChoice(BaseModel):
    """A model, and what is read from it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(description="Folder of a model, or its name on the Hugging Face hub")
    reads: Annotated[tuple[Kind, ...], BeforeValidator(_as_tuple), Field(min_length=1)] = Field(
        description="What it tells: emotion, gender, age (one or a list of these), events (sounds "
        "that are no words) or dimensions (arousal, valence, dominance)"
    )
    labels: dict[
        str, Annotated[tuple[str, ...], BeforeValidator(lambda names: _as_tuple(names or ()))]
    ] = Field(
        {},
        description="What its labels stand for, where their names do not tell: one of our names, a "
        "list of them, or null for nothing",
    )
    outputs: Literal["auto", "softmax", "sigmoid"] = Field(
        "auto",
        description="Whether its labels exclude each other (softmax) or not (sigmoid); auto: as "
        "the model says",
    )
    temperature: float = Field(
        1.0, gt=0, le=100, description="Divides its scores; above 1 makes a model less sure"
    )
    threshold: float = Field(
        0.5, gt=0, lt=1, description="Share from which a sound counts (events only)"
    )
    scale: tuple[float, float] = Field(
        (0.0, 1.0), description="Its lowest and its highest value (dimensions only)"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.reads) > 1 and {"events", "dimensions"} & set(self.reads):
            raise ValueError("reads: events and dimensions need a model of their own")
        if self.scale[0] >= self.scale[1]:
            raise ValueError("scale: the lowest value must come before the highest")
        return self


class Options(BaseModel):
    """Settings of the engine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: tuple[ModelChoice, ...] = Field(
        description="The models, each with what is read from it"
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where they run")
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = Field(
        "auto", description="Number format; auto: float16 on a GPU, float32 elsewhere"
    )
    window_s: float = Field(
        10.0,
        ge=1,
        le=30,
        description="Seconds at the end of a turn from which all but events are read",
    )
    max_batch: int = Field(16, ge=1, le=256, description="Pieces of audio read in one pass")
    waiting: int = Field(
        64, ge=1, le=10_000, description="Readings under way at once; one more is refused"
    )
    threads: int = Field(
        0, ge=0, le=256, description="Threads on the processor; 0 for half of its cores"
    )

    @model_validator(mode="after")
    def _one_model_a_kind(self) -> Self:
        if not self.models:
            raise ValueError("models: name at least one")
        counts = Counter(kind for choice in self.models for kind in choice.reads)
        twice = [kind for kind, count in counts.items() if count > 1]
        if twice:
            raise ValueError(f"models: more than one reads {', '.join(twice)}; choose one")
        return self
