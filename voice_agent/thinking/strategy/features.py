"""What the choice of a strategy is learned from: the moment of the conversation, as numbers."""

from collections.abc import Sequence
from functools import lru_cache
from math import log1p

from voice_agent.events import Exchange, Strategy, UserTurn
from voice_agent.thinking.plain_words import words
from voice_agent.thinking.strategy.evidence import evidence, valence_of
from voice_agent.thinking.text_emotion import carried

_TURNS = (1, 2, 3, 4, 6, 8, 10, 13, 16)
_WORDS = (3, 6, 12, 20, 35)
_LONG_AGO = 4


def features(turn: UserTurn, history: Sequence[Exchange]) -> dict[str, float]:
    """The moment as named numbers; what is not in it is 0.

    Args:
        turn: What is to be answered.
        history: What went before, oldest first; its thoughts tell the strategies used.

    Raises:
        EngineUnavailable: The model of emotion in words is missing or damaged.
    """
    texts = [past.user.text for past in history if past.user is not None]
    used = [past.thought.strategy if past.thought else "" for past in history]
    found = _of_words(turn.text) | _of_strategies(used)
    count = len(texts) + 1
    found["turns"] = log1p(count)
    found |= {f"turns>={least}": 1.0 for least in _TURNS if count >= least}
    found["told"] = log1p(len(words(turn.text)) + sum(len(words(text)) for text in texts))
    if texts:
        found["valence before"] = valence_of(texts[-1])
    for text in (*texts, turn.text):
        for name in evidence(text):
            found[f"shown {name}"] = found.get(f"shown {name}", 0.0) + 1 / 3
    return found


@lru_cache(maxsize=64)
def _of_emotion(text: str) -> dict[str, float]:
    return {f"emotion {k}": v for k, v in carried().among_feelings(words(text)).items()}


def _of_words(text: str) -> dict[str, float]:
    said = len(words(text))
    found = {"words": log1p(said), "valence": valence_of(text)}
    found |= {f"words>{least}": 1.0 for least in _WORDS if said > least}
    found |= {f"shows {name}": 1.0 for name in evidence(text)}
    return found | _of_emotion(text)


def _of_strategies(used: Sequence[str]) -> dict[str, float]:
    found = {f"last {name}": 1.0 for name in used[-1:]}
    found |= {f"before last {name}": 1.0 for name in used[-2:-1]}
    for name in Strategy:
        ago = next((at for at, one in enumerate(reversed(used)) if one == name), _LONG_AGO)
        found[f"since {name}"] = min(ago, _LONG_AGO) / _LONG_AGO
        found[f"share {name}"] = used.count(name) / (len(used) + 1)
    return found
