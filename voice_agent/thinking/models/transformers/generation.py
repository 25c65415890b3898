"""One answer in the making: a step reads a part of the prompt, or writes a token."""

import logging
from collections.abc import Sequence
from typing import Any

from voice_agent.errors import EngineError
from voice_agent.events import Prompt
from voice_agent.thinking.models.transformers.answer import Answer
from voice_agent.thinking.models.transformers.chat import Chat, Reading
from voice_agent.thinking.models.transformers.loading import LoadedModel
from voice_agent.thinking.models.transformers.options import Options
from voice_agent.thinking.models.transformers.prefixes import Prefix, Prefixes
from voice_agent.thinking.models.transformers.sampling import Choice
from voice_agent.thinking.models.transformers.turns import Piece

log = logging.getLogger(__name__)

_TURN_BEGINS = "<words>"
"""What a turn of the person begins with in our own messages."""


class Runtime:
    """What all generations share: the model, how it is spoken to, and what it has read.

    Used by the model's thread alone.

    Attributes:
        tokens_read: Tokens that have gone through the model, for all conversations.
    """

    def __init__(self, options: Options, model: LoadedModel) -> None:
        self.options = options
        self.model = model
        self.chat = Chat(model.tokenizer, options.model)
        self.prefixes = Prefixes(options.sessions)
        self.ends = model.ends | self.chat.ends
        self.longest_prompt = max(1, model.context - options.max_new_tokens)
        self.tokens_read = 0

    def unload(self) -> None:
        """Gives the memory back; nothing can be done afterwards."""
        import torch

        del self.model, self.chat
        self.prefixes.clear()
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()


class Preparation:
    """Reads a prompt, so that a generation need not."""

    def __init__(self, runtime: Runtime, prompt: Prompt) -> None:
        self._runtime = runtime
        self._prompt = prompt
        self._reading: Reading | None = None
        self._prefix: Prefix | None = None
        self._unread: list[int] = []
        self._scores: Any = None

    @property
    def over(self) -> bool:
        """Whether all of the prompt has been read."""
        return self._reading is not None and not self._unread

    def step(self) -> Sequence[Piece]:
        """Reads on."""
        if self._reading is None:
            self._begin()
        else:
            self._read(self._unread[: self._runtime.model.at_once])
        return ()

    def close(self) -> None:
        """Leaves what was read to the conversation's next prompt."""
        if self._prefix is not None:
            self._runtime.prefixes.give_back(self._prefix)
            self._prefix = None
        self._scores = None

    def _begin(self) -> Reading:
        runtime = self._runtime
        self._reading = runtime.chat.read(self._prompt, runtime.longest_prompt)
        tokens = self._reading.tokens
        self._prefix = runtime.prefixes.take(self._prompt.session, tokens)
        kept = len(self._prefix.tokens)
        self._unread = tokens[kept:]
        log.debug(
            "prompt of a language model",
            extra={
                "session": self._prompt.session,
                "tokens": len(tokens),
                "kept": kept,
                "cache_bytes": runtime.prefixes.bytes,
            },
        )
        return self._reading

    def _read(self, tokens: list[int]) -> None:
        import torch

        assert self._prefix is not None
        try:
            self._scores = self._runtime.model.read(tokens, self._prefix.cache)
        except Exception as error:
            # Some layers may have taken the tokens in, and others not.
            self._runtime.prefixes.discard(self._prefix)
            self._prefix = None
            if isinstance(error, torch.cuda.OutOfMemoryError):
                self._runtime.prefixes.clear()
                torch.cuda.empty_cache()
                raise EngineError(
                    "the memory of the GPU is full; lower thinking.language_model.sessions or "
                    "context_tokens, or choose a smaller model"
                ) from error
            raise
        self._runtime.tokens_read += len(tokens)
        self._prefix.tokens.extend(tokens)
        self._unread = self._unread[len(tokens) :]


class Generation(Preparation):
    """Reads a prompt and writes the answer to it."""

    def __init__(self, runtime: Runtime, prompt: Prompt) -> None:
        super().__init__(runtime, prompt)
        self._written = 0
        self._over = False

    @property
    def over(self) -> bool:
        """Whether the answer is complete."""
        return self._over

    def step(self) -> Sequence[Piece]:
        """Reads a part of the prompt, or writes a token; returns what is known of the answer."""
        if self._reading is None:
            return self._start()
        self._read(self._unread[: self._runtime.model.at_once])
        return () if self._unread else self._write()

    def _start(self) -> Sequence[Piece]:
        reading, chat = self._begin(), self._runtime.chat
        self._choice = Choice(self._runtime.options, self._runtime.model.device, self._prompt.seed)
        self._call_begun = reading.call_begun
        self._answer = Answer(
            chat.tokenizer,
            thought_alone=self._prompt.aim == "thought" or bool(reading.call_begun),
            next_turn=(_TURN_BEGINS, chat.next_turn),
            tools=reading.names,
        )
        return self._answer.say(reading.begun)

    def _write(self) -> Sequence[Piece]:
        token = self._choice(self._scores)
        self._written += 1
        if token in self._runtime.ends:
            return self._finish()
        pieces = self._answer.feed(token)
        if self._answer.over and self._call_begun:
            return [*pieces, *self._begin_call(token)]
        if self._answer.over or self._written >= self._runtime.options.max_new_tokens:
            return [*pieces, *self._finish()]
        self._unread = [token]
        return pieces

    def _begin_call(self, token: int) -> list[Piece]:
        """After the thought, puts the beginning of a call that must come into the model's mouth."""
        begun, self._call_begun = self._call_begun, ""
        self._unread = [token, *self._runtime.chat.tokens(begun)]
        self._answer.go_on()
        return self._answer.say(begun)

    def _finish(self) -> list[Piece]:
        self._over = True
        return self._answer.finish()
