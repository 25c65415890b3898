"""How the person said they felt, and what they said helped."""

import re
from collections.abc import Sequence
from functools import lru_cache

from voice_agent.thinking.memory.clauses import Clause, known, turned_round
from voice_agent.thinking.memory.noticed import Found
from voice_agent.thinking.memory.patterns import alternatives, is_whole, key

_OFTEN = r"(?: (?:really|always|usually|often|actually|definitely|also|sometimes|still|just))*"
_MUCH = r"(?: (?:so much|a lot|a bit|a little|me|too|the most|every time))*"
_SUBJECT = (
    r"(?P<what>(?:(?:\w{2,}ing)|(?:my|the|a|some|your) [\w-]+|meditation|music|yoga|prayer|exercise"
    r"|therapy|sport|sports|reading|running|swimming|tea|nature|sleep)(?: [\w'-]+){0,6}?)"
)
_EASED = (
    r"(?:help(?:s|ed)(?: me)?(?: (?:to )?(?:sleep|relax|calm down|cope|unwind|feel better|focus"
    r"|think|clear my head|fall asleep|get through it))?"
    r"|(?:calms|calmed|settles|settled) me(?: down)?|(?:cheers|cheered) me up"
    r"|makes me (?:feel )?(?:better|calm)|made me feel (?:better|calm)"
    r"|(?:takes|took) my mind off (?:it|things|everything)|(?:clears|cleared) my head)"
)
_HELPED = re.compile(rf"{_SUBJECT}{_OFTEN} {_EASED}{_MUCH}$")
_HELPED_ALONE = re.compile(rf"(?:it|that|which){_OFTEN} {_EASED}{_MUCH}$")
_DID = re.compile(
    r"i(?: (?:also|just|finally|even|actually))* (?:\w+ed|went|took|did|wrote|had|made"
    r"|read|sang|ran|drank|spoke|sat|slept|swam|rode|saw|met|got|put|began|tried) "
)
_WHEN = re.compile(
    r"(?:i feel|i felt|i always feel|i usually feel)(?: much| a bit| a little| so much)? better"
    r" (?:after|when|once) .+$"
)
_NO_SUBJECT = re.compile(
    r"(?:nothing|something|anything|everything|thing|being|having to|going to"
    r" help|trying|during|evening|morning|king|ring)\b"
)


@lru_cache(maxsize=1)
def _feeling() -> re.Pattern[str]:
    named = alternatives(known()["feelings"])
    return re.compile(
        r"(?:i feel|i felt|i'm|im|i am|i was|i've been|i have been|i'm feeling|i am feeling"
        r"|i've been feeling|i was feeling|i get|i got)"
        r"(?: (?:so|really|very|quite|pretty|a bit|a little|just|still|feeling|extremely|kind of"
        rf"|incredibly|too|also|all|always|super|rather))* (?P<feeling>{named})"
        r"(?P<tail> (?:about|because|that|since|of|at|with|for) .+)?$"
    )


def mood(clause: Clause) -> Found | None:
    """The feeling that a clause names, with its cause where that is told."""
    found = None if clause.negated else _feeling().match(clause.said)
    if found is None:
        return None
    cause = ""
    if found["tail"]:
        cause = turned_round(["x", *clause.between(found.start("tail") + 1, found.end("tail"))])
        cause = cause.removeprefix("x ")
        if len(cause.split()) > 10 or not is_whole(f"you felt {cause}"):
            return None
    feeling = found["feeling"]
    valence, arousal = known()["feelings"][feeling]
    of = key(cause)
    return Found(
        kind="mood",
        text=f"you felt {feeling} {cause}".strip(),
        about=" ".join([feeling, *of.split()[-1:]]),
        slot=f"mood:{feeling}:{of}",
        hints="feeling mood felt",
        mood=(valence, arousal),
    )


def helped(clause: Clause, before: Clause | None) -> Found | None:
    """What a clause says helped."""
    if clause.negated:
        return None
    if (found := _HELPED.match(clause.said)) and not _NO_SUBJECT.match(found["what"]):
        text, what = turned_round(clause.words), found["what"]
    elif _WHEN.match(clause.said):
        text = what = turned_round(clause.words)
    elif (
        before is not None
        and not before.negated
        and _HELPED_ALONE.match(clause.said)
        and _DID.match(before.said)
        and len(before.words) <= 9
    ):
        did, it = turned_round(before.words), turned_round(("x", *clause.words))
        text, what = f"{did} and {it.removeprefix('x ')}", before.said
    else:
        return None
    words = key(what).split()
    if not words or not is_whole(text):
        return None
    return Found(
        "helped", text, " ".join(words[:2]), f"helped:{' '.join(words)}", "helped help better calm"
    )


def event(clauses: Sequence[Clause], stimulus: str, mood: tuple[float, float]) -> Found | None:
    """What stirred a strong feeling, where it was told in a clause that can be said again."""
    wanted = set(key(stimulus).split())
    for clause in clauses:
        own = clause.said.startswith(("i ", "my ", "we ", "our "))
        if not own or clause.negated or not wanted or len(clause.words) < 4:
            continue
        words = key(clause.said).split()
        text = turned_round(clause.words)
        if wanted & set(words) and len(words) >= 2 and is_whole(text) and len(clause.words) <= 12:
            return Found(
                "mood", text, " ".join(words[:2]), f"event:{' '.join(words)}", "", (), mood
            )
    return None
