"""Trains the model that tells a risk of suicide and self-harm in words, by fine-tuning MiniLM.

``voice-agent train risk UTTERANCES… --base FOLDER --everyday TEXTS --out models/risk``
"""

import csv
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import AutoTokenizer, BertModel

from voice_agent.errors import ManifestError
from voice_agent.thinking.safety import signs
from voice_agent.thinking.safety.risk_model import MODEL, VOCABULARY, heard_form
from voice_agent.training.misrecognition import misrecognised

_BATCH = 32
_LONGEST = 96
_HEAD = 64
_BODY_RATE, _HEAD_RATE = 1e-4, 1e-3
_WARM_UP = 50
_SMOOTHING = 0.015
_DOUBTFUL = ("suicid", "kill ", "self harm", "self-harm", "die", "dead", "overdos", "kys", "kms")
_NOISY, _IN_COMPANY = 0.6, 0.15
"""Shares of the utterances that are read as if misrecognised, and beside some everyday sentence."""

Labelled = tuple[str, float]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train.

    Attributes:
        layers: Layers of the base that are kept, in order.
        epochs: Passes over the utterances.
        everyday_share: Everyday texts in each pass, for one utterance.
        seed: The same seed and data give the same model on the same machine.
    """

    layers: tuple[int, ...] = (0, 1, 2, 3, 4, 5)
    epochs: int = 5
    everyday_share: float = 1.1
    seed: int = 0


class Reader(nn.Module):  # type: ignore[misc]  # torch is not looked into
    """The network: layers of BERT, their mean and maximum over words, and a small head."""

    def __init__(self, base: Path, layers: Sequence[int]) -> None:
        super().__init__()
        self.bert = BertModel.from_pretrained(base, add_pooling_layer=False)
        self.bert.encoder.layer = nn.ModuleList(self.bert.encoder.layer[i] for i in layers)
        self.bert.config.num_hidden_layers = len(layers)
        # Words that the utterances lack must stay where they were, beside those that they have.
        self.bert.embeddings.word_embeddings.weight.requires_grad = False
        width = 2 * self.bert.config.hidden_size
        self.head = nn.Sequential(
            nn.Linear(width, _HEAD), nn.GELU(), nn.Dropout(0.1), nn.Linear(_HEAD, 1)
        )

    def forward(self, ids: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Logits (batch) of token ids (batch x tokens)."""
        if mask is None:
            mask = torch.ones_like(ids)
        states = self.bert(input_ids=ids, attention_mask=mask).last_hidden_state
        told = mask[..., None].to(states.dtype)
        mean = (states * told).sum(1) / told.sum(1)
        peak = (states - 1e4 * (1 - told)).max(1).values
        return self.head(torch.cat([mean, peak], -1))[:, 0]


def read_utterances(path: Path) -> list[Labelled]:
    """Reads JSON lines with ``text`` and ``risk`` (true or false).

    Raises:
        ManifestError: A line has another form; names it.
    """
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            data = json.loads(line)
            found.append((str(data["text"]), float(bool(data["risk"]))))
        except (ValueError, KeyError, TypeError) as error:
            raise ManifestError(f"{path}:{number}: needs text and risk as JSON: {error}") from error
    if not found:
        raise ManifestError(f"{path}: holds no utterances")
    return found


def read_everyday(path: Path) -> list[str]:
    """Reads harmless texts.

    Args:
        path: A file with a text in the first column of each line (as GoEmotions has them), or the
            folder of EmpatheticDialogues, of which every second dialogue is taken, so that the
            others are left to measure with.
    """
    if path.is_dir():
        return [text for text, taken in speakers(path) if taken and not signs.read(text)]
    lines = (line.split("\t")[0] for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if len(line.split()) > 2 and not _doubtful(line)]


def speakers(folder: Path) -> Iterator[tuple[str, bool]]:
    """What people tell in EmpatheticDialogues, and whether it is of a dialogue to train with."""
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["Actor"] == "speaker":
                    number = row["Dialog_ID"].rpartition(":")[2].split()[0]
                    yield row["Text"], int(number) % 2 == 0


def _doubtful(text: str) -> bool:
    """Whether a comment of a stranger may be more than a manner of speaking."""
    return any(part in text.lower() for part in _DOUBTFUL)


def train(
    utterances: Sequence[Labelled],
    everyday: Sequence[str],
    base: Path,
    recipe: Recipe,
    tell: Callable[[str], None] = lambda line: None,
) -> tuple[Reader, Any]:
    """Fine-tunes the base.

    Args:
        utterances: Texts with 1 for a risk and 0 for none.
        everyday: Harmless texts.
        base: Folder of a BERT model with its tokenizer (all-MiniLM-L6-v2).
        recipe: How.
        tell: Told of each pass.

    Returns:
        The network and its tokenizer.
    """
    torch.manual_seed(recipe.seed)
    chance = random.Random(recipe.seed)
    tokenizer = AutoTokenizer.from_pretrained(base)
    network = Reader(base, recipe.layers)
    body = [p for n, p in network.named_parameters() if p.requires_grad and "head" not in n]
    groups = [(body, _BODY_RATE), (list(network.head.parameters()), _HEAD_RATE)]
    optimizer = torch.optim.AdamW(
        [{"params": parameters, "lr": rate} for parameters, rate in groups], weight_decay=0.01
    )
    beside = min(len(everyday), int(recipe.everyday_share * len(utterances)))
    steps = recipe.epochs * -(-(len(utterances) + beside) // _BATCH)

    def rate(step: int) -> float:
        return min(1.0, step / _WARM_UP) * max(0.02, 1 - step / steps)

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    for epoch in range(recipe.epochs):
        network.train()
        texts = [(_heard(text, everyday, chance), label) for text, label in utterances]
        texts += [(heard_form(text), 0.0) for text in chance.sample(list(everyday), beside)]
        total = 0.0
        for batch in _batches(texts, chance):
            told = _encode(tokenizer, [text for text, _ in batch])
            wanted = torch.tensor([label for _, label in batch])
            wanted = wanted * (1 - 2 * _SMOOTHING) + _SMOOTHING
            loss = nn.functional.binary_cross_entropy_with_logits(
                network(told["input_ids"], told["attention_mask"]), wanted
            )
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += loss.item() * len(batch)
        tell(f"pass {epoch + 1} of {recipe.epochs}: loss {total / len(texts):.4f}")
    network.eval()
    return network, tokenizer


def _heard(text: str, everyday: Sequence[str], chance: random.Random) -> str:
    """A text as it may come: misrecognised, or in the company of an everyday sentence."""
    said = heard_form(text)
    if chance.random() < _NOISY:
        said = misrecognised(said, chance)
    if everyday and chance.random() < _IN_COMPANY:
        other = heard_form(chance.choice(everyday))
        said = f"{other} {said}" if chance.random() < 0.5 else f"{said} {other}"
    return said


def _batches(texts: list[Labelled], chance: random.Random) -> Iterator[list[Labelled]]:
    """Batches of texts of like length, in random order."""
    chance.shuffle(texts)
    batches = []
    for start in range(0, len(texts), _BATCH * 20):
        part = sorted(texts[start : start + _BATCH * 20], key=lambda one: len(one[0]))
        batches += [part[at : at + _BATCH] for at in range(0, len(part), _BATCH)]
    chance.shuffle(batches)
    yield from batches


def _encode(tokenizer: Any, texts: list[str]) -> Any:
    return tokenizer(texts, padding=True, truncation=True, max_length=_LONGEST, return_tensors="pt")


def save(network: Reader, tokenizer: Any, texts: Sequence[str], out: Path) -> None:
    """Writes the model in 8 bits and its vocabulary.

    Args:
        network: The trained network.
        tokenizer: Its tokenizer.
        texts: Word pieces that occur in none of these are left out of the vocabulary, but for
            the short ones, of which any word can be made.
        out: Folder.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    out.mkdir(parents=True, exist_ok=True)
    _prune(network, tokenizer, texts, out / VOCABULARY)
    whole = out / "whole.onnx"
    torch.onnx.export(
        network.cpu(),
        (torch.ones(1, 8, dtype=torch.int64),),
        str(whole),
        input_names=["ids"],
        output_names=["logit"],
        dynamic_axes={"ids": {0: "batch", 1: "tokens"}, "logit": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )
    quantize_dynamic(whole, out / MODEL, weight_type=QuantType.QInt8, per_channel=True)
    whole.unlink()


def _prune(network: Reader, tokenizer: Any, texts: Sequence[str], path: Path) -> None:
    """Leaves word pieces out of the network and the tokenizer, which is written to ``path``."""
    data = json.loads(tokenizer.backend_tokenizer.to_str())
    seen = {one for text in texts for one in tokenizer(heard_form(text))["input_ids"]}
    pieces: dict[str, int] = data["model"]["vocab"]
    kept = {
        piece: old
        for piece, old in sorted(pieces.items(), key=lambda entry: entry[1])
        if old in seen or (piece.isascii() and len(piece.removeprefix("##")) <= 3) or "[" in piece
    }
    rows = torch.tensor(list(kept.values()))
    weights = network.bert.embeddings.word_embeddings.weight[rows]
    network.bert.embeddings.word_embeddings = nn.Embedding.from_pretrained(weights)
    new = {piece: number for number, piece in enumerate(kept)}
    data["model"]["vocab"] = new
    for added in data["added_tokens"]:
        added["id"] = new[added["content"]]
    for special in data["post_processor"]["special_tokens"].values():
        special["ids"] = [new[token] for token in special["tokens"]]
    data["truncation"] = {
        "direction": "Right",
        "max_length": _LONGEST,
        "strategy": "LongestFirst",
        "stride": 0,
    }
    data["padding"] = None
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")


def probabilities(network: Reader, tokenizer: Any, texts: Sequence[str]) -> np.ndarray:
    """What the network says of each text, before it is written in 8 bits."""
    found = np.zeros(len(texts))
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    with torch.no_grad():
        for start in range(0, len(order), 64):
            part = order[start : start + 64]
            told = _encode(tokenizer, [heard_form(texts[i]) or "." for i in part])
            logits = network(told["input_ids"], told["attention_mask"])
            found[part] = torch.sigmoid(logits).numpy()
    return found
