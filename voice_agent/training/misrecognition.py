"""Words as a speech recogniser may mishear them: for training what has to bear it."""

import random

_FILLERS = ("um", "uh", "like", "well", "i mean", "you know", "so", "and")
_SOUND_ALIKE = {
    "to": "too", "too": "to", "my": "mine", "be": "bee", "here": "hear", "no": "know",
    "know": "no", "there": "their", "would": "wood", "for": "four", "i": "eye", "die": "dye",
    "life": "live", "live": "life", "alive": "a live", "myself": "my self",
    "anymore": "any more", "everyone": "every one", "tonight": "to night",
    "tomorrow": "to morrow", "not": "knot", "one": "won", "write": "right", "right": "write",
    "want": "won", "the": "a", "a": "the", "it": "id", "and": "an", "of": "off", "end": "and",
    "cut": "caught", "kill": "keel", "pills": "pill", "dead": "debt", "hurt": "heard",
    "hurting": "herding", "suicide": "sue side", "suicidal": "sewer cycle",
}  # fmt: skip


def misrecognised(text: str, chance: random.Random) -> str:
    """The text with words dropped, misheard, misspelt, split and repeated here and there."""
    heard: list[str] = []
    for word in text.split():
        kind = chance.random()
        if kind < 0.03:
            continue
        if kind < 0.09:
            word = _SOUND_ALIKE.get(word, word)
        elif kind < 0.11 and len(word) > 4:
            word = _misspelt(word, chance)
        if chance.random() < 0.04:
            heard.append(chance.choice(_FILLERS))
        heard.append(word)
        if chance.random() < 0.02:
            heard.append(word)
    return " ".join(heard)


def _misspelt(word: str, chance: random.Random) -> str:
    at = chance.randrange(1, len(word) - 1)
    return chance.choice(
        [
            word[:at] + word[at + 1 :],
            f"{word[:at]} {word[at:]}",
            word[:at] + chance.choice("aeioust") + word[at + 1 :],
        ]
    )
