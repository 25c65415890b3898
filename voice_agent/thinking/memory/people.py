"""What is told of the people and animals in somebody's life."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from voice_agent.thinking.memory.clauses import Clause, known, turned_round
from voice_agent.thinking.memory.noticed import Found
from voice_agent.thinking.memory.patterns import alternatives, as_name, is_whole, key, pattern

_PRONOUNS = {"she": "she", "he": "he", "they": "they", "it": "it"} | {
    "her": "she",
    "his": "he",
    "their": "they",
    "its": "it",
}
_NAMING = re.compile(r"(?:'s name|name)(?:'s| is) |(?:is|are|'s|was) (?:called|named) ")
_CORRECTING = re.compile(r"\bnot ([\w-]+)$")
_BEING = re.compile(r"(?:is|'s) ")


_MANY = frozenset(("parents", "children"))


@dataclass(frozen=True, slots=True)
class Somebody:
    """Somebody spoken of.

    Attributes:
        which: Which of several: ``"older"``; empty where not said.
        noun: What the person calls them: ``"mum"``, ``"sister"``.
        relation: What that means: ``"mother"``, ``"sister"``, ``"dog"``.
        spoken_of: As ``she``, ``he`` or ``they``; an animal as ``it`` or any of these.
        only: A person has but one of them.
        pet: An animal.
    """

    which: str
    noun: str
    relation: str
    spoken_of: str
    only: bool = False
    pet: bool = False

    @property
    def word(self) -> str:
        """What the person calls them, as in "your older sister"."""
        return f"{self.which} {self.noun}".strip()

    @property
    def slot(self) -> str:
        """Who they are, however they are called."""
        return f"{self.which} {self.relation}".strip()

    def may_be(self, pronoun: str) -> bool:
        """Whether a pronoun may mean them."""
        said = _PRONOUNS[pronoun]
        if self.pet:
            return said != "they"
        if self.relation in _MANY:
            return said == "they"
        return said != "it" and (self.spoken_of == "they" or said in (self.spoken_of, "they"))


def spoken_of(clause: Clause) -> list[Somebody]:
    """Everybody whom a clause speaks of as the person's own."""
    anybody = re.finditer(rf"\b(?:my|our|a|an) {_lexicon().head}\b", clause.said)
    return [_lexicon().somebody(found["which"], found["who"]) for found in anybody]


def words_for_people(words: Iterable[str]) -> list[frozenset[str]]:
    """For each word that means somebody, all words for the same, in the singular and plural."""
    return [same for word in words if (same := _lexicon().same(word))]


def of_people(clause: Clause, known_before: Iterable[Somebody]) -> list[Found]:
    """What a clause tells of somebody in the person's life.

    Args:
        clause: The clause.
        known_before: Whom the person spoke of just before.
    """
    if clause.negated and not _CORRECTING.search(clause.said):
        return []
    for telling in (_having(clause), _presenting(clause), _telling(clause, list(known_before))):
        if found := list(telling):
            return found
    return []


def _presenting(clause: Clause) -> Iterator[Found]:
    found = re.fullmatch(rf"([\w-]+) (?:is|was) (?:my|our) {_lexicon().head}", clause.said)
    name = as_name(clause.words, introduced=False) if found else ""
    if found is not None and name:
        yield from _named(_lexicon().somebody(found["which"], found["who"]), name, clause)


def _telling(clause: Clause, known_before: list[Somebody]) -> Iterator[Found]:
    opened = re.match(rf"(?:my|our) {_lexicon().head}(?='s| |$)", clause.said)
    if opened is not None:
        who = _lexicon().somebody(opened["which"], opened["who"])
        start = opened.end()
    else:
        pronoun = re.match(r"(she|he|they|it|her|his|their|its)(?='s|'re| )", clause.said)
        fitting = {one for one in known_before if pronoun and one.may_be(pronoun[1])}
        if pronoun is None or len(fitting) != 1:
            return
        (who,) = fitting
        start = pronoun.end()
    rest, words = clause.said[start:].lstrip(), list(clause.between(start, len(clause.said)))
    name = ""
    if clause.said[start : start + 1] == "'":
        # "my sister's getting married": what follows the word is glued to it.
        words = ["is", *clause.between(start + 3, len(clause.said))]
        rest = rest if rest.startswith("'s name") else f"is {rest[3:]}"
    naming = _NAMING.match(rest)
    if naming is None and opened is not None and (name := as_name(words, introduced=False)):
        rest = rest[len(words[0]) - words[0].lower().endswith("'s") * 2 :].lstrip()
        glued, words = words[0].lower().endswith("'s"), words[1:]
        if glued:
            words, rest = ["is", *words], f"is {rest[2:].lstrip()}"
    if naming is not None:
        tail = rest[naming.end() :].split()
        yield from _named(who, as_name(words[len(words) - len(tail) :], introduced=True), clause)
        return
    if _BEING.match(rest) and len(words) == 2 and (called := as_name(words[1:], introduced=False)):
        yield from _named(who, called, clause)
        return
    if name:
        yield from _named(who, name, clause)
    if opened is None and clause.said.startswith("they") and who.relation not in _MANY:
        return  # "your partner live in Rome" would be said again
    yield from _predicate(who, name, rest, words)


def _predicate(who: Somebody, name: str, rest: str, words: list[str]) -> Iterator[Found]:
    for kind, source in _lexicon().predicates:
        found = pattern(source).match(rest)
        if found is None:
            continue
        said = turned_round(["x", *words[: len(found[0].split())]]).removeprefix("x ")
        text = " ".join(filter(None, ("your", who.word, name, said)))
        if is_whole(text):
            yield Found(
                kind="fact" if who.pet else "person",
                text=text,
                about=f"{who.relation} {name.lower()}".strip(),
                slot=f"{who.slot} {name.lower()}".strip() + f":{_slot(kind, said)}",
                hints=f"{_lexicon().hints(who)} {kind}",
                replaces=(f"{who.slot}:{_slot(kind, said)}",) if name else (),
            )
        return


def _slot(kind: str, said: str) -> str:
    return kind if kind not in ("likes", "visit", "place") else f"{kind}:{key(said)}"


def _named(who: Somebody, name: str, clause: Clause) -> Iterator[Found]:
    if not name:
        return
    several = "children" in who.relation or who.relation == "parents"
    if several:
        return
    another = _CORRECTING.search(clause.said)
    yield Found(
        kind="fact" if who.pet else "person",
        text=f"your {who.word} is called {name}",
        about=f"{who.relation} {name.lower()}",
        slot=f"{who.slot}:name" if who.only else f"{who.relation}:{name.lower()}:name",
        hints=f"{_lexicon().hints(who)} name",
        replaces=(f"{who.relation}:{another[1]}:name",) if another else (),
    )


def _having(clause: Clause) -> Iterator[Found]:
    found = _lexicon().having.match(clause.said)
    if found is None:
        return
    who = _lexicon().somebody(found["which"], found["who"])
    tail = clause.between(found.end(), len(clause.said))
    if found["called"]:
        name = as_name(tail, introduced=True)
        if name and found["count"] in ("a", "an", "one", "my"):
            yield from _named(who, name, clause)
    elif not tail or (tail[0].lower() in _GOING_ON and len(tail) <= 5):
        text = turned_round(clause.words)
        if is_whole(text):
            yield Found(
                kind="fact" if who.pet else "person",
                text=text,
                about=who.relation,
                slot=f"{who.slot}:have",
                hints=_lexicon().hints(who),
            )


_GOING_ON = frozenset("and in at who together from with".split())
"""Words that may follow on "i have a dog": a dog tournament is none."""


class _Lexicon:
    """Words for people and animals."""

    def __init__(self) -> None:
        data = known()
        self._relation: dict[str, tuple[str, str, bool]] = {}
        self._other: dict[str, list[str]] = {}
        for relation, about in data["relations"].items():
            names = [relation, *about.get("other", ())]
            self._other[relation] = names
            for name in names:
                self._relation[name] = (relation, about["as"], about.get("only", False))
        self._pets = frozenset(data["pets"])
        singular = (*self._relation, *self._pets)
        which = alternatives(data["which"])
        self.head = rf"(?:(?P<which>{which}) )?(?P<who>{alternatives(singular)})"
        many = {f"{word}s": word for word in singular} | {"puppies": "puppy", "bunnies": "bunny"}
        self._single = many | {"nieces": "niece", "wives": "wife", "mice": "mouse"}
        counted = alternatives((*singular, *self._single))
        self.having = re.compile(
            r"(?:i have|i've|i've got|i have got|i got|we have|we've got|we got|i adopted"
            r"|we adopted|i own|i bought|we bought|i (?:just|recently) (?:got|adopted))"
            r"(?: just| recently| also| only)? (?P<count>an?|one|two|three|four|five|six|\d|some|"
            r"twin|many|no) "
            r"(?:new |little |big |small |black |white |brown |golden |old |lovely |grown-up "
            rf"|grown up |young |teenage |sweet )*(?:(?P<which>{which}) )?(?P<who>{counted})"
            r"(?P<called> (?:called|named|whose name is|by the name of) )?(?=$| |(?<= ))"
        )
        self.predicates = [next(iter(rule.items())) for rule in data["of_people"]]

    def somebody(self, which: str | None, word: str) -> Somebody:
        single = self._single.get(word, word)
        if single in self._pets:
            return Somebody(which or "", word, single, "it", pet=True)
        relation, spoken, only = self._relation[single]
        return Somebody(which or "", word, relation, spoken, only and not which)

    def same(self, word: str) -> frozenset[str]:
        single = self._single.get(word, word)
        if single in self._relation:
            others = {
                part for other in self._other[self._relation[single][0]] for part in other.split()
            }
            return frozenset({word, single} | others)
        return frozenset({word, single}) if single in self._pets else frozenset()

    def hints(self, who: Somebody) -> str:
        if who.pet:
            return "pet pets animal"
        family = "family " if who.relation not in _NO_FAMILY else ""
        return family + " ".join(self._other[who.relation])


_NO_FAMILY = frozenset(
    "friend roommate neighbour boss colleague teacher therapist doctor ex girlfriend "
    "boyfriend".split()
)


@lru_cache(maxsize=1)
def _lexicon() -> _Lexicon:
    return _Lexicon()
