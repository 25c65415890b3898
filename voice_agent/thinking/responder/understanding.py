"""What a turn says: the move it makes, the feeling, the topic, and words worth turning round."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voice_agent.events import UserTurn
from voice_agent.thinking import knowledge
from voice_agent.thinking.plain_words import plain
from voice_agent.thinking.responder.clauses import Clause, Grammar
from voice_agent.thinking.responder.homophones import repaired
from voice_agent.thinking.responder.meaning import Appraisal, Meaning
from voice_agent.thinking.responder.mirror import Mirror
from voice_agent.thinking.responder.misheard import Misheard
from voice_agent.thinking.responder.phrasebook import Act, Feeling, Phrasebook, Topic
from voice_agent.thinking.responder.stimulus import stimulus
from voice_agent.thinking.text_emotion import TOLD, TextEmotion, grouped

_LEAST_CONFIDENCE = 0.15
_MIRRORED_CONFIDENCE = 0.35
_LEAST_FEELING = 0.5
_LEAST_JOY = 0.9  # rejoicing at a trouble hurts more than missing a joy
NAMED = 1.6
_NEGATION = re.compile(
    r"\b(not|no|never|nothing|hardly|barely|without|used to be|wish i was|wish i were|want to be|"
    r"would be|would have been|neither|nor)( \w+){0,2} $"
)
_OF_OTHERS = re.compile(
    r"\b(he|she|they|who|(my|our|his|her|the) (\w+ )?(mom|dad|mother|father|parents|wife|husband|"
    r"son|daughter|brother|sister|friends?|boyfriend|girlfriend|partner|boss|manager|teacher|neighbors?|"
    r"colleagues?|kids?|children|cousin|aunt|uncle|grandma|grandmother|grandpa|grandfather)|"
    r"everyone|everybody|people) (is|was|are|were|seems?|seemed|looks?|looked|sounds?|sounded|got|"
    r"gets|feels?|felt|has been)( \w+){0,2} $"
)
_SHARED = frozenset("grief sad hurt lonely".split())
"""What somebody close feels of these, the one who tells it feels, too."""
_TURNS = re.compile(r" (but|until|then (suddenly )?(he|she|it|they)|unfortunately) ")
_HYPOTHETICAL = re.compile(
    r"\b(if|whether|asks?|asked|asking|hope|hoping|hoped|wanted|supposed|in case|trying)"
    r"( \w+){0,3} $"
)
_FACT = re.compile(
    r"^(ok |so |well |and |but |hey |tell me |do you know |can you tell me |i wonder )*"
    r"(who|what|when|where|which|how (many|much|old|far|long|big|tall|do you|does|did|is|are)|why"
    r"|is|are|was|were|does|did|can|do you know)\b"
)
_PERSONAL = re.compile(r"\b(i|me|my|we|us|our|you|your|am)\b")
_CORRECTION = re.compile(
    r"(?i)((no|nope|sorry|well)[,.!]? )*(i said|i meant|i mean|what i said was),? (?=.{6})"
)
_MARKS = re.compile(r"[.!?;,:…–]")
_CORRECTED = re.compile(r"(?i)(?<=.{4}),? (i (mean|meant)|is what i (said|meant))[.!]?$")


@dataclass(frozen=True, slots=True)
class Reading:
    """What one turn says.

    Attributes:
        said: The words in plain form.
        act: A move without a story, a question about the agent, or one it cannot answer.
        feeling: The person's feeling; None where the words tell of none.
        strength: How strongly the words speak for the feeling; from ``NAMED`` on it is named.
        topic: What it is about.
        thing: The same in the person's words, turned round ("your boss").
        clauses: The person's own clauses turned round, the most telling first.
        stimulus: What brought the feeling about, in the person's own words; empty where nothing
            does.
        cause: The same as a clause turned round; empty where it cannot be turned round safely.
        told: The same told of them ("their boss yelled at them").
        appraisal: How they see it; None where the words do not show it.
        unheard: Why the words cannot be built on: ``silence``, ``unclear`` or ``unclear_word``.
        word: The odd word of ``unclear_word``.
        advice: Advice is asked for.
        corrects: It puts right what the agent had misheard.
        about: Name of the person it is about, as a pronoun to ask with.
    """

    said: str
    act: Act | None = None
    feeling: Feeling | None = None
    strength: float = 0.0
    topic: Topic | None = None
    thing: str = ""
    clauses: tuple[str, ...] = ()
    stimulus: str = ""
    cause: str = ""
    told: str = ""
    appraisal: Appraisal | None = None
    unheard: str = ""
    word: str = ""
    advice: bool = False
    corrects: bool = False
    about: str = "them"

    @property
    def valence(self) -> float:
        """Of the feeling; 0 where there is none."""
        return self.feeling.valence if self.feeling else 0.0

    @property
    def tells(self) -> bool:
        """Whether there is something to answer, beyond the move itself."""
        return not self.unheard and self.act is None


class Reader:
    """Reads turns. Holds no conversation."""

    def __init__(self, book: Phrasebook, emotions: TextEmotion) -> None:
        self._book = book
        self._emotions = emotions
        self._grammar = Grammar(book.language)
        self._mirror = Mirror(book.language, self._grammar)
        self._misheard = Misheard(self._grammar, emotions.known)
        self.meaning = Meaning(knowledge.load("meaning"))
        self._read: dict[tuple[str, float | None, bool], Reading] = {}

    def read(self, turn: UserTurn, answering: bool = False) -> Reading:
        """Reads a turn.

        Args:
            turn: The turn.
            answering: The agent had asked a question, so that a lone word may be the answer.
        """
        key = (turn.text, turn.confidence, answering)
        if key not in self._read:
            if len(self._read) > 2048:
                self._read.clear()
            self._read[key] = self._understand(turn, answering)
        return self._read[key]

    def _understand(self, turn: UserTurn, answering: bool) -> Reading:
        text = turn.text
        correction = _CORRECTION.match(text)
        if correction:
            text = text[correction.end() :]
        elif correction := _CORRECTED.search(text):
            text = text[: correction.start()]
        text = repaired(text)
        said = plain(text)
        if not said:
            return Reading(said, unheard="silence")
        if turn.confidence is not None and turn.confidence < _LEAST_CONFIDENCE:
            return Reading(said, unheard="unclear")
        if self._misheard.jumbled(said):
            return Reading(said, unheard="unclear")
        act = self._act(said, text)
        advice = act is not None and act.name == "advice"
        topic = next((t for t in self._book.topics.values() if t.words.search(said)), None)
        told = self._emotions.among_feelings(said.split())
        feeling, strength = self._feeling(said, topic, told)
        if act is None and strength < NAMED and topic is None and correction is None:
            unheard, word = self._misheard.doubt(said, answering)
            if unheard == "unclear" and self._in_pieces(text):
                unheard, word = "", ""
            if unheard:
                return Reading(said, unheard=unheard, word=word)
        clauses = self._grammar.clauses(text)
        source, own_words = None, ""
        if act is None or advice:
            source, own_words = stimulus(
                clauses, self._emotional, tuple(self._book.feelings.values()), topic
            )
        heard_well = turn.confidence is None or turn.confidence >= _MIRRORED_CONFIDENCE
        turnable = [
            c
            for c in clauses
            if heard_well and self._mirror.may_turn(c) and self._misheard.knows_all(c)
        ]
        main = source if source in turnable else next(iter(turnable), None)
        return Reading(
            said=said,
            act=None if advice else act,
            feeling=feeling,
            strength=strength,
            topic=topic,
            thing=self._thing(said, topic),
            clauses=self._telling(turnable, source, topic),
            stimulus=own_words,
            cause=self._mirror.turned(source) if source and source in turnable else "",
            told=self._mirror.turned(main, "they") if main else "",
            appraisal=None
            if act and not advice
            else self.meaning.appraisal(said, feeling, strength, told),
            advice=advice,
            corrects=correction is not None,
            about=_pronoun(said),
        )

    def _in_pieces(self, text: str) -> bool:
        """Whether it was told in bits with marks between them, each of which makes sense."""
        bits = [bit for bit in (plain(one) for one in _MARKS.split(text)) if bit]
        return len(bits) > 1 and not any(self._misheard.doubt(bit, True)[0] for bit in bits)

    def _act(self, said: str, text: str) -> Act | None:
        short = len(said.split()) <= 14
        for act in self._book.acts.values():
            if act.words is None or not (act.anywhere or short):
                continue
            if act.words.search(said) if act.anywhere else act.words.fullmatch(said):
                return act
        for name, act in (self._book.itself | self._book.unknown).items():
            if act.words is not None and act.words.search(said) and (short or "?" in text):
                return act if name != "doing" or _asks_to_do(said) else None
        fact = _FACT.match(said)
        if fact and not _PERSONAL.search(said[fact.end() :]):
            return self._book.unknown["fact"]
        return None

    def _feeling(
        self, said: str, topic: Topic | None, told: Mapping[str, float]
    ) -> tuple[Feeling | None, float]:
        scores: dict[str, float] = {}
        probabilities = grouped(told, TOLD)
        for name, feeling in self._book.feelings.items():
            others = feeling.valence < 0 and name not in _SHARED
            score = 1.3 * sum(probabilities[c] * w for c, w in feeling.classes.items())
            if others and _felt_by_others(feeling.said, said):
                score /= 2
            if feeling.valence > 0 and _TURNS.search(said):
                score /= 3
            score += 2.0 * _named(feeling.said, said, feeling.valence, others)
            score += 1.5 * _named(feeling.hints, said, feeling.valence)
            scores[name] = score
        if topic is not None:
            denied = topic.denied and _NEGATION.search(said[: _start(topic.words, said)])
            brings = topic.denied if denied else topic.feeling
            wished = brings in scores and self._book.feelings[brings].valence > 0
            if (topic.denied or wished) and _HYPOTHETICAL.search(said[: _start(topic.words, said)]):
                brings = ""
            if denied:
                scores = {name: score / 4 for name, score in scores.items()}
            if brings in scores:
                scores[brings] += 0.9
        for name, feeling in self._book.feelings.items():
            if _denied(feeling.said, said) and not _named(feeling.said, said, feeling.valence):
                scores["sad"] += 1.2 if feeling.valence > 0 else 0.0
                scores[name] = 0.0
        best = max(scores, key=lambda name: scores[name])
        glad = self._book.feelings[best].valence > 0
        if scores[best] < (_LEAST_JOY if glad else _LEAST_FEELING):
            return None, 0.0
        return self._book.feelings[best], scores[best]

    def _thing(self, said: str, topic: Topic | None) -> str:
        match = topic.noun.search(said) if topic and topic.noun else None
        if match is None:
            return ""
        owner, adjective, noun = match[1], match[2], match[3]
        described = f"{adjective} {noun}" if adjective else noun
        if owner in ("my", "our"):
            return f"your {described}"
        if owner in ("a", "an", "the"):
            return f"the {described}"
        return ""

    def _telling(
        self, clauses: Sequence[Clause], source: Clause | None, topic: Topic | None
    ) -> tuple[str, ...]:
        """Clauses turned round: what brought the feeling about, then those about the topic.

        Mere feelings are left out.
        """

        def rank(clause: Clause) -> int:
            on_topic = topic is not None and topic.words.search(plain(clause.text))
            return 0 if clause is source else 1 if on_topic else 2

        turned = (self._mirror.turned(clause) for clause in sorted(clauses, key=rank))
        return tuple(one for one in turned if not _only_feeling(one, self._book))

    def _emotional(self, words: Sequence[str]) -> float:
        """How much words tell of a feeling, in [0, 1]."""
        return 1.0 - self._emotions.told(words)["neutral"]


def _named(
    pattern: re.Pattern[str] | None, said: str, valence: float, others: bool = False
) -> float:
    """1 where the pattern stands un-negated, more after a "but", less for a joy before one.

    Args:
        pattern: The words for a feeling.
        said: The turn in plain words.
        valence: Of the feeling.
        others: It counts for less where somebody else has it.
    """
    turned = _TURNS.search(said)
    best = 0.0
    for match in pattern.finditer(said) if pattern else ():
        before = said[: match.start()]
        if _HYPOTHETICAL.search(before):
            continue
        if not _NEGATION.search(before) or match[0].startswith(("not", "no ")):
            after = turned is not None and turned.start() < match.start()
            before_turn = turned is not None and not after and valence > 0
            one = 1.2 if after else 0.5 if before_turn else 1.0
            best = max(best, one / 4 if others and _OF_OTHERS.search(before) else one)
    return best


def _felt_by_others(pattern: re.Pattern[str] | None, said: str) -> bool:
    matches = pattern.finditer(said) if pattern else ()
    return any(_OF_OTHERS.search(said[: match.start()]) for match in matches)


def _denied(pattern: re.Pattern[str] | None, said: str) -> bool:
    matches = pattern.finditer(said) if pattern else ()
    return any(_NEGATION.search(said[: match.start()]) for match in matches)


def _start(pattern: re.Pattern[str], said: str) -> int:
    match = pattern.search(said)
    return match.start() if match else 0


def _asks_to_do(said: str) -> bool:
    return bool(
        re.match(
            r"(ok |so |please |hey |say |sing |speak |can|could|would|will|play|turn|set|call|ord|"
            r"rem|goo)",
            said,
        )
    )


def _only_feeling(clause: str, book: Phrasebook) -> bool:
    """Whether a clause is like "you feel awful", which tells nothing new when turned round."""
    if not re.match(
        r"(you|you're)( just| really| still)?( am| are| feel| felt| were| was)? ", clause
    ):
        return False
    said = _as_own(clause)
    return any(
        feeling.said and (match := feeling.said.search(said)) and len(said) - len(match[0]) < 16
        for feeling in book.feelings.values()
    )


def _as_own(clause: str) -> str:
    """A clause turned back into the person's plain words, as the patterns expect them."""
    return plain(re.sub(r"\byour\b", "my", re.sub(r"\byou\b", "i", clause)))


def _pronoun(said: str) -> str:
    her = len(re.findall(r"\b(she|her|mom|mother|wife|girlfriend|sister|grandma|aunt)\b", said))
    him = len(re.findall(r"\b(he|him|his|dad|father|husband|boyfriend|brother|uncle)\b", said))
    if her != him:
        return "her" if her > him else "him"
    return "them"
