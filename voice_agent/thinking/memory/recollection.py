"""What one conversation remembers: the face of memory that the thinker sees."""

import asyncio
import logging
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Self

import numpy as np

from voice_agent.events import Exchange, Memory, UserTurn
from voice_agent.memories import Memories, in_memory
from voice_agent.memory_tables import Kept, Noticed
from voice_agent.person import Person
from voice_agent.settings import Memory as Settings
from voice_agent.store import Store
from voice_agent.thinking.memory.asking import Search, search_for
from voice_agent.thinking.memory.embedding import Embedder, Vectors
from voice_agent.thinking.memory.noticing import feeling, is_private, notice
from voice_agent.thinking.memory.recall import CANDIDATES, LEAST_SIMILAR, Mood, fitting, likeness

log = logging.getLogger(__name__)

_UNNAMED = Person.here("somebody")
_LOW = -0.5
"""Valence from which on it is worth recalling what helped."""

_OF_ONESELF = re.compile(r"\b(?:i|i'm|im|i've|my|me|myself)\b", re.IGNORECASE)
_HELPED_LOOKED_AT = 20
_MOST_SIMILAR = 10


class Recollection:
    """The memories of the person in one conversation, kept for a named person alone.

    What somebody without a name tells is recalled within the conversation and gone with it.
    """

    def __init__(
        self,
        memories: Memories,
        person: Person,
        session: str,
        settings: Settings,
        embedder: Embedder | None,
    ) -> None:
        """Use ``open``."""
        self._memories = memories
        self._person = person
        self._session = session
        self._settings = settings
        self._embedder = embedder
        self._vectors: dict[str, Vectors] = {}
        self._before: UserTurn | None = None
        self._embedding: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        store: Store,
        person: Person | None,
        session: str,
        settings: Settings,
        embedder: Embedder | None = None,
    ) -> Self:
        """Opens the memory of a person for a conversation.

        Args:
            store: Where memories of named people are kept.
            person: Whose they are; None for somebody without a name.
            session: The conversation, which what is learned in it goes with.
            settings: The settings of memory; where it is off, nobody has a name.
            embedder: Recalls by meaning beside words; None for words alone.
        """
        # What the first turn needs is read while the person takes breath for it.
        asyncio.get_running_loop().run_in_executor(None, _get_ready)
        if person is None or not settings.enabled:
            return cls(in_memory(), _UNNAMED, session, settings, embedder)
        recollection = cls(store.memories, person, session, settings, embedder)
        if embedder is not None:
            # A new model may have much to read; until then words alone bring memories back.
            recollection._embedding = asyncio.create_task(recollection._embed_all(embedder))
        return recollection

    async def recall(self, turn: UserTurn, history: Sequence[Exchange] = ()) -> tuple[Memory, ...]:
        """The memories that a turn brings back, the most fitting first.

        Never raises: where memory fails, there is none.

        Args:
            turn: What the person said, or has said so far.
            history: What went before.
        """
        if not turn.text or is_private(turn.text):
            return ()
        try:
            kept = await self._recall(turn)
        except Exception as error:  # an answer without memories is better than none
            log.warning("memory failed", extra=self._about(error))
            return ()
        return tuple(
            replace(one.memory, earlier=one.session != self._session)
            for one in kept[: self._settings.recalled]
        )

    async def take_in(self, exchange: Exchange) -> None:
        """Remembers what a finished turn told.

        Never raises: where memory fails, nothing is kept.
        """
        turn, before = exchange.user, self._before
        if turn is None or not turn.text:
            return
        self._before = turn
        try:
            noticed = await asyncio.to_thread(notice, turn, before, exchange.thought)
            if noticed:
                await self._keep(noticed)
        except Exception as error:  # the conversation goes on
            log.warning("nothing could be remembered", extra=self._about(error))

    async def settled(self) -> None:
        """Returns once all memories can be recalled by meaning, where an embedder is given."""
        if self._embedding is not None:
            await asyncio.wait([self._embedding])

    async def close(self) -> None:
        """Lets go of what was not kept. Harmless when called twice."""
        if self._embedding is not None:
            self._embedding.cancel()
        self._memories, self._person = in_memory(), _UNNAMED
        self._vectors.clear()

    # --- recalling ------------------------------------------------------------------------------

    async def _recall(self, turn: UserTurn) -> list[Kept]:
        search, mood, now = search_for(turn.text), feeling(turn), time.time()
        if search.everything:
            kinds = ("fact", "person", "helped")
            return await self._memories.newest(self._person, self._settings.recalled, kinds)
        found = await self._memories.search(self._person, search.terms, CANDIDATES)
        similar = await self._similar(turn.text, search)
        if similar:
            there = {kept.ref for kept in found}
            others = [ref for ref in similar if ref not in there]
            found += await self._memories.named(self._person, others)
        kept = fitting(found, search, mood, self._settings.emotion_weight, now, similar)
        if mood[0] <= _LOW and not search.asks and _OF_ONESELF.search(turn.text):
            kept = await self._with_what_helped(kept, mood)
        return kept

    async def _with_what_helped(self, kept: list[Kept], mood: Mood) -> list[Kept]:
        """Adds what helped in a mood like this one, where the words did not bring it back."""
        kept = kept[: self._settings.recalled]
        if len(kept) == self._settings.recalled or any(k.memory.kind == "helped" for k in kept):
            return kept
        helped = await self._memories.newest(self._person, _HELPED_LOOKED_AT, ("helped",))
        nearest = max(helped, key=lambda one: likeness(mood, one), default=None)
        return [*kept, nearest] if nearest is not None else kept

    async def _similar(self, text: str, search: Search) -> dict[str, float] | None:
        """The cosines of the memories closest in meaning; None where nothing is embedded."""
        if self._embedder is None:
            return None
        if not self._vectors or not search.terms:
            return {}
        (sought,) = await self._embedder.embed([text])
        refs = list(self._vectors)
        cosines = np.stack([self._vectors[ref] for ref in refs]) @ sought
        closest = np.argsort(-cosines)[:_MOST_SIMILAR]
        return {refs[n]: float(cosines[n]) for n in closest if cosines[n] >= LEAST_SIMILAR}

    # --- keeping --------------------------------------------------------------------------------

    async def _keep(self, noticed: tuple[Noticed, ...]) -> None:
        refs = await self._memories.keep(self._person, self._session, noticed)
        if refs is None:
            # Somebody else has taken the name since this conversation began.
            log.warning("the name is taken; memory ends with the session", extra=self._about())
            self._memories, self._person = in_memory(), _UNNAMED
            self._vectors.clear()
            refs = await self._memories.keep(self._person, self._session, noticed)
        if refs:
            texts = {ref: one.memory.text for ref, one in zip(refs, noticed, strict=True)}
            await self._embed(texts)

    async def _embed_all(self, embedder: Embedder) -> None:
        """Has a vector for each memory, by the model that is in use now."""
        try:
            stored = await self._memories.vectors(self._person, embedder.model)
            self._vectors |= {ref: np.frombuffer(one, np.float32) for ref, one in stored.items()}
            kept = await self._memories.newest(self._person)
            await self._embed({k.ref: k.memory.text for k in kept if k.ref not in self._vectors})
        except Exception as error:  # words alone bring memories back, too
            log.warning("memories could not be embedded", extra=self._about(error))

    async def _embed(self, texts: dict[str, str]) -> None:
        if self._embedder is None or not texts:
            return
        vectors = dict(zip(texts, await self._embedder.embed(list(texts.values())), strict=True))
        self._vectors |= vectors
        await self._memories.set_vectors(
            self._person,
            self._embedder.model,
            {ref: one.astype(np.float32).tobytes() for ref, one in vectors.items()},
        )

    def _about(self, error: Exception | None = None) -> dict[str, str]:
        """What a log may tell: an error's message could hold words of the person."""
        about = {"session": self._session}
        return about if error is None else about | {"error": type(error).__name__}


@lru_cache(maxsize=1)
def _get_ready() -> None:
    """Reads and compiles what turns are looked at with, which takes a third of a second."""
    search_for("what did I say")
    notice(UserTurn("my cat is ill and i am tired"), UserTurn("my cat helped"))
