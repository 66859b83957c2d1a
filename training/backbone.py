"""EfficientNet-Lite0 in torch: the reference that the ONNX graph must agree with, and the engine for a GPU."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.architecture import (
    BATCH_NORM_EPSILON,
    FEATURES,
    IMAGENET_CLASSES,
    INPUT_SIZE,
    STEM_CHANNELS,
    Block,
    blocks,
    same_padding,
)
from training.weights import packaged_weights


class Backbone(nn.Module):
    """Pixels [N, 3, 224, 224] → (features [N, 1280], maps [N, 1280, 7, 7], imagenet logits [N, 1000]).

    The attribute names are those of the packaged state dict.
    """

    def __init__(self) -> None:
        super().__init__()
        self._stem_padding = same_padding(INPUT_SIZE, 3, 2)
        self._conv_stem = nn.Conv2d(3, STEM_CHANNELS, 3, 2, bias=False)
        self._bn0 = _batch_norm(STEM_CHANNELS)
        built = blocks()
        self._blocks = nn.ModuleList(_Block(block) for block in built)
        self._conv_head = nn.Conv2d(built[-1].outputs, FEATURES, 1, bias=False)
        self._bn1 = _batch_norm(FEATURES)
        self._fc = nn.Linear(FEATURES, IMAGENET_CLASSES)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = _relu6(self._bn0(self._conv_stem(_pad(pixels, self._stem_padding))))
        for block in self._blocks:
            x = block(x)
        maps = _relu6(self._bn1(self._conv_head(x)))
        features = maps.mean(dim=(2, 3))
        return features, maps, self._fc(features)


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


def load_backbone() -> Backbone:
    """The backbone with the packaged weights, frozen and in evaluation mode."""
    backbone = Backbone()
    backbone.load_state_dict({name: torch.from_numpy(value) for name, value in packaged_weights().items()})
    backbone.requires_grad_(False)
    return backbone.eval()


def _batch_norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=BATCH_NORM_EPSILON)


def _relu6(x: Tensor) -> Tensor:
    return functional.relu6(x, inplace=True)


def _pad(x: Tensor, padding: tuple[int, int]) -> Tensor:
    before, after = padding
    return functional.pad(x, (before, after, before, after))
