"""Small audio classifiers in the format of real ones, with random weights: they tell nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from voice_agent.models import torchaudio_import

torchaudio_import.ensure()

from transformers import (  # noqa: E402
    ASTConfig,
    ASTFeatureExtractor,
    ASTForAudioClassification,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForSequenceClassification,
    Wav2Vec2Model,
)

WIDTH = 16
SPECTROGRAM_FRAMES = 128
SHAPE = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 2}


def wav2vec2(
    folder: Path,
    labels: Sequence[str],
    *,
    masked: bool = True,
    says: Sequence[float] = (),
    **more: Any,
) -> Path:
    """Saves a wav2vec 2.0 classifier.

    Args:
        folder: A new folder.
        labels: Its labels.
        masked: Normalised over channels and with a mask for padding, as the large models are; else
            over time and without one, as the base models are.
        says: The scores it gives for whatever it hears; else they depend on the audio.
        more: Further values of its configuration.
    """
    torch.manual_seed(0)
    model = Wav2Vec2ForSequenceClassification(_wav2vec2(labels, masked, **more))
    _say(model.classifier, says)
    model.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(return_attention_mask=masked).save_pretrained(folder)
    return folder


def headless(folder: Path) -> Path:
    """Saves a wav2vec 2.0 that was never trained to classify."""
    Wav2Vec2Model(_wav2vec2(["a", "b"], True)).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(return_attention_mask=True).save_pretrained(folder)
    return folder


def pooled(folder: Path, labels: Sequence[str], says: Sequence[float] = ()) -> Path:
    """Saves a wav2vec 2.0 with the head of the models for arousal, dominance and valence."""
    from voice_agent.hearing.paralinguistics.transformers.pooled import SpeechClassifier

    torch.manual_seed(0)
    config = _wav2vec2(labels, True)
    model = SpeechClassifier(config)
    _say(model.classifier.out_proj, says)
    model.config.architectures = ["Wav2Vec2ForSpeechClassification"]
    model.save_pretrained(folder)
    config.architectures = ["Wav2Vec2ForSpeechClassification"]
    config.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(return_attention_mask=True).save_pretrained(folder)
    return folder


def spectrogram(
    folder: Path, labels: Sequence[str], *, says: Sequence[float] = (), **more: Any
) -> Path:
    """Saves an Audio Spectrogram Transformer, which pads all audio to one length."""
    torch.manual_seed(0)
    model = ASTForAudioClassification(
        ASTConfig(
            **SHAPE,
            intermediate_size=2 * WIDTH,
            max_length=SPECTROGRAM_FRAMES,
            **_named(labels),
            **more,
        )
    )
    _say(model.classifier.dense, says, spread=0.5)
    model.save_pretrained(folder)
    ASTFeatureExtractor(max_length=SPECTROGRAM_FRAMES).save_pretrained(folder)
    return folder


def _wav2vec2(labels: Sequence[str], masked: bool, **more: Any) -> Wav2Vec2Config:
    return Wav2Vec2Config(
        **SHAPE,
        intermediate_size=2 * WIDTH,
        conv_dim=[WIDTH] * 7,
        feat_extract_norm="layer" if masked else "group",
        do_stable_layer_norm=masked,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        classifier_proj_size=WIDTH,
        vocab_size=8,
        **_named(labels),
        **more,
    )


def _named(labels: Sequence[str]) -> dict[str, Any]:
    return {
        "id2label": dict(enumerate(labels)),
        "label2id": {label: number for number, label in enumerate(labels)},
    }


def _say(output: torch.nn.Linear, scores: Sequence[float], spread: float = 20.0) -> None:
    with torch.no_grad():
        if scores:
            output.weight.zero_()
            output.bias.copy_(torch.tensor(scores))
        else:
            # As they are, they hardly differ from one audio to another.
            output.weight.normal_(std=spread)
