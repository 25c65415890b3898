"""Who somebody says they are, and the key that proves it over the network."""

import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass
from secrets import token_hex
from typing import Self

LONGEST_NAME = 100
"""Characters that the name of a person may have."""

_KEY = re.compile(r"[0-9a-f]{64}")


def comparable(name: str) -> str:
    """A name as it is compared: NFKC, letter case folded, invisible characters left out.

    Letters of different scripts that look alike stay different: they are different people.

    Raises:
        ValueError: Nothing is left of it, or it is too long.
    """
    if len(name) > LONGEST_NAME:
        raise ValueError(f"a name may have {LONGEST_NAME} characters")
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    seen = "".join(c if c.isspace() or unicodedata.category(c)[0] != "C" else "" for c in folded)
    found = " ".join(seen.split())
    if not found:
        raise ValueError("a name needs a character that can be seen")
    return found


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who said who they are.

    Attributes:
        name: The name as they gave it.
        user: The name as it is compared.
        key: What proves over the network that they are who they say; None on the machine itself,
            whose user may read everything.
    """

    name: str
    user: str
    key: str | None = None

    @classmethod
    def from_afar(cls, name: str, key: str | None = None) -> Self:
        """A person who comes over the network, with a new key where they show none.

        Raises:
            ValueError: It is no name.
        """
        shown = key if key is not None and _KEY.fullmatch(key) else None
        return cls(name, comparable(name), shown or new_key())

    @classmethod
    def here(cls, name: str) -> Self:
        """A person at the machine itself, who needs no key.

        Raises:
            ValueError: It is no name.
        """
        return cls(name, comparable(name))

    def holds(self, lock: bytes | None) -> bool:
        """Whether this person may have what is kept under a key of this hash, or under none."""
        if self.key is None:
            return True
        return lock is not None and hmac.compare_digest(hashed(self.key), lock)


def new_key() -> str:
    """A key that nobody has."""
    return token_hex(32)


def hashed(key: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).digest()
