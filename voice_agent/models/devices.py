"""The devices on which models compute, and who goes first on them.

Engines share a processor or a GPU. The person hears at once when the voice stalls, a little later
when an answer does, and never when a thought does: so work comes in short steps, each begun in the
order of its rank.
"""

import logging
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from enum import IntEnum
from functools import cache
from typing import Literal

from voice_agent.errors import EngineUnavailable
from voice_agent.models import cublas, memory

log = logging.getLogger(__name__)

DeviceName = Literal["cpu", "cuda"]
Library = Literal["torch", "ctranslate2"]


class Rank(IntEnum):
    """What goes first on a device."""

    VOICE = 0
    EAR = 1
    REPLY = 2
    THOUGHT = 3
    PREPARATION = 4


PATIENCE_S = {
    Rank.VOICE: 0.0,
    Rank.EAR: 0.005,
    Rank.REPLY: 0.01,
    Rank.THOUGHT: 0.04,
    Rank.PREPARATION: 0.1,
}
"""How long a step waits for those before it at most: a crowd slows the others, and stops nobody."""


class Device:
    """A processor or a GPU that engines share. Use ``device`` to get one.

    Threads of engines call it; it knows nothing of what they compute.
    """

    def __init__(self, name: DeviceName, patience_s: Mapping[Rank, float] = PATIENCE_S) -> None:
        self.name = name
        self._patience_s = patience_s
        self._changed = threading.Condition()
        self._waiting: Counter[int] = Counter()
        self._working: Counter[int] = Counter()
        self._own = threading.local()

    @property
    def waiting(self) -> int:
        """Steps that are being held back."""
        with self._changed:
            return self._waiting.total()

    @contextmanager
    def turn(self, rank: Rank) -> Iterator[None]:
        """Holds a step back while one of a rank before it waits or works; blocks.

        Steps of one rank, and a step that is under way when one before it comes, go on side by
        side. Steps should be short (a token, a piece of audio, a batch of readings) and end when
        their results are there, not when a GPU has only been told to compute them.

        On a GPU the calling thread keeps, from its first turn on, a stream of its own that goes
        before others or behind them by the rank of that turn. An engine should therefore compute
        in one thread, and hand on only what it has finished.
        """
        with self._changed:
            self._waiting[rank] += 1
            try:
                self._changed.wait_for(lambda: not self._is_behind(rank), self._patience_s[rank])
            finally:
                self._waiting[rank] -= 1
            self._working[rank] += 1
        try:
            if self.name == "cuda":
                self._take_stream(rank)
            yield
        finally:
            with self._changed:
                self._working[rank] -= 1
                self._changed.notify_all()

    def _is_behind(self, rank: Rank) -> bool:
        return any(self._waiting[other] or self._working[other] for other in range(rank))

    def _take_stream(self, rank: Rank) -> None:
        # Not verified on a GPU. CTranslate2 has streams of its own, which this does not reach:
        # where it computes alone, torch is left as it is.
        torch = sys.modules.get("torch")
        if torch is None or not torch.cuda.is_initialized() or hasattr(self._own, "stream"):
            return
        # The weights may still be on their way to the GPU, in the stream that was used until now.
        torch.cuda.synchronize()
        self._own.stream = torch.cuda.Stream(priority=-1 if rank <= Rank.EAR else 0)
        torch.cuda.set_stream(self._own.stream)


@cache
def device(name: DeviceName) -> Device:
    """The device of that name, one for the whole process."""
    return Device(name)


def choose(
    wanted: str,
    setting: str,
    needed: int | Mapping[DeviceName, int] = 0,
    what: str = "the model",
    library: Library = "torch",
) -> DeviceName:
    """The device for a model; to load it there, ``reserve`` one instead.

    Args:
        wanted: ``"cpu"``, ``"cuda"``, or ``"auto"``: the GPU where there is one and the model fits,
            else the processor.
        setting: Where that was set, for errors: ``"thinking.language_model.device"``.
        needed: Bytes that the model takes, by device where that differs; 0 where it is unknown.
        what: What it is, for errors, as a subject: ``"the language model"``.
        library: The one that computes: it must be installed, and a GPU counts only if it was
            built for it.

    Raises:
        EngineUnavailable: ``"cuda"`` is wanted and there is none, or the model does not fit.
    """
    with reserve(wanted, setting, needed, what, library) as chosen:
        return chosen


@contextmanager
def reserve(
    wanted: str,
    setting: str,
    needed: int | Mapping[DeviceName, int] = 0,
    what: str = "the model",
    library: Library = "torch",
) -> Iterator[DeviceName]:
    """As ``choose``, and keeps the memory for the model that is loaded within the block.

    Whether a model fits is decided with what others are loading at the same time taken off.

    Raises:
        EngineUnavailable: As ``choose`` does.
    """
    smaller = "choose a smaller model, or close what else uses the memory"
    sizes: Mapping[DeviceName, int] = (
        {"cpu": needed, "cuda": needed} if isinstance(needed, int) else needed
    )
    with ExitStack() as claims:
        chosen: DeviceName = "cpu"
        if wanted != "cpu" and _has_gpu(library):
            advice = f"{smaller}, or set {setting} to cpu"
            try:
                claims.enter_context(memory.claim("cuda", sizes["cuda"], what, advice))
                chosen = "cuda"
            except EngineUnavailable as error:
                if wanted == "cuda":
                    raise
                log.warning("%s runs on the processor: %s", what, error)
        elif wanted == "cuda":
            raise EngineUnavailable(
                f"{library} finds no CUDA device here; set {setting} to cpu, or {_BRINGS[library]}"
            )
        if chosen == "cpu":
            claims.enter_context(memory.claim("cpu", sizes["cpu"], what, smaller))
        yield chosen


_BRINGS: Mapping[Library, str] = {
    "torch": "install the build of torch for your GPU (https://pytorch.org/get-started/locally)",
    "ctranslate2": "install the driver of your GPU, and cuBLAS for CUDA 12, which comes with: "
    "pip install 'voice-agent[gpu]'",
}


def _has_gpu(library: Library) -> bool:
    if library == "ctranslate2":
        import ctranslate2

        count: int = ctranslate2.get_cuda_device_count()
        return count > 0 and cublas.ensure()
    import torch

    there: bool = torch.cuda.is_available()
    return there
