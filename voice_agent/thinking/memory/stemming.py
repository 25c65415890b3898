"""Words without their endings, as the index of memories has them."""

import re
import unicodedata
from functools import lru_cache

import snowballstemmer

_stemmer = snowballstemmer.stemmer("porter")


def stems(text: str) -> list[str]:
    """The words of a text, in lower case, without accents and by Porter's stemmer."""
    plain = unicodedata.normalize("NFKD", text.lower())
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return [_stem(word) for word in re.findall(r"[^\W_]+", bare)]


@lru_cache(maxsize=8192)
def _stem(word: str) -> str:
    stem: str = _stemmer.stemWord(word)
    return stem
