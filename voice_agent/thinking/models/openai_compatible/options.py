"""The settings of the engine."""

import os
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from voice_agent.errors import EngineUnavailable


class Options(BaseModel):
    """Settings of the engine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = Field(
        "http://127.0.0.1:8000/v1",
        pattern=r"^https?://",
        description="Address of the server, up to and with its version: all that stands before "
        "`/chat/completions`",
    )
    model: str = Field("", description="Name of the model; empty for the first that the server has")
    api_key: SecretStr | None = Field(None, description="Key that the server wants, if any")
    api_key_env: str = Field(
        "", description="Environment variable that holds the key, to keep it out of files"
    )
    first_token_s: float = Field(
        8.0, gt=0, le=300, description="Longest wait for the first token, in seconds"
    )
    token_s: float = Field(
        5.0, gt=0, le=300, description="Longest wait between two tokens, in seconds"
    )
    retries: int = Field(
        2,
        ge=0,
        le=10,
        description="How often a request is made again that failed before its first token, "
        "within first_token_s",
    )
    temperature: float | None = Field(
        None, ge=0, le=2, description="How freely words are chosen; null as the server likes"
    )
    top_p: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Share of the likeliest words that are chosen among; null as the server likes",
    )
    max_tokens: int = Field(
        800, ge=64, le=32_768, description="Longest thought and reply together, in tokens"
    )
    prefill: bool = Field(
        False,
        description="When the person begins to speak, have the server read the conversation so "
        "far; for servers of your own that keep what they have read (vLLM, SGLang, llama.cpp)",
    )
    extra_body: dict[str, Any] = Field(
        {}, description="What else every request says, for the server's own settings"
    )

    @property
    def key(self) -> str:
        """The key to show; ``"none"`` where there is none.

        Raises:
            EngineUnavailable: The environment does not hold it, or it cannot be a key.
        """
        if self.api_key is not None:
            key = self.api_key.get_secret_value().strip()
        elif self.api_key_env:
            key = os.environ.get(self.api_key_env, "").strip()
            if not key:
                raise EngineUnavailable(
                    f"the environment variable {self.api_key_env}, which shall hold the key for "
                    f"{self.base_url}, is not set; set it, or change `api_key_env`"
                )
        else:
            key = ""
        if not (key.isascii() and key.isprintable()):
            raise EngineUnavailable(
                f"the key for {self.base_url} holds characters that no key has; copy it again"
            )
        return key or "none"
