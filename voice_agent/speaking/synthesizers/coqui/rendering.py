"""A phrase as a voice says it: sentence by sentence, trimmed, with each word where it sounds."""

from collections.abc import Iterator

import numpy as np

from voice_agent.audio.pcm import Samples
from voice_agent.events import Phrase, Speech, SpokenWord
from voice_agent.speaking.synthesizers.coqui.sentences import Sentence, sentences
from voice_agent.speaking.synthesizers.coqui.shaping import shape
from voice_agent.speaking.synthesizers.coqui.voice import Sound, Voice

_AUDIBLE = 0.01
"""Amplitude of the voice from which a sample is more than silence."""
_TAIL_S = 0.05
"""Silence kept after the last audible sample of a sentence."""
_SENTENCE_PAUSE_S = 0.25
_CUT_PAUSE_S = 0.08
"""Pauses between the sentences of a phrase at neutral tone; after a phrase they are not ours."""

_NOTHING: Samples = np.zeros(0, dtype=np.float32)


def render(voice: Voice, phrase: Phrase, seed: int) -> Iterator[Speech | None]:
    """Speaks a phrase in short steps; None after a step that gave no audio.

    All audio of a phrase has one sample rate, which may differ from phrase to phrase: a higher
    voice is the same audio at a higher rate.
    """
    tone = phrase.tone
    to_say = sentences(phrase.text, voice.language, voice.limit)
    shaped = shape(tone, voice.has_style(tone.emotion))
    rate = round(voice.rate * shaped.rate)
    unsaid = ""
    pause_s = 0.0
    for sentence in to_say:
        line = _Line(unsaid, sentence, rate, shaped.gain)
        for sound in voice.say(sentence, tone.emotion, shaped.speed, seed):
            speech = line.take(sound) if sound else None
            if speech and pause_s:
                yield _silence(pause_s * tone.pause, rate)
                pause_s = 0.0
            yield speech
        last = line.end()
        if last is None:
            unsaid += sentence.source
            continue
        yield last
        unsaid = ""
        pause_s = _SENTENCE_PAUSE_S if sentence.ends else _CUT_PAUSE_S
    if unsaid:
        rest = _silence(_TAIL_S, rate)
        yield Speech(rest.samples, rate, (SpokenWord(unsaid, 0, rest.samples.size),))


class _Line:
    """The audio of one sentence, without silence at either end, and its words."""

    def __init__(self, unsaid: str, sentence: Sentence, rate: int, gain: float) -> None:
        self._texts = [word.source for word in sentence.words]
        self._texts[0] = unsaid + self._texts[0]
        self._rate = rate
        self._gain = np.float32(gain)
        self._starts: list[int] = []  # of the words that were not given yet
        self._held: Samples = _NOTHING
        self._begin = 0  # where they lie in what the voice gave
        self._silent = True  # whether nothing audible came yet

    def take(self, sound: Sound) -> Speech | None:
        """Takes more of the voice's audio; holds back silence, which may be the end."""
        self._starts.extend(sound.starts)
        self._held = np.concatenate((self._held, sound.samples))
        audible = np.flatnonzero(np.abs(self._held) > _AUDIBLE)
        if not audible.size:
            if self._silent:
                self._skip(self._held.size)
            return None
        if self._silent:
            self._skip(int(audible[0]))
            audible -= audible[0]
            self._silent = False
        return self._cut(int(audible[-1]) + 1)

    def end(self) -> Speech | None:
        """The rest, with all words that are left; None where the voice gave nothing audible."""
        if self._silent:
            return None
        tail = round(_TAIL_S * self._rate)
        self._held = np.concatenate((self._held, np.zeros(tail, np.float32)))[:tail]
        self._starts = [min(start, self._begin + tail - 1) for start in self._starts]
        return self._cut(tail)

    def _skip(self, size: int) -> None:
        self._held = self._held[size:]
        self._begin += size

    def _cut(self, size: int) -> Speech:
        until = self._begin + size
        count = sum(start < until for start in self._starts)
        ends = [*self._starts[1:], until][:count]
        words = tuple(
            SpokenWord(text, max(0, start - self._begin), max(0, end - self._begin))
            for text, start, end in zip(self._texts, self._starts[:count], ends, strict=False)
            if text
        )
        del self._texts[:count], self._starts[:count]
        samples = np.clip(self._held[:size] * self._gain, -1.0, 1.0).astype(np.float32)
        self._skip(size)
        return Speech(samples, self._rate, words)


def _silence(seconds: float, rate: int) -> Speech:
    return Speech(np.zeros(max(1, round(seconds * rate)), dtype=np.float32), rate)
