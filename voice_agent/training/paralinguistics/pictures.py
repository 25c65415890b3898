"""The picture of a training: its learning curves."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from voice_agent.evaluation.pictures import new_figure, tidy
from voice_agent.training.paralinguistics.loop import Epoch

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def learning_curves(curves: Sequence[Sequence[Epoch]]) -> "Figure":
    """Loss and UAR of each network over the passes."""
    figure = new_figure(8, 3.5)
    losses, scores = figure.subplots(1, 2)
    for curve in curves:
        passes = [epoch.number for epoch in curve]
        (line,) = losses.plot(passes, [epoch.loss for epoch in curve], alpha=0.4)
        losses.plot(passes, [epoch.dev_loss for epoch in curve], color=line.get_color())
        scores.plot(passes, [epoch.score for epoch in curve], color=line.get_color())
    losses.set(xlabel="pass", ylabel="loss (pale: in training)")
    scores.set(xlabel="pass", ylabel="UAR on recordings kept aside")
    tidy(losses)
    tidy(scores)
    return figure
