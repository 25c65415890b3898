"""What a turn looks for among memories."""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from voice_agent.thinking.memory.clauses import empty_words, known
from voice_agent.thinking.memory.people import words_for_people
from voice_agent.thinking.memory.stemming import stems

_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
MOST_TERMS = 24
"""The last words of a long turn are searched for; the question stands at its end."""


@dataclass(frozen=True)
class Search:
    """What to look for.

    Attributes:
        terms: The words, in lower case, with others for the same.
        count: How many words there were without those others.
        asks: The turn asks for something told earlier.
        everything: It asks for whatever was told.
        about: Whom or what the answer must be about: of each group of words, one, without endings.
        naming: What somebody is called.
    """

    terms: tuple[str, ...]
    count: int = 0
    asks: bool = False
    everything: bool = False
    about: tuple[frozenset[str], ...] = ()
    naming: bool = False

    @cached_property
    def stems(self) -> frozenset[str]:
        """The words without their endings."""
        return frozenset(stem for term in self.terms for stem in stems(term))


@lru_cache(maxsize=256)
def search_for(text: str) -> Search:
    """What a turn looks for."""
    words = _WORD.findall(text.replace("’", "'"))
    said = " ".join(words).lower()
    if _asks_all().search(said):
        return Search((), asks=True, everything=True)
    bare = [word.lower().removesuffix("'s") for word in words]
    terms = [word for word in bare if word not in empty_words() and len(word) > 1]
    asks = _asks().search(said) is not None
    if not asks:
        # That somebody is happy again is no reason to bring up when they last were.
        terms = [word for word in terms if word not in known()["feelings"]]
    count = len(set(terms))
    terms = [same for word in terms[-MOST_TERMS:] for same in _same().get(word, (word,))]
    if not asks:
        return Search(tuple(dict.fromkeys(terms)), count)
    people = dict.fromkeys(words_for_people(terms))
    named = [frozenset({word}) for word in terms if word in _names()]
    terms += [word for asked, words in _asked_as() if asked.search(said) for word in words]
    return Search(
        tuple(dict.fromkeys(terms)),
        count,
        asks=True,
        about=tuple(
            frozenset(stem for word in group for stem in stems(word)) for group in people or named
        ),
        naming=_asks_name().search(said) is not None,
    )


@lru_cache(maxsize=1)
def _asks() -> re.Pattern[str]:
    return re.compile(known()["asks"])


@lru_cache(maxsize=1)
def _asks_all() -> re.Pattern[str]:
    return re.compile(known()["asks_all"])


@lru_cache(maxsize=1)
def _asks_name() -> re.Pattern[str]:
    return re.compile(known()["asks_name"])


@lru_cache(maxsize=1)
def _same() -> dict[str, tuple[str, ...]]:
    return {
        word: (word, *(other for other in group if other != word))
        for group in known()["same"]
        for word in group
    }


@lru_cache(maxsize=1)
def _asked_as() -> tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]:
    return tuple(
        (re.compile(asked), tuple(words.split())) for asked, words in known()["asked_as"].items()
    )


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(known()["names"])
