"""Words as they are compared: lower case, contractions written out, no punctuation.

Recognised speech has neither punctuation nor capitals and spells contractions either way, typed
words have all of it. Everything that looks for words looks at this form.
"""

import re
from functools import lru_cache

_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "“": '"', "”": '"'})

_WHOLE = {
    "can't": "can not",
    "cannot": "can not",
    "cant": "can not",
    "won't": "will not",
    "wont": "will not",
    "shan't": "shall not",
    "ain't": "is not",
    "aint": "is not",
    "dont": "do not",
    "doesnt": "does not",
    "didnt": "did not",
    "isnt": "is not",
    "arent": "are not",
    "wasnt": "was not",
    "werent": "were not",
    "havent": "have not",
    "hasnt": "has not",
    "hadnt": "had not",
    "couldnt": "could not",
    "wouldnt": "would not",
    "shouldnt": "should not",
    "im": "i am",
    "ive": "i have",
    "id": "i would",
    "youre": "you are",
    "youve": "you have",
    "theyre": "they are",
    "thats": "that is",
    "whats": "what is",
    "hes": "he is",
    "shes": "she is",
    "let's": "let us",
    "lets": "let us",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "have to",
    "gimme": "give me",
    "dunno": "do not know",
    "kinda": "kind of",
    "sorta": "sort of",
    "cuz": "because",
    "cos": "because",
    "cause": "because",
    "ya": "you",
    "u": "you",
    "ur": "your",
    "anymore": "any more",
    "alright": "all right",
    "okay": "ok",
    "mum": "mom",
    "mummy": "mom",
    "mommy": "mom",
    "mama": "mom",
    "daddy": "dad",
}
_ENDINGS = (
    ("n't", " not"),
    ("'re", " are"),
    ("'ve", " have"),
    ("'ll", " will"),
    ("'m", " am"),
    ("'d", " would"),
)
_IS = {"it", "that", "there", "what", "who", "where", "how", "he", "she", "here", "everything"}
_TOKEN = re.compile(r"[a-z0-9]+(?:'[a-z]+)?|[^\W_]+(?:'[^\W_]+)?")
_SENTENCE_END = re.compile(r"(?<=[.!?…])(?=\s)|(?<=[.!?…][\"')\]])(?=\s)")


@lru_cache(maxsize=512)
def words(text: str) -> tuple[str, ...]:
    """The words of a text in their plain form."""
    plain: list[str] = []
    for token in _TOKEN.findall(text.translate(_QUOTES).lower()):
        plain.extend(_written_out(token))
    return tuple(plain)


@lru_cache(maxsize=512)
def plain(text: str) -> str:
    """A text in plain words with single spaces: ``"Don't!"`` gives ``"do not"``."""
    return " ".join(words(text))


def sentences(text: str) -> list[str]:
    """The sentences of a text, white space stripped."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part.strip()]


def _written_out(token: str) -> list[str]:
    if token in _WHOLE:
        return _WHOLE[token].split()
    if "'" not in token:
        return [token]
    if token.endswith("'s"):
        return [token[:-2], "is"] if token[:-2] in _IS else [token]
    for ending, whole in _ENDINGS:
        if token.endswith(ending):
            return [token[: -len(ending)], whole.strip()]
    return [token]
