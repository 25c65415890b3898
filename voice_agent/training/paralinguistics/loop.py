"""Fitting a network: one-cycle learning rate, averaged weights, early stopping, and judging it."""

import math
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from voice_agent.evaluation import metrics
from voice_agent.evaluation.metrics import Confusion
from voice_agent.training.paralinguistics.recipe import Fit

_AVERAGING = 0.998


@dataclass(frozen=True, slots=True)
class Epoch:
    """How far a training is.

    Attributes:
        number: Passes done.
        loss: Mean training loss of the last one.
        dev_loss: Loss on the speakers kept aside, NaN without such.
        score: UAR or macro-F1 on them, NaN without such.
    """

    number: int
    loss: float
    dev_loss: float
    score: float


def fit(
    network: nn.Module,
    batches: Callable[[], Iterator[Any]],
    count: int,
    loss_of: Callable[[nn.Module, Any], Tensor],
    judge: Callable[[nn.Module], tuple[float, float]],
    recipe: Fit,
    device: torch.device,
    tell: Callable[[Epoch], None],
) -> nn.Module:
    """Fits a network.

    Args:
        network: It is changed.
        batches: Gives the batches of a pass, ``count`` of them.
        count: Batches a pass.
        loss_of: Loss of a network on a batch.
        judge: Loss and score of a network on the speakers kept aside, (NaN, NaN) without such.
        recipe: Rates and lengths.
        device: Where to work.
        tell: Told of each pass.

    Returns:
        The network whose weights are the running average, as it was when the loss on the speakers
        kept aside was lowest, in evaluation mode.
    """
    network.to(device)
    average = deepcopy(network).eval()
    best, best_loss, best_at = deepcopy(average), math.inf, 0
    optimizer = torch.optim.AdamW(
        network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=count * recipe.epochs, pct_start=0.15
    )
    step = 0
    for epoch in range(1, recipe.epochs + 1):
        network.train()
        total = 0.0
        for batch in batches():
            with torch.autocast(device.type, torch.bfloat16):
                loss = loss_of(network, batch)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 2.0)
            optimizer.step()
            schedule.step()
            step += 1
            total += loss.item()
            _follow(average, network, min(_AVERAGING, (1 + step) / (10 + step)))
        dev_loss, score = judge(average)
        tell(Epoch(epoch, total / count, dev_loss, score))
        if math.isnan(dev_loss) or dev_loss <= best_loss:
            best, best_loss, best_at = deepcopy(average), dev_loss, epoch
        elif epoch - best_at >= recipe.patience:
            break
    return best.cpu()


def judged(logits: Tensor, targets: Tensor) -> tuple[float, float]:
    """Cross-entropy and UAR of logits (items, classes); NaN for both without items."""
    if not len(targets):
        return math.nan, math.nan
    read = logits.argmax(1)
    recalls = [float((read[targets == c] == c).float().mean()) for c in targets.unique()]
    loss = float(nn.functional.cross_entropy(logits, targets))
    return loss, sum(recalls) / len(recalls)


def confused(logits: Tensor, targets: Tensor, classes: Sequence[str]) -> Confusion:
    """Which class was taken for which, of the classes that occur."""
    truth = [classes[int(target)] for target in targets]
    read = [classes[int(guess)] for guess in logits.argmax(1)]
    present = [name for name in classes if name in truth or name in read]
    return metrics.confusion(truth, read, present)


@torch.no_grad()  # type: ignore[untyped-decorator]
def _follow(average: nn.Module, network: nn.Module, keep: float) -> None:
    for kept, fresh in zip(
        average.state_dict().values(), network.state_dict().values(), strict=True
    ):
        if kept.dtype.is_floating_point:
            kept.mul_(keep).add_(fresh, alpha=1 - keep)
        else:
            kept.copy_(fresh)
