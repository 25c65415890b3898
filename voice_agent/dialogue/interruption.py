"""Is a sound a turn, and is one that comes while the agent speaks an interruption?

The agent falls silent at the first sign of speech. Whether it then gives up its turn or goes on
is decided here: people laugh, cough and say "mm-hm" without wanting the floor.
"""

from enum import Enum

from voice_agent.events import Paralinguistics

BACKCHANNELS = frozenset(
    "mm mhm hm hmm mmhmm uh huh uhhuh uh-huh mm-hm um er ah oh yeah yes yep yup okay ok right sure "
    "i see really wow nice cool aha".split()
)
"""Words that say "go on" when they are all that is said."""

COMMANDS = frozenset("stop wait no hold sorry but what why hang pause quiet enough hello".split())
"""Single words that take the floor."""

MIN_VOICED = 0.35
"""Share of voiced frames below which a sound is a cough, a breath or a knock rather than speech."""

UNSURE = 0.35
"""Confidence below which the words of a short sound were rather made of a noise."""

SURE = 0.7
"""Confidence from which even a short single word was meant."""

SHORT_S = 0.45
"""A single word shorter than this is rather a murmur that the recognizer made a word of."""

SURELY_VOICED = 0.85
"""Share of voiced frames from which a short sound is a word, though perhaps a misheard one."""

LONG_S = 0.7
"""Speech from which on words that are no backchannel need no second word."""

MISHEARD_S = 1.2
"""Voiced speech from which on the agent says that it understood no word, rather than ignore it."""

WORDLESS_S = 1.5
"""Voiced speech that takes the floor even if no word was recognised."""


EXPRESSIVE = frozenset({"laugh", "cry", "scream"})
"""Sounds that express something, and are told of even where they make no turn."""

ANSWERED = frozenset({"cry", "scream"})
"""Sounds that are answered without a word beside them."""

LEAST_SOUND = 0.6
"""Confidence from which a sound that is no word is taken for what it is called."""

SOUND_SHARE = 0.5
"""Share of what the ear took for speech that such a sound has to fill to be all there is."""


class Verdict(Enum):
    """What a sound during the agent's turn is taken for."""

    UNDECIDED = "undecided"
    INTERRUPTION = "interruption"
    NOTHING = "nothing"


def sound_alone(words: str, how: Paralinguistics | None) -> str | None:
    """Which sound of ``VOCAL_EVENTS`` it was, where it was that and no speech.

    Args:
        words: What was recognised of it; with any word it is speech.
        how: The newest reading of it, None where there is none.
    """
    if words or how is None:
        return None
    lasted: dict[str, float] = {}
    for event in how.events:
        if event.confidence >= LEAST_SOUND and event.label != "other":
            lasted[event.label] = lasted.get(event.label, 0.0) + event.end - event.start
    if sum(lasted.values()) < SOUND_SHARE * how.manner.speech_s:
        return None
    return max(lasted, key=lambda label: lasted[label], default=None)


def is_speech(
    words: str, speech_s: float, voiced_share: float, confidence: float | None = None
) -> bool:
    """Whether a turn that came while the agent was silent is worth an answer.

    Args:
        words: What was recognised of it.
        speech_s: Seconds of speech frames in it.
        voiced_share: Share of those that are voiced.
        confidence: The recognizer's confidence in the words in [0, 1], where known.
    """
    if not words:
        return speech_s * voiced_share >= MISHEARD_S
    short = len(words.split()) <= 2 and speech_s < MISHEARD_S
    if short and confidence is not None and confidence < UNSURE and voiced_share < SURELY_VOICED:
        return False
    return voiced_share >= MIN_VOICED or speech_s >= LONG_S


def judge(
    words: str,
    speech_s: float,
    voiced_share: float,
    paused: bool = False,
    over: bool = False,
    confidence: float | None = None,
    sound: str | None = None,
) -> Verdict:
    """Decides on a sound that began while the agent was speaking.

    Args:
        words: What was recognised of it so far.
        speech_s: Seconds of speech frames in it so far.
        voiced_share: Share of those that are voiced.
        paused: Whether it has stopped, at least for now.
        over: Whether it has stopped for as long as ends a turn.
        confidence: The recognizer's confidence in the words in [0, 1], where known.
        sound: What ``sound_alone`` says of it: coughs and laughter never take the floor.
    """
    if sound is not None and sound not in ANSWERED:
        return Verdict.NOTHING if paused or over else Verdict.UNDECIDED
    if over and not is_speech(words, speech_s, voiced_share, confidence):
        return Verdict.NOTHING
    if voiced_share < MIN_VOICED:
        return Verdict.NOTHING if paused or over else Verdict.UNDECIDED
    content = [word for word in words.split() if word not in BACKCHANNELS]
    if len(content) >= 2 or COMMANDS.intersection(content):
        return Verdict.INTERRUPTION
    if content and speech_s >= (SHORT_S if over else LONG_S):
        return Verdict.INTERRUPTION
    if content and paused and (confidence or 0.0) >= SURE:
        return Verdict.INTERRUPTION
    if not words and speech_s >= WORDLESS_S:
        return Verdict.INTERRUPTION
    # A word before a pause may be the first of more; a murmur or nothing at all is not waited for.
    return Verdict.NOTHING if over or (paused and not content) else Verdict.UNDECIDED
