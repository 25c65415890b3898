"""One reply on its way to the ear: what to send when, and what has been heard, to the word."""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable

from voice_agent.audio.pcm import SPEAKING_RATE, Samples
from voice_agent.events import Speech, SpokenWord

_PIECE_S = 0.04
"""Length of the pieces that are sent, in seconds."""

_ROUNDING = 0.5
"""Samples by which a clock counted in floating point may be off."""


class Playback:
    """Paces a reply and knows the playback position.

    Audio is sent at most ``lead_s`` ahead of what has been played, in pieces of at most 40 ms. The
    position follows the clock from the first piece on; it never passes what was sent, so late
    audio delays it. All of it is counted in samples: the same calls at the same clock give the
    same result.

    Not for several threads. ``clock`` must not run backwards.

    Args:
        clock: The time in seconds, on which playback runs.
        lead_s: How far ahead of playback audio is sent, in seconds.
    """

    def __init__(self, clock: Callable[[], float], lead_s: float) -> None:
        if lead_s <= 0:
            raise ValueError(f"the lead must be positive, got {lead_s} s")
        self._clock = clock
        self._lead = round(lead_s * SPEAKING_RATE)
        self._piece = max(1, min(round(_PIECE_S * SPEAKING_RATE), self._lead))
        self._queue: deque[Samples] = deque()
        self._words: list[SpokenWord] = []  # offsets from the start of the reply
        self._unsent_word = 0
        self._length = 0
        self._sent = 0
        self._played = 0.0
        self._at: float | None = None  # clock at which ``_played`` was right; None while it stands
        self._paused = False
        self._finished = False

    def add(self, speech: Speech) -> None:
        """Takes more of the reply.

        Raises:
            ValueError: The audio has another rate than ``SPEAKING_RATE``, or the reply is finished.
        """
        if speech.rate != SPEAKING_RATE:
            raise ValueError(f"playback runs at {SPEAKING_RATE} Hz, got {speech.rate} Hz")
        if self._finished:
            raise ValueError("this reply is finished; nothing can be added")
        self._words.extend(
            SpokenWord(word.text, self._length + word.start, self._length + word.end)
            for word in speech.words
        )
        if speech.samples.size:
            self._queue.append(speech.samples)
            self._length += speech.samples.size

    def finish(self) -> None:
        """Tells that the reply is complete."""
        self._finished = True

    def due(self) -> list[Speech]:
        """Takes out the pieces that are to be sent now; none while paused.

        A word goes with the piece in which it begins; its end may lie beyond that piece.
        """
        self._advance()
        pieces: list[Speech] = []
        if self._paused:
            return pieces
        while self._queue and self._next_size() <= self._room() + _ROUNDING:
            pieces.append(self._take(self._next_size()))
        if pieces and self._at is None:
            self._at = self._clock()
        return pieces

    def pause(self, held: bool = True) -> float:
        """Sends nothing more until ``resume``.

        Args:
            held: Whether the listener holds what it has buffered, so that the position stands
                still at once. One that does not is taken to play on what was sent.

        Returns:
            Seconds heard up to now.
        """
        self._advance()
        self._paused = True
        if held:
            self._at = None
        elif self._sent and self._at is None:
            self._at = self._clock()
        return self.played_s

    def resume(self) -> None:
        """Goes on where ``pause`` stopped; what the listener still holds is played first."""
        self._advance()
        self._paused = False
        if self._sent and self._at is None:
            self._at = self._clock()

    def stop(self) -> None:
        """Ends the playback where it is: audio that was not sent is given up, its words stay."""
        self._advance()
        self._at = None
        self._queue.clear()

    @property
    def played_s(self) -> float:
        """Seconds of the reply heard by now."""
        self._advance()
        return self._played / SPEAKING_RATE

    @property
    def sent_s(self) -> float:
        """Seconds of the reply sent so far."""
        return self._sent / SPEAKING_RATE

    @property
    def length_s(self) -> float:
        """Seconds of the reply added so far."""
        return self._length / SPEAKING_RATE

    @property
    def done(self) -> bool:
        """Whether the reply is complete and all of it was heard."""
        self._advance()
        return self._finished and self._all_played()

    @property
    def paused(self) -> bool:
        """Whether sending is paused."""
        return self._paused

    def next_due(self) -> float | None:
        """Seconds by the clock until more is to be sent or the reply is fully heard.

        None where only another call (``add``, ``finish``, ``resume``) can bring that about, and
        when the reply is done.
        """
        self._advance()
        if self._queue:
            if self._paused:
                return None
            return max(0.0, (self._next_size() - self._room()) / SPEAKING_RATE)
        if not self._finished or self._at is None or self._all_played():
            return None
        return (self._length - self._played) / SPEAKING_RATE

    @property
    def text(self) -> str:
        """All text added so far."""
        return "".join(word.text for word in self._words)

    def heard(self, at_s: float | None = None) -> str:
        """The text heard so far, or up to a position, in whole words.

        A word was heard when at least half of it was played.

        Args:
            at_s: Position in seconds from the start of the reply; None for ``played_s``.
        """
        if at_s is None:
            if self.done:
                return self.text
            at_s = self.played_s
        at = min(at_s * SPEAKING_RATE, self._length)
        heard = []
        for word in self._words:
            if at <= word.start or at + _ROUNDING < (word.start + word.end) / 2:
                break
            heard.append(word.text)
        return "".join(heard)

    def _advance(self) -> None:
        """Moves the position to the present; every other method starts here."""
        if self._at is None:
            return
        now = self._clock()
        self._played = min(self._played + max(0.0, now - self._at) * SPEAKING_RATE, self._sent)
        self._at = now

    def _all_played(self) -> bool:
        return self._played + _ROUNDING >= self._length

    def _next_size(self) -> int:
        return min(self._queue[0].size, self._piece)

    def _room(self) -> float:
        return self._played + self._lead - self._sent

    def _take(self, size: int) -> Speech:
        head = self._queue.popleft()
        if head.size > size:
            self._queue.appendleft(head[size:])
        end = self._sent + size
        last = end == self._length and self._finished
        stop = (
            len(self._words)
            if last
            else bisect_left(self._words, end, lo=self._unsent_word, key=lambda word: word.start)
        )
        words = tuple(
            SpokenWord(word.text, word.start - self._sent, word.end - self._sent)
            for word in self._words[self._unsent_word : stop]
        )
        self._unsent_word = stop
        self._sent = end
        return Speech(head[:size], SPEAKING_RATE, words)
