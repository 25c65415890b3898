"""One answer of the agent, from the thought to the last sample that was heard."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

from voice_agent.errors import VoiceAgentError
from voice_agent.events import Exchange, Speech, Thought, Tool, ToolCall, UserTurn
from voice_agent.speaking.playback import Playback
from voice_agent.speaking.speaker import Speaker
from voice_agent.thinking.thinker import Thinker

log = logging.getLogger(__name__)

AHEAD_S = 20.0
"""Audio that is made ahead of what was sent; a longer answer waits."""

APOLOGY = "Sorry, I lost my thread for a moment. Could you say that again?"
"""Said when thinking failed before its first word, so that nobody is left in silence."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an answer is to be like.

    Attributes:
        aloud: It is spoken; else it is text only.
        instructions: Who the agent is; empty for what the configuration says.
        tools: What the model may call.
        tool_choice: As in ``events.Prompt``.
    """

    aloud: bool = True
    instructions: str = ""
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"


class Reply:
    """An answer in the making.

    It may be a speculation: then it makes thought and first phrase, and waits until it is
    released. Nothing of it is told to anybody before.

    Attributes:
        turn, history: What it answers.
        playback: Takes its audio.
        thought: The thoughts, once known.
        text: The words so far, in the pieces in which they came.
        calls: The tools that it calls.
        error: What went wrong, if anything did.
        made: Whether all of it was made, or it failed.
        first_token, first_audio: ``time.perf_counter()`` of its first word and audio.
    """

    def __init__(
        self,
        turn: UserTurn,
        history: tuple[Exchange, ...],
        playback: Playback,
        on_progress: Callable[["Reply"], None],
        opening: str = "",
    ) -> None:
        self.turn = turn
        self.history = history
        self.playback = playback
        self.thought: Thought | None = None
        self.text: list[str] = []
        self.calls: list[ToolCall] = []
        self.error: VoiceAgentError | None = None
        self.made = False
        self.first_token: float | None = None
        self.first_audio: float | None = None
        self._on_progress = on_progress
        self._opening = opening
        self._released = asyncio.Event()
        self._room = asyncio.Event()
        self._waiting = False
        self._task: asyncio.Task[None] | None = None

    def start(self, thinker: Thinker, speaker: Speaker, terms: Terms) -> None:
        """Begins the work."""
        self._task = asyncio.create_task(self._make(thinker, speaker, terms))

    def release(self) -> None:
        """The turn is over and this is its answer."""
        self._released.set()
        self._room.set()

    @property
    def released(self) -> bool:
        """Whether this is the answer and no speculation any more."""
        return self._released.is_set()

    @property
    def working(self) -> bool:
        """Whether an engine is at work on it right now."""
        return self._task is not None and not self._task.done() and not self._waiting

    def sent(self) -> None:
        """Some audio went out: there may be room for more."""
        self._room.set()

    async def cancel(self) -> None:
        """Stops the work."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _make(self, thinker: Thinker, speaker: Speaker, terms: Terms) -> None:
        pieces = thinker.reply(
            self.turn, self.history, terms.instructions or None, terms.tools, terms.tool_choice
        )
        try:
            async with aclosing(self._words(pieces)) as words:
                await self._say(words, speaker if terms.aloud else None)
        except VoiceAgentError as error:
            self._fail(error)
        except Exception as error:
            log.exception("reply failed")
            self._fail(VoiceAgentError(f"the answer failed: {type(error).__name__}"))
        self.playback.finish()
        self.made = True
        self._on_progress(self)

    async def _say(self, words: AsyncGenerator[str, None], speaker: Speaker | None) -> None:
        first = await anext(words, "")

        async def text() -> AsyncGenerator[str, None]:
            yield first
            async for piece in words:
                yield piece

        if speaker is None:
            async for _ in text():
                await self._wait_for_room()
            return
        thought = self.thought or Thought()
        speech = cast(
            AsyncGenerator[Speech, None],
            speaker.speak(text(), thought.reply_emotion, thought.style),
        )
        async with aclosing(speech):
            async for piece in speech:
                self.playback.add(piece)
                if self.first_audio is None:
                    self.first_audio = time.perf_counter()
                self._on_progress(self)
                await self._wait_for_room()

    async def _words(
        self, pieces: AsyncGenerator[Thought | str | ToolCall, None]
    ) -> AsyncGenerator[str, None]:
        """The words of the answer; keeps all else. An apology where there would be nothing."""
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    if isinstance(piece, Thought):
                        self.thought = piece
                    elif isinstance(piece, ToolCall):
                        self.calls.append(piece)
                        self._on_progress(self)
                    else:
                        if self._opening:
                            yield self._keep(f"{self._opening} ")
                            self._opening = ""
                        yield self._keep(piece)
        except VoiceAgentError as error:
            self._fail(error)
            if not self.text and not self.calls:
                self.thought = self.thought or Thought(reply_emotion="sorry")
                yield self._keep(APOLOGY)

    def _keep(self, words: str) -> str:
        if self.first_token is None:
            self.first_token = time.perf_counter()
        self.text.append(words)
        self._on_progress(self)
        return words

    def _fail(self, error: VoiceAgentError) -> None:
        self.error = self.error or error

    async def _wait_for_room(self) -> None:
        """Holds the work while this is a speculation, or far ahead of what was sent."""
        while not self.released or self.playback.length_s - self.playback.sent_s > AHEAD_S:
            self._room.clear()
            self._waiting = True
            try:
                await self._room.wait()
            finally:
                self._waiting = False
