"""VITS as a voice: one pass finds what to say when, the audio is then decoded piece by piece.

Kim et al. 2021, https://arxiv.org/abs/2106.06103. The model predicts how long each letter or
phoneme lasts, so the times of words are exact.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Any

import numpy as np
import torch

from voice_agent.speaking.synthesizers.coqui import decoding
from voice_agent.speaking.synthesizers.coqui.sentences import Sentence
from voice_agent.speaking.synthesizers.coqui.voice import Sound

_LIMIT = 250
_FIRST_S = 0.5
_GROWTH = 2
"""Length of the first piece, and by how much each is longer than the one before: what is decoded
twice at their borders is to be little, and each is to be ready before the last one was heard, on a
processor that takes up to 0.4 s for a second of audio."""


class VitsVoice:
    """A VITS model of coqui-tts as a voice (``voice.Voice``).

    Args:
        model: A ``TTS.tts.models.vits.Vits`` in evaluation mode.
        language: What it speaks, as ``en``.
        speaker: Name of the speaker; None in a model of one speaker.
        emotions: Speakers for reply emotions.
    """

    together = False

    def __init__(
        self, model: Any, language: str, speaker: str | None, emotions: Mapping[str, str]
    ) -> None:
        self.rate = int(model.config.audio.sample_rate)
        self.limit = _LIMIT
        self.language = language
        self._model = model
        self._pace = float(model.length_scale)
        self._speaker = speaker
        self._emotions = emotions
        self._decoder = model.waveform_decoder
        self._hop = decoding.hop(self._decoder)
        self._reach = decoding.reach(self._decoder)
        # ``inference`` is asked for all but the audio; it decodes one frame at least.
        model.max_inference_len = 1

    def has_style(self, emotion: str) -> bool:
        """Whether a speaker of the model stands for the emotion."""
        return emotion in self._emotions

    def say(
        self, sentence: Sentence, emotion: str, speed: float, seed: int
    ) -> Iterator[Sound | None]:
        """See ``voice.Voice``."""
        tokens, firsts = self._spell(sentence)
        if not tokens:
            return
        with torch.inference_mode():
            given = self._given(emotion)
            with self._seeded(seed):
                self._model.length_scale = self._pace / speed
                told = self._model.inference(self._tensor(tokens)[None], given)
            speaker = given["speaker_ids"]
            g = None if speaker is None else self._model.emb_g(speaker).unsqueeze(-1)
            frames = told["z"] * told["y_mask"]
            count = int(frames.shape[2])
            ends = torch.cumsum(told["durations"].flatten(), 0).cpu().numpy()
            per_frame = self._hop * count / max(float(ends[-1]), 1.0)
        begins = np.concatenate(([0.0], ends))
        starts = [round(float(begins[first]) * per_frame) for first in firsts]
        yield Sound(np.zeros(0, np.float32), starts)

        size = _FIRST_S * self.rate / self._hop
        at = 0
        while at < count:
            end = round(at + size)
            if end + size > count:
                end = count
            left, right = max(0, at - self._reach), min(count, end + self._reach)
            with torch.inference_mode():
                audio = self._decoder(frames[:, :, left:right], g=g)[0, 0]
                wanted = audio[(at - left) * self._hop : (end - left) * self._hop].float().cpu()
            yield Sound(wanted.numpy())
            at, size = end, size * _GROWTH

    def _given(self, emotion: str) -> dict[str, Any]:
        """What the model takes beside the tokens."""
        name = self._emotions.get(emotion, self._speaker)
        managers = self._model.speaker_manager, self._model.language_manager
        speaker = None if name is None else self._tensor([managers[0].name_to_id[name]])
        language = None
        if self._model.args.use_language_embedding:
            language = self._tensor([managers[1].name_to_id[self.language]])
        return {
            "x_lengths": None,
            "d_vectors": None,
            "speaker_ids": speaker,
            "language_ids": language,
            "durations": None,
        }

    def _tensor(self, values: Sequence[int]) -> Any:
        return torch.tensor(values, dtype=torch.long, device=self._model.device)

    @contextmanager
    def _seeded(self, seed: int) -> Iterator[None]:
        """Lets the model draw what it always draws for this phrase; the draws of others go on."""
        device = self._model.device
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(seed)
            yield

    def _spell(self, sentence: Sentence) -> tuple[list[int], list[int]]:
        """The tokens of a sentence, and the place of each word's first one."""
        tokenizer = self._model.tokenizer
        known = tokenizer.characters
        spelt = self._spelling(sentence.said)
        # The whole is spelt as one, since words change beside each other; each word spelt alone
        # tells about how much of it is whose.
        alone = [
            self._spelling(word.said) + (" " if word.said[-1:].isspace() else "")
            for word in sentence.words
        ]
        kept = [letter in known.vocab for letter in spelt]
        tokens = tokenizer.encode("".join(c for c, keep in zip(spelt, kept, strict=True) if keep))
        before = [0, *accumulate(kept)]
        firsts = [before[place] for place in _places(spelt, alone)]
        if tokenizer.add_blank:
            tokens = tokenizer.intersperse_blank_char(tokens) if tokens else []
            firsts = [2 * first + 1 for first in firsts]
        if tokenizer.use_eos_bos and tokens:
            tokens = tokenizer.pad_with_bos_eos(tokens)
            firsts = [first + 1 for first in firsts]
        return tokens, [min(first, len(tokens)) for first in firsts]

    def _spelling(self, text: str) -> str:
        """A text in the letters or phonemes that the model reads."""
        tokenizer = self._model.tokenizer
        if tokenizer.text_cleaner is not None:
            text = tokenizer.text_cleaner(text, lang=self.language.split("-")[0])
        if tokenizer.use_phonemes:
            text = tokenizer.phonemizer.phonemize(text, separator="", language=self.language)
        return str(text)


def _places(whole: str, parts: Sequence[str]) -> list[int]:
    """Where in a text the parts begin that it is made of, though it may differ a little."""
    joined = "".join(parts)
    matches = SequenceMatcher(None, joined, whole, autojunk=False).get_matching_blocks()
    begins = [match.a for match in matches]
    places = []
    for start in [0, *accumulate(map(len, parts))][: len(parts)]:
        at = bisect_right(begins, start) - 1
        if at < 0:
            places.append(0)
            continue
        # After a match, what differs is taken to be as long in both, up to the next match.
        end = matches[at + 1].b if at + 1 < len(matches) else len(whole)
        places.append(min(matches[at].b + start - matches[at].a, end))
    return places
