"""The agent: owns the engines that all conversations share, and opens conversations."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Self, cast
from uuid import uuid4

from voice_agent.dialogue.events import SessionEvent
from voice_agent.dialogue.session import Session, Wings
from voice_agent.engines import (
    EngineKind,
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
from voice_agent.hearing.paralinguistics.chain import ChainedReading
from voice_agent.hearing.recognizers.chain import ChainedRecognition
from voice_agent.hearing.vad import VadModel
from voice_agent.lineup import Lineup
from voice_agent.person import Person
from voice_agent.settings import Config
from voice_agent.speaking.speaker import Speaker
from voice_agent.speaking.synthesizers.chain import ChainedVoice
from voice_agent.starting import Line, start
from voice_agent.store import Store
from voice_agent.thinking import safety
from voice_agent.thinking.character import Character
from voice_agent.thinking.memory.embedding import Embedder
from voice_agent.thinking.memory.recollection import Recollection
from voice_agent.thinking.model_chain import ModelChain
from voice_agent.thinking.models.embedded import EmbeddedModel
from voice_agent.thinking.safety import SafetyGate
from voice_agent.thinking.thinker import Thinker
from voice_agent.workers import Worker

log = logging.getLogger(__name__)


class Agent:
    """Builds conversations out of a configuration.

    Attributes:
        config: The configuration.
        started: What runs of each kind since the start, and why nothing better.
        store: Where conversations are kept.
    """

    def __init__(
        self,
        config: Config,
        started: Mapping[EngineKind, Line],
        store: Store,
        embedder: Embedder | None,
    ) -> None:
        """Use ``create``.

        Args:
            config: The configuration.
            started: The engines that run, by kind.
            store: Where conversations are kept.
            embedder: Recalls memories by meaning; None where words alone bring them back.
        """
        self.config = config
        self.started = started
        self.store = store
        self._embedder = embedder
        self._handoff = Handoff(config.safety.handoff) if config.safety.handoff.url else None
        loaded = {kind: line.engines for kind, line in started.items()}
        self._recognizers = Lineup[Recognizer]("recognizer", loaded["recognizer"])
        self._analyzers = Lineup[ParalinguisticAnalyzer](
            "paralinguistics", loaded["paralinguistics"]
        )
        self._detectors = Lineup[TurnDetector]("turn_detector", loaded["turn_detector"])
        self._models = ModelChain(loaded["language_model"])
        self._reflex: EmbeddedModel = loaded["language_model"][-1]
        self._synthesizers = Lineup[Synthesizer]("synthesizer", loaded["synthesizer"])
        self._lineups: Mapping[EngineKind, Lineup[Any]] = {
            line.kind: line
            for line in (
                self._recognizers,
                self._analyzers,
                self._detectors,
                self._models,
                self._synthesizers,
            )
        }
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
        store = await Store.open(config.store.path)
        outcomes = await asyncio.gather(
            *(start(kind, line) for kind, line in config.lineups.items()),
            _embedder(config),
            asyncio.to_thread(safety.prepare),
            return_exceptions=True,
        )
        *lines, embedder, _ = outcomes
        for failure in outcomes:
            if isinstance(failure, BaseException):
                for loaded in (*lines, embedder):
                    if loaded is not None and not isinstance(loaded, BaseException):
                        await loaded.close()
                await store.close()
                raise failure
        started = cast("dict[EngineKind, Line]", dict(zip(config.lineups, lines, strict=True)))
        log.info(
            "engines chosen",
            extra={
                "engines": {kind: line.label for kind, line in started.items()},
                "why": {kind: line.why for kind, line in started.items() if line.why},
            },
        )
        return cls(config, started, store, cast("Embedder | None", embedder))

    @property
    def engines(self) -> Mapping[str, str]:
        """Names of the engines that are asked first by now, by kind."""
        return {kind: lineup.first.name for kind, lineup in self._lineups.items()}

    @property
    def resting(self) -> Mapping[str, Sequence[str]]:
        """Names of the engines that failed a while ago, by kind."""
        return {kind: names for kind, line in self._lineups.items() if (names := line.resting)}

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
        for lineup in self._lineups.values():
            await lineup.close()
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
            words = await ChainedRecognition.open(
                self._recognizers, emit, config.limits.turn_seconds
            )
            opened.push_async_callback(words.close)
            voice = await ChainedReading.open(self._analyzers, emit)
            opened.push_async_callback(voice.close)
            await self.store.begin(id, user.name if user else None, self.engines)
            recollection = await Recollection.open(
                self.store, user, id, config.memory, self._embedder
            )
            opened.pop_all()
        ear = Ear(self._vad, self._detectors.first, hearing.vad, hearing.endpointing)

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
            Thinker(self._models, gate, character, self._reflex.think, recollection, emit),
            Speaker(ChainedVoice(self._synthesizers, emit), config.speaking.level_db),
            self.store,
            lambda: {**self.engines, "recognizer": words.name},
        )
        return Session(id, wings, config, emit, clock, self._closed)

    async def _closed(self, id: str) -> None:
        self._open.pop(id, None)
        await self.store.end(id)
        log.info("session closed", extra={"session": id, "open": len(self._open)})


async def _embedder(config: Config) -> Embedder | None:
    if config.memory.embedding is None:
        return None
    return await Embedder.create(config.memory.embedding)
