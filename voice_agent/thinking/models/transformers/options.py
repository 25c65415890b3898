"""The settings of the engine."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Options(BaseModel):
    """Settings of the engine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(
        "Qwen/Qwen2.5-1.5B-Instruct",
        description="Folder of an instruction-tuned model, or its name on the Hugging Face hub",
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where it runs")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto",
        description="Number format; auto: bfloat16 where the device computes it, else float32",
    )
    threads: int = Field(
        0, ge=0, le=256, description="Threads on the processor; 0 for half of its cores"
    )
    context_tokens: int = Field(
        8192,
        ge=256,
        description="Longest prompt and answer, in tokens, if the model can take it; the oldest "
        "exchanges are left out",
    )
    max_new_tokens: int = Field(
        400, ge=16, le=4096, description="Longest answer with its thoughts, in tokens"
    )
    temperature: float = Field(
        0.7, ge=0, le=2, description="How freely it chooses its words; 0: always the likeliest"
    )
    top_p: float = Field(
        0.9, gt=0, le=1, description="Share of the likeliest words among which it chooses"
    )
    sessions: int = Field(
        8,
        ge=1,
        le=256,
        description="Conversations whose beginning is kept in memory and read only once, and "
        "that are answered at once; fewer where memory is short",
    )

    @model_validator(mode="after")
    def _leaves_room(self) -> Self:
        if self.max_new_tokens * 2 > self.context_tokens:
            raise ValueError("max_new_tokens: at most half of context_tokens")
        return self
