"""Whether words may be misheard: no sense in their order, or nothing in them that is known."""

import re
from collections.abc import Collection
from itertools import pairwise

from voice_agent.thinking.responder.clauses import Clause, Grammar

_FUNCTION = frozenset(
    "a an the this that these those of in on at to for from with by and or but so if as than then "
    "is are was were be been am do does did have has had it its he she they them him her his their "
    "i me my we us our you your not no yes there here what which who how when where why will would "
    "can could should just very really too also um uh er hmm oh well like".split()
)
_SUBJECT = re.compile(
    r"\b(i|you|he|she|it|we|they|that|this|there|who|what|everything|everyone|nobody|someone|"
    r"(my|our|his|her|their|the|your) (?!of|and|the|in|to|a\b)\w+)\b \w+"
)
_IMPOSSIBLE = re.compile(
    r"\b(the|a|an) (of|in|to|and|are|is|the|was|were|with|for|at|on|a|an)\b"
    r"|\b(he|she|they|we|i) (the|a|of|in|to|and|at|for)\b|\b(of|to|in|at) (of|in|and|is|are|to)$"
)
_JUMBLED = re.compile(
    r"\b(?=(?:(?:a|an|the) (?:of|in|to|and|are|is|was|were|has|have|had|with|for|at|on|my|your|his|"
    r"their|our|an|the)|(?:my|your|our|their) (?:the|a|is|was|of|to|and|in|on)|"
    r"(?:of|to|at|for|in|with) (?:of|is|was|has|and)|(?:he|she|they|we|i) (?:the|a|of|to|at|my)|"
    r"me (?:was|is|am|has)|(?:was|is|has) (?:of|has|was))\b)"
)
_FRAGMENT = re.compile(
    r"(for|with|in|at|on|about|since|because|to|from|after|before|during|by|mostly|just|only|maybe|"
    r"and|but|so|almost|every|all|no|not|yes|some|two|three|many|both|very|too|really|always|last|"
    r"next|this) "
)
_AMOUNT = re.compile(r"(about |around |almost |only |just |over |nearly )?\d+( \w+){0,3}")
_BIT = re.compile(r"(with|without|in|at|on|from|about|for) ((some|a|the|my|our|no) )?[a-z]{3,}")
_THIRD_PERSON = re.compile(r"\b(he|she|it|everyone|nobody|someone)( \w+)? \w+s\b")
_ENDINGS = (
    ("", ""),
    ("s", ""),
    ("es", ""),
    ("es", "e"),
    ("ed", ""),
    ("ed", "e"),
    ("ing", ""),
    ("ing", "e"),
    ("ly", ""),
    ("er", ""),
    ("ies", "y"),
    ("ied", "y"),
    ("'s", ""),
)
_STANDALONE = frozenset("help hello hi bye thanks sorry wow ouch yay damn shit fuck hmm".split())
_SHORT = 7  # words for each pair that cannot stand together


class Misheard:
    """Tells what can be built on from what is better asked about.

    Args:
        grammar: What is known of clauses.
        known: Words that people commonly use.
    """

    def __init__(self, grammar: Grammar, known: Collection[str]) -> None:
        self._grammar = grammar
        self._common = known

    def jumbled(self, said: str) -> bool:
        """Whether plain words stand together again and again as they never do."""
        impossible = len(_JUMBLED.findall(said))
        return impossible >= 2 and len(said.split()) <= _SHORT * impossible

    def knows_all(self, clause: Clause) -> bool:
        """Whether each word of a clause is known or written as a name or number."""
        return all(
            self.knows(word) or not word.isalpha() or written[0].isupper()
            for word, written in zip(clause.lower, clause.words, strict=True)
        )

    def doubt(self, said: str, answering: bool) -> tuple[str, str]:
        """Why plain words cannot be built on (as ``Reading.unheard``), and the odd one of them.

        Args:
            said: The words.
            answering: They may answer a question, so that a lone word has a sense.
        """
        tokens = said.split()
        if _STANDALONE.intersection(tokens):
            return "", ""
        content = [word for word in tokens if word not in _FUNCTION]
        known = [word for word in content if self.knows(word)]
        if _IMPOSSIBLE.search(said) and len(tokens) <= 9:
            return "unclear", ""
        acts = self._grammar.has_any_verb(tokens) or bool(_THIRD_PERSON.search(said))
        whole = acts and bool(_SUBJECT.search(said))
        if acts and len(tokens) >= 3 and len(known) == len(content) > 0:
            return "", ""
        if whole and len(known) * 2 >= len(content):
            return "", ""
        if whole and len(tokens) >= 4 and len(content) - len(known) <= 1:
            return "", ""  # one rare word in a whole sentence is a rare word
        if _AMOUNT.fullmatch(said) or (answering and _BIT.fullmatch(said)):
            return "", ""
        if not content:
            return ("unclear", "") if len(tokens) > 1 else ("", "")
        if len(content) == 1 and len(tokens) <= 3:
            return ("", "") if answering and known else ("unclear_word", content[0])
        if _FRAGMENT.match(said) and len(known) == len(content):
            return "", ""
        stutters = any(a == b for a, b in pairwise(tokens))
        longest = 4 if answering else 3
        if stutters or len(tokens) > longest or len(known) * 3 < len(content) * 2:
            return "unclear", ""
        return "", ""

    def knows(self, word: str) -> bool:
        """Whether a word, or what it is a form of, is common."""
        return any(
            word.removesuffix(ending) + more in self._common
            for ending, more in _ENDINGS
            if word.endswith(ending)
        )
