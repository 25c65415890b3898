"""How much words sound like a wish to die or to hurt oneself: a small trained transformer.

Rules see what somebody has thought of before; people say it in ever new ways. The model (three
layers of MiniLM, fine-tuned) reads lower-case words without punctuation, as speech recognition
writes them.
"""

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from voice_agent.errors import EngineUnavailable
from voice_agent.shipped import shipped

MODEL, VOCABULARY = "model.onnx", "tokenizer.json"

_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "`": "'"})
_UNREAD = re.compile(r"[^a-z0-9' ]")
_WINDOW, _STEP = 48, 32
"""Words that are read at a time, so that one sentence in a long story is not lost in it."""


def heard_form(text: str) -> str:
    """A text as it is read: lower case, words with single spaces."""
    return " ".join(_UNREAD.sub(" ", text.lower().translate(_APOSTROPHES)).split())


def windows(text: str) -> list[str]:
    """The pieces of a text in ``heard_form`` that are read one by one."""
    words = heard_form(text).split()
    starts = range(0, max(1, len(words) - _WINDOW + _STEP), _STEP)
    return [" ".join(words[start : start + _WINDOW]) for start in starts]


class RiskModel:
    """Reads texts. Safe to share among threads."""

    def __init__(self, session: onnxruntime.InferenceSession, tokenizer: Tokenizer) -> None:
        """Use ``load``."""
        self._session = session
        self._tokenizer = tokenizer
        self._read = lru_cache(maxsize=1024)(self._probability)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads ``model.onnx`` and ``tokenizer.json``.

        Raises:
            EngineUnavailable: They are missing or damaged.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            session = onnxruntime.InferenceSession(
                folder / MODEL, options, providers=["CPUExecutionProvider"]
            )
            tokenizer = Tokenizer.from_file(str(folder / VOCABULARY))
        except Exception as error:  # both libraries raise kinds of their own
            raise EngineUnavailable(
                f"the model of risk cannot be read from {folder} ({error}): "
                "install the package again"
            ) from error
        return cls(session, tokenizer)

    def probability(self, text: str) -> float:
        """Probability in [0, 1] that a text tells of a risk; of its riskiest part where it is long.

        English only.
        """
        return max((self._read(window) for window in windows(text) if window), default=0.0)

    def _probability(self, window: str) -> float:
        ids = np.array([self._tokenizer.encode(window).ids], np.int64)
        (logit,) = self._session.run(None, {"ids": ids})
        return float(1 / (1 + np.exp(-float(_scalar(logit)))))


def _scalar(output: Any) -> float:
    return float(np.asarray(output).reshape(-1)[0])


@cache
def carried() -> RiskModel:
    """The model that the agent carries, loaded once.

    Raises:
        EngineUnavailable: Its files are missing or damaged.
    """
    return RiskModel.load(shipped("models") / "risk")
