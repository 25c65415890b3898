"""What a decoder process does: one turn at a time, as a chain of segments.

A decoder cannot go on after it has finished a reading. Each reading therefore ends a segment, and
more audio of the same turn begins the next one.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from pocketsphinx import Decoder, Segment

RATE = 16_000
FRAME = RATE // 100
CHUNK = RATE // 10
BYTES = 2

LONGEST_SEGMENT = 20 * RATE
"""Samples after which a segment ends even without a pause: a reading takes longer with each."""

LONGEST_WORD = 70
"""Frames; what is longer is hum or hiss more often than a drawn word."""

MEMORY = 150
"""Frames that what was heard of a channel counts for in the next turn, however much it was."""

SET_WEIGHT = 500
"""Frames that the decoder takes a mean given to it to be worth."""


class Word(NamedTuple):
    """A word, its times in seconds of the turn, and how sure it is."""

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Channel:
    """The mean cepstrum of a speaker and their microphone, and the frames it was measured on.

    It is subtracted from what is heard. The decoder's own estimate moves only between utterances
    and starts as if five seconds had been heard; with it a quarter more words are wrong in a first
    turn.
    """

    mean: tuple[float, ...]
    frames: float

    def heard(self, mean: tuple[float, ...], frames: float) -> "Channel":
        """The estimate after more frames with the given mean."""
        total = self.frames + frames
        joined = tuple(
            (self.frames * old + frames * new) / total
            for old, new in zip(self.mean, mean, strict=True)
        )
        return Channel(joined, total)

    def remembered(self) -> "Channel":
        """The estimate at the beginning of another turn."""
        return Channel(self.mean, min(self.frames, MEMORY))


UNKNOWN = Channel((50.0, 5.0, -2.0, 8.0, -6.0, 1.0, -6.0, -3.0, -1.0, -2.0, 0.0, -2.0, 1.0), 20)
"""What is assumed of a voice not heard before, as if for a fifth of a second."""


class Turn:
    """The recognition of one turn."""

    def __init__(self, decoder: Decoder, channel: Channel, start: int) -> None:
        self.channel = channel.remembered()
        self._decoder = decoder
        self._fed = start
        self._segment: int | None = None
        decoder.start_stream()  # Forgets the noise around the last speaker.

    def feed(self, pcm: bytes) -> tuple[list[Word], str]:
        """Takes 16-bit audio; returns words that are settled now, and the text after them."""
        settled: list[Word] = []
        for at in range(0, len(pcm), CHUNK * BYTES):
            self._decode(pcm[at : at + CHUNK * BYTES])
            if self._segment is not None and self._fed - self._segment >= LONGEST_SEGMENT:
                settled += self.settle()
        hypothesis = self._decoder.hyp() if self._segment is not None else None
        return settled, hypothesis.hypstr if hypothesis else ""

    def settle(self) -> list[Word]:
        """Ends the segment; returns its words."""
        if self._segment is None:
            return []
        start, self._segment = self._segment / RATE, None
        self._decoder.end_utt()
        return [
            Word(
                segment.word.split("(")[0],
                start + segment.start_frame / 100,
                start + (segment.end_frame + 1) / 100,
                _confidence(segment),
            )
            for segment in self._decoder.seg() or ()
            if segment.word[0] not in "<[+"
        ]

    def _decode(self, chunk: bytes) -> None:
        if self._segment is None:
            self._decoder.set_cmn(_text(self.channel.mean))
            self._decoder.start_utt()
            self._segment = self._fed
        self._decoder.process_raw(chunk, full_utt=False)
        self._fed += len(chunk) // BYTES
        self._listen_to_channel(len(chunk) / BYTES / FRAME)

    def _listen_to_channel(self, frames: float) -> None:
        """Moves the mean by what the last frames brought."""
        joint = tuple(float(value) for value in self._decoder.get_cmn(True).split(","))
        new = tuple(
            ((SET_WEIGHT + frames) * value - SET_WEIGHT * old) / frames
            for value, old in zip(joint, self.channel.mean, strict=True)
        )
        self.channel = self.channel.heard(new, frames)
        self._decoder.set_cmn(_text(self.channel.mean))


def _confidence(segment: Segment) -> float:
    """How sure a word is, in [0, 1].

    The posterior compares the word with other words alone. That it is a word at all shows in how
    well it fits the sound (log likelihood a frame, against the best fitting sounds) and in its
    length. A mean of 0.35 was measured to keep all read speech and one cough or sneeze in six.
    """
    frames = segment.end_frame - segment.start_frame + 1
    fit = math.log(max(segment.ascore, 1e-300)) / frames
    return float(
        min(1.0, segment.prob)
        / (1 + math.exp(-(fit + 5) / 0.5))
        * min(1.0, LONGEST_WORD / frames) ** 2
    )


def _text(mean: tuple[float, ...]) -> str:
    return ",".join(f"{value:.6g}" for value in mean)


_turn: Turn | None = None


def begin(channel: Channel, fed: int) -> None:
    """Begins a turn, or goes on with one of which ``fed`` samples were lost with a process."""
    from voice_agent.hearing.recognizers.pocketsphinx_model import DECODER

    global _turn
    _turn = Turn(DECODER, channel, fed)


def feed(pcm: bytes) -> tuple[list[Word], str]:
    """Feeds the running turn."""
    assert _turn is not None
    return _turn.feed(pcm)


def settle() -> tuple[list[Word], Channel]:
    """Settles the running turn; returns its newest words and what is known of the channel."""
    assert _turn is not None
    return _turn.settle(), _turn.channel


def forget() -> None:
    """Leaves the decoder ready for another turn."""
    if _turn is not None:
        _turn.settle()
