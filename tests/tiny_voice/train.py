"""Trains the small VITS voice that lies beside this file, in some minutes on one core.

    python tests/tiny_voice/train.py

It reads letters aloud as tones: each vowel a buzz with a colour of its own, voiced consonants
a weaker one, the others a hiss. Its three speakers differ in pitch, pace and loudness, as the moods
of an actor do. The pitches are multiples of the frame rate, so that every frame of a letter sounds
alike and a few thousand weights can learn them from the waveform itself.
"""

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent.parent))

from voice_agent.models import torchaudio_import

torchaudio_import.ensure()

import tiny_voices  # noqa: E402

STEPS = 2500
BATCH = 8
FRAMES_A_SECOND = tiny_voices.RATE / tiny_voices.HOP
SPEAKERS = {"calm": (4, 1.0, 0.5), "bright": (5, 0.85, 0.8), "low": (3, 1.25, 0.3)}
"""Pitch in frame rates, length of the letters, loudness."""
FORMANTS = {"a": 750, "e": 1700, "i": 2300, "o": 500, "u": 350, "y": 2000}
VOICED = "bdgjlmnrvwz"
SILENT = " .,!?'-;:"


def sound(letter: str, speaker: str) -> np.ndarray:
    """One frame of a letter."""
    pitch, _, loud = SPEAKERS[speaker]
    at = np.arange(tiny_voices.HOP) / tiny_voices.RATE
    hz = pitch * FRAMES_A_SECOND
    if letter in SILENT:
        return np.zeros(at.size)
    if letter in FORMANTS or letter in VOICED:
        formant = FORMANTS.get(letter, 300)
        gain = loud if letter in FORMANTS else 0.5 * loud
        wave = sum(
            (1 / n + np.exp(-(((n * hz - formant) / 300) ** 2)))
            * np.sin(2 * np.pi * n * hz * at + n)
            for n in range(1, int(3500 / hz) + 1)
        )
        return gain * wave / np.abs(wave).max()
    hiss = np.random.default_rng(ord(letter)).normal(size=at.size)
    return 0.1 * loud * np.diff(hiss, append=hiss[0]) / 2


def length(letter: str, speaker: str) -> float:
    frames = 3 if letter in FORMANTS else 2 if letter.isalpha() else 5
    return frames * SPEAKERS[speaker][1]


def example(random: np.random.Generator, speaker: str) -> tuple[str, np.ndarray, np.ndarray]:
    """A text, the length of each of its tokens in frames, and its audio."""
    letters = list(tiny_voices.LETTERS[:-1])
    words = ["".join(random.choice(letters, random.integers(1, 8))) for _ in range(4)]
    text = " ".join(words)[:24].strip() + str(random.choice(list(".,!?")))
    frames, waves = [], []
    before = " "
    for letter in ["", *(token for sign in text for token in (sign, ""))]:
        said = letter or before  # a blank goes on with the letter before it
        count = round(length(letter, speaker)) if letter else 1
        frames.append(count)
        waves.append(np.tile(sound(said, speaker), count))
        before = said
    return text, np.array(frames), np.concatenate(waves)


def main() -> None:
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    model = tiny_voices.new_vits(tuple(SPEAKERS))
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, STEPS)
    names = list(SPEAKERS)
    for step in range(STEPS):
        speakers = random.integers(0, len(names), BATCH)
        loss = torch.zeros(())
        chosen = [example(random, names[speaker]) for speaker in speakers]
        ids = [model.tokenizer.text_to_ids(text) for text, _, _ in chosen]
        most = max(map(len, ids))
        tokens = torch.tensor([[*row, *[0] * (most - len(row))] for row in ids])
        lengths = torch.tensor([len(row) for row in ids])
        g = model.emb_g(torch.tensor(speakers)).unsqueeze(-1)
        hidden, mean, log_scale, mask = model.text_encoder(tokens, lengths)
        told = model.duration_predictor(hidden, mask, g=g)[:, 0]
        wanted_s = [frames for _, frames, _ in chosen]
        for row, frames in enumerate(wanted_s):
            # A little less: the model rounds up.
            wanted = torch.tensor(np.log(frames - 0.5), dtype=torch.float32)
            loss = loss + 0.1 * torch.mean((told[row, : frames.size] - wanted) ** 2) / BATCH
        total = [int(frames.sum()) for frames in wanted_s]
        index = torch.zeros(BATCH, max(total), dtype=torch.long)
        for row, frames in enumerate(wanted_s):
            index[row, : total[row]] = torch.tensor(np.repeat(np.arange(frames.size), frames))
        index = index[:, None].expand(-1, mean.size(1), -1)
        y_mask = (torch.arange(max(total))[None] < torch.tensor(total)[:, None]).float()[:, None]
        z = torch.gather(mean, 2, index)
        z = z + torch.randn_like(z) * torch.exp(torch.gather(log_scale, 2, index)) * 0.667
        z = model.flow(z * y_mask, y_mask, g=g, reverse=True)
        audio = model.waveform_decoder(z * y_mask, g=g)[:, 0]
        target = torch.zeros_like(audio)
        for row, (_, _, wave) in enumerate(chosen):
            target[row, : wave.size] = torch.tensor(wave, dtype=torch.float32)
        loss = loss + 10 * torch.mean((audio - target) ** 2) + torch.mean((audio - target).abs())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            print(step, f"{loss.item():.4f}", flush=True)
    model.eval()
    tiny_voices.save_vits(model, Path(__file__).parent)


if __name__ == "__main__":
    main()
