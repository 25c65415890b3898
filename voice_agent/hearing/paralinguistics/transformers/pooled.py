"""A head for wav2vec 2.0 that many published models have and transformers does not.

The mean of the last hidden states, a dense layer with tanh, and a linear output, as in the models
for arousal, dominance and valence of Wagner et al. (2023), "Dawn of the transformer era in speech
emotion recognition". Imports torch and transformers.
"""

from typing import Any

from torch import Tensor, nn, tanh
from transformers import Wav2Vec2Model, Wav2Vec2PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput


class SpeechClassifier(Wav2Vec2PreTrainedModel):  # type: ignore[misc]
    """wav2vec 2.0 with the head described above; batches must hold audio of one length."""

    ignores_mask = True

    def __init__(self, config: Any) -> None:
        if getattr(config, "pooling_mode", "mean") != "mean":
            raise ValueError(f"pooling_mode {config.pooling_mode!r} is not supported, only 'mean'")
        super().__init__(config)
        self.wav2vec2 = Wav2Vec2Model(config)
        self.classifier = _Head(config.hidden_size, config.num_labels)
        self.post_init()

    def forward(self, input_values: Tensor) -> SequenceClassifierOutput:
        """Scores of audio of shape (batch, samples)."""
        hidden = self.wav2vec2(input_values).last_hidden_state
        return SequenceClassifierOutput(logits=self.classifier(hidden.mean(dim=1)))


class _Head(nn.Module):  # type: ignore[misc]
    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, outputs)

    def forward(self, pooled: Tensor) -> Tensor:
        return self.out_proj(tanh(self.dense(pooled)))
