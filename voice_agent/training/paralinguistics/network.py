"""The networks: a small residual network over the spectrogram, pooled over time."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class _Block(nn.Module):  # type: ignore[misc]
    """Two 3x3 convolutions that halve time and frequency, with a way around them."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
        )
        self.second = nn.Sequential(
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        )
        self.around = nn.Sequential(
            nn.AvgPool2d(2, ceil_mode=True),
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.second(self.first(x)) + self.around(x))


class _Trunk(nn.Module):  # type: ignore[misc]
    """Spectrograms (batch, channels, frames, 64) to features (batch, outputs, frames / 16)."""

    def __init__(self, channels: int, stages: tuple[int, int, int], outputs: int) -> None:
        super().__init__()
        stem = stages[0] // 2
        self.stages = nn.Sequential(
            nn.Conv2d(channels, stem, 5, 2, 2, bias=False),
            nn.BatchNorm2d(stem),
            nn.ReLU(),
            _Block(stem, stages[0]),
            _Block(stages[0], stages[1]),
            _Block(stages[1], stages[2]),
        )
        self.reduce = nn.Sequential(
            nn.Conv1d(4 * stages[2], outputs, 1, bias=False), nn.BatchNorm1d(outputs), nn.ReLU()
        )

    def forward(self, mel: Tensor) -> Tensor:
        x = self.stages(mel.transpose(2, 3))
        reduced: Tensor = self.reduce(x.flatten(1, 2))
        return reduced


class VoiceNet(nn.Module):  # type: ignore[misc]
    """Emotion and gender of a stretch of speech, pooled by attention (Okabe et al. 2018)."""

    def __init__(self, width: int, emotions: int, dropout: float) -> None:
        super().__init__()
        self.trunk = _Trunk(2, (width, 2 * width, 3 * width), 4 * width)
        self.attention = nn.Conv1d(4 * width, 1, 1)
        self.dropout = nn.Dropout(dropout)
        self.emotion = nn.Linear(8 * width, emotions)
        self.gender = nn.Linear(8 * width, 2)

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of emotion and of gender for spectrograms (batch, 2, frames, 64)."""
        x = self.trunk(mel)
        weights = torch.softmax(self.attention(x), -1)
        mean = (x * weights).sum(-1)
        spread = ((x * x * weights).sum(-1) - mean * mean).clamp_min(1e-5).sqrt()
        pooled = self.dropout(torch.cat((mean, spread), 1))
        return self.emotion(pooled), self.gender(pooled)


class VoiceEnsemble(nn.Module):  # type: ignore[misc]
    """Several networks that read together: their log-posteriors are averaged."""

    def __init__(self, members: list[VoiceNet]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Mean log-posteriors of emotion and of gender."""
        emotions, genders = zip(*(member(mel) for member in self.members), strict=True)
        return (
            torch.stack([torch.log_softmax(emotion, -1) for emotion in emotions]).mean(0),
            torch.stack([torch.log_softmax(gender, -1) for gender in genders]).mean(0),
        )


class EventNet(nn.Module):  # type: ignore[misc]
    """Which vocal event a second of sound holds."""

    def __init__(self, width: int, events: int, dropout: float) -> None:
        super().__init__()
        self.trunk = _Trunk(1, (width, 2 * width, 4 * width), 6 * width)
        self.dropout = nn.Dropout(dropout)
        self.event = nn.Linear(12 * width, events)

    def forward(self, mel: Tensor) -> Tensor:
        """Logits for spectrograms (batch, 1, frames, 64)."""
        x = self.trunk(mel)
        pooled = torch.cat((x.mean(-1), x.amax(-1)), 1)
        logits: Tensor = self.event(self.dropout(pooled))
        return logits
