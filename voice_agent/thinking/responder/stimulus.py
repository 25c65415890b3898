"""What brought a feeling about, in the person's own words.

An event tells of itself ("my boss yelled at me"), by the words that lead to it ("because", "when",
"about"), by what is known to bring feelings about, and by somebody doing something to the person.
That one feels sad, thanks or asks is no event.
"""

import re
from collections.abc import Callable, Sequence

from voice_agent.thinking.plain_words import plain
from voice_agent.thinking.responder.clauses import Clause
from voice_agent.thinking.responder.phrasebook import Feeling, Topic

_FELT = re.compile(
    r"^((i|we|it) (\w+ ){0,3}(feel|felt|am|was|are|were|been|feels|makes?|made|get|got|seem) |"
    r"(it|that|this) (is|was) |i am )"
)
_ABOUT = re.compile(
    r"\b(?:worry|worries|worrying|worried|stress|stressed|stressing|anxiety|anxious|fear|afraid|"
    r"scared|terrified|nervous|trouble|problems?|issues?|struggling|struggle|upset|sad|down|bad|"
    r"terrible|awful|mad|angry|furious|excited|happy|glad|proud|ashamed|guilty|depressed|hurt|"
    r"overwhelmed|frustrated|disappointed|grateful|thankful|embarrassed|confused|jealous|lonely|"
    r"tired|sick|annoyed|disgusted|hopeful|nostalgic|shocked|surprised|devastated|heartbroken|"
    r"concerned|unsure|lost|alone|relieved|bored|low|crying) "
    r"(?P<link>about|of|by|over|at|with|for|from|that|because of|due to|after|when|since) "
    r"(?P<cause>\w+(?:'\w+)?(?: \w+(?:'\w+)?){0,15})$"
)
_NO_EVENT = re.compile(
    r"^(thanks?\b|thank you|hi\b|hello|hey|bye|good (morning|evening|night|day|idea)|yes|no|ok|"
    r"i (think|guess|know|hope|agree|understand|see|mean|wonder|wish|will|would|should|could|can|"
    r"might|may)\b|that (is|was|would|sounds|makes)|it (is|was|would|sounds)|you\b|your\b|"
    r"do you|are you|can you|sure|how|what|why|who|where|maybe|perhaps|if\b|let|please|"
    r"i am (fine|good|ok|well|here|sure))"
)
_TO_THE_AGENT = re.compile(
    r"\b(you|your|thanks|thank|appreciate|good idea|helped|helpful|helps|advice|conversation)\b"
)
_ON_ME = re.compile(
    r"^(?!i\b|we\b)(\w+ ){1,5}(me|us|my|our|mine)\b"  # somebody does something to the person
)
_LEADS_TO_IT = frozenset("because cause cos since when after".split())
_SHORTEST = 3
_LEAST = 1.0

Tells = Callable[[Sequence[str]], float]


def stimulus(
    clauses: Sequence[Clause],
    tells: Tells,
    feelings: Sequence[Feeling],
    topic: Topic | None,
) -> tuple[Clause | None, str]:
    """The clause that tells what brought the feeling about, and the words of it that do.

    Args:
        clauses: The turn's clauses.
        tells: How much plain words tell of a feeling, in [0, 1].
        feelings: All feelings, for what is known to bring them about.
        topic: What the turn is about.

    Returns:
        None and no words where no clause tells of such a thing.
    """
    best: Clause | None = None
    most = _LEAST
    for clause in clauses:
        score = _score(clause, tells, feelings, topic)
        if score > most:
            best, most = clause, score
    if best is None:
        return None, ""
    return best, _after_link(best) or best.text


def _score(clause: Clause, tells: Tells, feelings: Sequence[Feeling], topic: Topic | None) -> float:
    said = plain(clause.text)
    words = said.split()
    about = _ABOUT.search(said)
    if (len(words) < _SHORTEST and not about) or "?" in clause.mark:
        return 0.0
    score = min(len(words), 12) / 24 + 1.2 * tells(words)
    known = any(feeling.hints and feeling.hints.search(said) for feeling in feelings)
    on_topic = topic is not None and topic.words.search(said) is not None
    score += 1.2 * known + 0.6 * on_topic + 0.5 * bool(_ON_ME.match(said))
    if clause.joint in _LEADS_TO_IT:
        score += 1.0
    if about and not _TO_THE_AGENT.search(said):
        return score + 0.8
    named = any(feeling.said and feeling.said.search(said) for feeling in feelings)
    if _FELT.match(said) and named and not known:
        score -= 1.2  # that they feel so is not why
    if _NO_EVENT.match(said) or _TO_THE_AGENT.search(said):
        score -= 1.2
    return score


def _after_link(clause: Clause) -> str:
    """What a feeling is about, where a clause names both: ``nervous about my exam``."""
    text = clause.text
    match = _ABOUT.search(text.lower().replace("’", "'"))
    if match is None:
        return ""
    cause = text[match.start("cause") : match.end("cause")].strip()
    link = match["link"]
    if link in ("for", "with", "at", "by", "from", "of") and len(cause.split()) < 2:
        return ""
    return cause if len(cause.split()) <= 16 else ""
