"""Where the audio of a growing turn may be let go of: behind words that will change no more."""

from collections.abc import Sequence
from dataclasses import dataclass

from voice_agent.hearing.recognizers.faster_whisper.loudness import Loudness
from voice_agent.hearing.recognizers.faster_whisper.words import ReadWord

SENTENCES_S = 15.0
"""Audio from which on finished sentences are let go of. Below, all of it is read each time: that
takes Whisper no longer, and is as right as it can be."""

WORDS_S = 22.0
"""Audio from which on single words are."""

LONGEST_S = 28.0
"""Audio at which something must be, agreed on or not; Whisper takes 30 s."""

MARGIN_S = 4.0
"""Seconds at the end in which words may still change, where nothing was agreed on."""

ENDS = ".?!。？！…"

_AROUND_S = 0.1
"""How far from the times of words the best place for a cut is looked for."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Lets go of the first ``words`` words, and of the audio before sample ``at``."""

    words: int
    at: int


def cut(words: Sequence[ReadWord], agreed: int, loudness: Loudness, length_s: float) -> Cut | None:
    """Where to cut, if at all.

    Args:
        words: The newest reading of the audio.
        agreed: How many of them the reading before it has, too.
        loudness: Of the audio.
        length_s: Its length.
    """
    if length_s < SENTENCES_S:
        return None
    # A word follows each: one that ends the reading may go on.
    sure = min(agreed, len(words) - 1)
    if ends := [k for k in range(1, sure + 1) if words[k - 1].text.rstrip("\"'”)")[-1] in ENDS]:
        return _between(words, ends[-1], loudness)
    if length_s >= WORDS_S and sure > 0:
        # The widest pause in the second half: what follows is read with less before it.
        places = range(max(1, sure // 2), sure + 1)
        widest = max(places, key=lambda k: words[k].start - words[k - 1].end)
        return _between(words, widest, loudness)
    if length_s >= LONGEST_S:
        return forced(words, loudness, length_s)
    return None


def forced(words: Sequence[ReadWord], loudness: Loudness, length_s: float) -> Cut:
    """Where to cut audio that is too long, whatever was agreed on."""
    count = sum(word.end <= length_s - MARGIN_S for word in words)
    if 0 < count < len(words):
        return _between(words, count, loudness)
    # Nothing was read since, or nothing at all: what sounds is left to be read again.
    spoken = words[-1].end if count else 0.0
    if count and loudness.sounding_s(after=spoken) >= 1.0:
        return Cut(count, loudness.quietest(spoken, spoken + _AROUND_S))
    return Cut(count, loudness.quietest(max(spoken, length_s - MARGIN_S), length_s))


def _between(words: Sequence[ReadWord], count: int, loudness: Loudness) -> Cut:
    before, after = words[count - 1], words[count]
    start = max((before.start + before.end) / 2, before.end - _AROUND_S)
    end = min((after.start + after.end) / 2, after.start + _AROUND_S)
    return Cut(count, loudness.quietest(min(start, end), max(start, end)))
