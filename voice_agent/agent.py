"""The agent: owns the engines that all conversations share, and opens conversations."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Self, cast
from uuid import uuid4

from voice_agent.config import engine_options
from voice_agent.dialogue.events import SessionEvent
from voice_agent.dialogue.session import Session, Wings
from voice_agent.engines import (
    EngineKind,
    LanguageModel,
    ParalinguisticAnalyzer,
    Recognizer,
    Synthesizer,
    TurnDetector,
)
from voice_agent.errors import Overloaded
from voice_agent.handoff import Handoff
from voice_agent.hearing.ear import Ear
from voice_agent.hearing.events import HearingEvent
from voice_agent.hearing.listener import Listener
from voice_agent.hearing.vad import VadModel
from voice_agent.person import Person
from voice_agent.settings import Config, EngineChoice
from voice_agent.speaking.speaker import Speaker
from voice_agent.store import Store
from voice_agent.thinking.character import Character
from voice_agent.thinking.memory.embedding import Embedder
from voice_agent.thinking.memory.recollection import Recollection
from voice_agent.thinking.model_chain import ModelChain
from voice_agent.thinking.models.embedded import EmbeddedModel
from voice_agent.thinking.safety import SafetyGate
from voice_agent.thinking.thinker import Thinker
from voice_agent.workers import Worker

log = logging.getLogger(__name__)

_LAST_MODEL = EngineChoice(engine="embedded")
"""Answers where all other language models fail, so that nobody is left in silence."""


class Agent:
    """Builds conversations out of a configuration.

    Attributes:
        config: The configuration.
        engines: Names of the engines that run, by kind.
        store: Where conversations are kept.
    """

    def __init__(
        self,
        config: Config,
        loaded: Mapping[EngineKind, Any],
        reserve: Sequence[Any],
        store: Store,
        embedder: Embedder | None,
    ) -> None:
        """Use ``create``.

        Args:
            config: The configuration.
            loaded: The chosen engines.
            reserve: Language models that answer where the chosen one fails; the last one embedded.
            store: Where conversations are kept.
            embedder: Recalls memories by meaning; None where words alone bring them back.
        """
        self.config = config
        self.store = store
        self._embedder = embedder
        self._handoff = Handoff(config.safety.handoff) if config.safety.handoff.url else None
        self.engines: Mapping[str, str] = {kind: engine.name for kind, engine in loaded.items()}
        self._loaded = loaded
        self._recognizer: Recognizer = loaded["recognizer"]
        self._analyzer: ParalinguisticAnalyzer = loaded["paralinguistics"]
        self._detector: TurnDetector = loaded["turn_detector"]
        self._embedded: EmbeddedModel = reserve[-1]
        chosen: LanguageModel = loaded["language_model"]
        alone = isinstance(chosen, EmbeddedModel)
        self._models = ModelChain([chosen] if alone else [chosen, *reserve])
        self._synthesizer: Synthesizer = loaded["synthesizer"]
        self._vad = VadModel()
        self._ears = Worker.thread("ears")
        self._open: dict[str, Session | None] = {}

    @classmethod
    async def create(cls, config: Config) -> Self:
        """Loads all engines of a configuration, side by side.

        Raises:
            ConfigError: An engine does not exist or does not take its options.
            EngineUnavailable: An engine cannot run here; says what to do.
        """
        classes = {
            kind: engine_options(kind, choice) for kind, choice in config.engine_choices.items()
        }
        reserve = [
            engine_options("language_model", choice)
            for choice in (*config.thinking.fallback, _LAST_MODEL)
        ]
        store = await Store.open(config.store.path)
        creating = [
            asyncio.ensure_future(engine.create(options))
            for engine, options in (*classes.values(), *reserve)
        ]
        if config.memory.embedding is not None:
            creating.append(asyncio.ensure_future(Embedder.create(config.memory.embedding)))
        outcomes = await asyncio.gather(*creating, return_exceptions=True)
        chosen, spare = outcomes[: len(classes)], outcomes[len(classes) :]
        embedder = spare.pop() if config.memory.embedding is not None else None
        failures = [one for one in (*chosen, embedder) if isinstance(one, BaseException)]
        if failures:
            for engine in outcomes:
                if not isinstance(engine, BaseException):
                    await engine.close()
            await store.close()
            raise failures[0]
        for missing in spare:
            if isinstance(missing, BaseException):
                # It would only stand in for another one.
                log.warning("a language model in reserve is missing: %s", missing)
        ready = [model for model in spare if not isinstance(model, BaseException)]
        loaded = dict(zip(classes, chosen, strict=True))
        return cls(config, loaded, ready, store, cast("Embedder | None", embedder))

    @property
    def sessions(self) -> int:
        """Number of conversations open now."""
        return len(self._open)

    def is_open(self, session: str) -> bool:
        """Whether the conversation of this id is under way."""
        return session in self._open

    async def open(
        self,
        emit: Callable[[SessionEvent], None],
        *,
        clock: Callable[[], float] | None = None,
        user: Person | None = None,
    ) -> Session:
        """Opens a conversation.

        Args:
            emit: Told everything that happens, on the event loop, in order.
            clock: Seconds, by which audio is played; None for the clock of received samples.
            user: Who the person is, where known.

        Raises:
            Overloaded: As many conversations as allowed are open.
        """
        limit = self.config.limits.sessions
        if len(self._open) >= limit:
            raise Overloaded(f"all {limit} conversations are in use; try again later")
        id = f"sess_{uuid4().hex[:20]}"
        # The place is taken before anything is awaited, so that two cannot take the last one.
        self._open[id] = None
        try:
            session = await self._build(id, emit, clock, user)
        except BaseException:
            del self._open[id]
            raise
        self._open[id] = session
        log.info("session opened", extra={"session": id, "open": len(self._open)})
        return session

    async def close(self) -> None:
        """Closes all conversations and engines."""
        for session in list(self._open.values()):
            if session is not None:
                await session.close()
        for engine in self._loaded.values():
            await engine.close()
        await self._models.close()
        if self._embedder is not None:
            await self._embedder.close()
        if self._handoff is not None:
            # It waits a little for what is still to be told.
            await asyncio.to_thread(self._handoff.close)
        self._ears.close()
        await self.store.close()

    async def _build(
        self,
        id: str,
        emit: Callable[[SessionEvent], None],
        clock: Callable[[], float] | None,
        user: Person | None,
    ) -> Session:
        config = self.config
        hearing = config.hearing
        async with AsyncExitStack() as opened:
            words = await self._recognizer.open()
            opened.push_async_callback(words.close)
            voice = await self._analyzer.open()
            opened.push_async_callback(voice.close)
            await self.store.begin(id, user.name if user else None, self.engines)
            recollection = await Recollection.open(
                self.store, user, id, config.memory, self._embedder
            )
            opened.pop_all()
        ear = Ear(self._vad, self._detector, hearing.vad, hearing.endpointing)

        def listen(on_event: Callable[[HearingEvent], None]) -> Listener:
            return Listener(ear, words, voice, self._ears, on_event)

        name = user.name if user else None
        gate = SafetyGate(config.safety, self._handoff, id, name)
        character = Character(
            config.thinking.instructions,
            config.thinking.conduct,
            config.thinking.while_listening,
            seed=int(id[-8:], 16),
            session=id,
        )
        wings = Wings(
            listen,
            Thinker(self._models, gate, character, self._embedded.think, recollection),
            Speaker(self._synthesizer, config.speaking.level_db),
            self.store,
            self.engines,
        )
        return Session(id, wings, config, emit, clock, self._closed)

    async def _closed(self, id: str) -> None:
        self._open.pop(id, None)
        await self.store.end(id)
        log.info("session closed", extra={"session": id, "open": len(self._open)})
