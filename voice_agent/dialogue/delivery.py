"""The answer that has the floor: what is told of it, when its audio goes out, how it ends."""

import time
from collections.abc import Callable

from voice_agent.dialogue.conversation import Conversation, Turn
from voice_agent.dialogue.events import (
    PlaybackPaused,
    PlaybackResumed,
    ReplyAudio,
    ReplyEnded,
    ReplySpoken,
    ReplyStarted,
    ReplyText,
    SessionEvent,
    Thinking,
    ToolCalled,
)
from voice_agent.dialogue.latency import Stopwatch
from voice_agent.dialogue.reply import Reply
from voice_agent.events import ReplyStatus


class Delivery:
    """Tells the transport about a released reply and hands it its audio when it is due.

    Attributes:
        id: Id of the reply.
        reply: The answer.
        turn: The turn that it answers; kept up to date.
        over: How it ended, None while it goes on.
        spoken: Whether all of its audio was sent.
    """

    def __init__(
        self,
        id: str,
        reply: Reply,
        turn: Turn,
        conversation: Conversation,
        stopwatch: Stopwatch,
        asr_final: float | None,
        emit: Callable[[SessionEvent], None],
        holds: bool,
    ) -> None:
        self.id = id
        self.reply = reply
        self.turn = turn
        self.over: ReplyStatus | None = None
        self._conversation = conversation
        self._stopwatch = stopwatch
        self._asr_final = asr_final
        self._emit = emit
        self._holds = holds
        self._told_thought = False
        self._told_text = 0
        self._told_calls = 0
        self.spoken = False
        self._sent_at: float | None = None

    @property
    def item(self) -> str:
        """Id of the answer's item."""
        assert self.turn.reply_item is not None
        return self.turn.reply_item

    def begin(self) -> None:
        """Gives the reply the floor."""
        self.turn.playback = self.reply.playback
        self._emit(ReplyStarted(self.id, self.item, self.turn.item))
        self.reply.release()
        self.advance()

    def advance(self, hush: bool = False) -> None:
        """Tells what is new and sends the audio that is due. Ends when all was heard.

        Args:
            hush: Somebody may just be beginning to speak: audio that is due waits a moment.
        """
        if self.over is not None:
            return
        self._tell_thought()
        self._tell_text()
        self._tell_calls()
        if not hush:
            self._send()
        if not self.reply.made:
            return
        self._tell_spoken()
        if self.reply.playback.done:
            self.end(ReplyStatus.FAILED if self.reply.error else ReplyStatus.COMPLETED)

    def pause(self) -> None:
        """Holds the audio: somebody may be interrupting."""
        if not self.reply.playback.paused:
            heard_s = self.reply.playback.pause(held=self._holds)
            self._emit(PlaybackPaused(self.id, self.item, round(1000 * heard_s)))

    def resume(self) -> None:
        """Goes on: it was no interruption."""
        if self.reply.playback.paused:
            self.reply.playback.resume()
            self._emit(PlaybackResumed(self.id, self.item))
            self.advance()

    def note(self) -> None:
        """Takes over into the turn what is known of the answer by now."""
        self.turn.thought = self.reply.thought or self.turn.thought
        self.turn.reply = "".join(self.reply.text)
        self.turn.heard = self.reply.playback.heard()
        self.turn.latency = self._stopwatch.read(
            self._asr_final, self.reply.first_token, self.reply.first_audio, self._sent_at
        )

    def end(self, status: ReplyStatus, heard_s: float | None = None) -> None:
        """Takes the floor from the reply.

        Args:
            status: How it ended.
            heard_s: How much of the audio was heard, if the client told.
        """
        if self.over is not None:
            return
        self.over = status
        playback = self.reply.playback
        played_s = playback.played_s if heard_s is None else heard_s
        self.note()
        turn = self.turn
        finished = status is ReplyStatus.COMPLETED
        # An answer that was only written has no audio: what was told of it was read.
        heard_all = finished or (playback.length_s == 0 and self.reply.made)
        turn.heard = turn.reply if heard_all else playback.heard(played_s)
        turn.heard_s = played_s
        turn.status = status
        playback.stop()
        self._emit(
            ReplyEnded(self.id, self.item, status, turn.reply, turn.heard, round(1000 * played_s))
        )

    def _tell_thought(self) -> None:
        if self.reply.thought is not None and not self._told_thought:
            self._told_thought = True
            self._emit(Thinking(self.id, self.reply.thought))

    def _tell_text(self) -> None:
        new = "".join(self.reply.text[self._told_text :])
        self._told_text = len(self.reply.text)
        if new:
            self._emit(ReplyText(self.id, self.item, new))

    def _tell_calls(self) -> None:
        """A tool can be at work while the words before its call are still being spoken."""
        new = self.reply.calls[self._told_calls :]
        self._told_calls = len(self.reply.calls)
        for call in new:
            called = self._conversation.add_call(self.turn, call)
            self._emit(ToolCalled(self.id, called.item, called.call))

    def _send(self) -> None:
        for speech in self.reply.playback.due():
            self._sent_at = self._sent_at or time.perf_counter()
            self._emit(ReplyAudio(self.id, self.item, speech))
        self.reply.sent()

    def _tell_spoken(self) -> None:
        playback = self.reply.playback
        if not self.spoken and playback.sent_s >= playback.length_s:
            self.spoken = True
            self._emit(ReplySpoken(self.id, self.item, "".join(self.reply.text)))
