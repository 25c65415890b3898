"""The last part of both models, a HiFi-GAN generator, in pieces that sound as the whole would.

Kong et al. 2020, https://arxiv.org/abs/2010.05646. Its convolutions see a bounded number of frames
to each side, so that a piece decoded with that many frames around it is exact.
"""

import math
from typing import Any

from torch import nn
from torch.nn.utils import parametrize


def fuse(model: nn.Module) -> None:
    """Computes the weights of normalised layers once, instead of in every pass."""
    for module in model.modules():
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight")


def hop(generator: Any) -> int:
    """Samples that a generator makes of a frame."""
    return math.prod(int(up.stride[0]) for up in generator.ups)


def reach(generator: Any) -> int:
    """Frames to each side of a frame that its audio depends on, at most."""
    frames = (generator.conv_pre.kernel_size[0] - 1) / 2
    scale = 1
    for at, up in enumerate(generator.ups):
        frames += up.kernel_size[0] / (scale * up.stride[0])
        scale *= up.stride[0]
        blocks = generator.resblocks[at * generator.num_kernels : (at + 1) * generator.num_kernels]
        frames += max(map(_reach_of_block, blocks)) / scale
    frames += (generator.conv_post.kernel_size[0] - 1) / 2 / scale
    return math.ceil(float(frames))


def _reach_of_block(block: nn.Module) -> float:
    layers: list[Any] = [layer for layer in block.modules() if isinstance(layer, nn.Conv1d)]
    return float(sum(layer.dilation[0] * (layer.kernel_size[0] - 1) / 2 for layer in layers))
