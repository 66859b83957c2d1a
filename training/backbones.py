"""The networks a classifier can stand on: their names, what they look at, and where their weights come from.

Another network of torchvision is one line in `_TABLE`, as long as its features are the mean of its last maps.
"""

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.architecture import FEATURES, IMAGENET_CLASSES, LITES
from training.errors import BadSettings
from training.graph import Head, attach, build_graph
from training.preprocessing import Preprocessing
from training.weights import PACKAGES, Weights

Array = NDArray[np.float32]
LITE, TORCHVISION = "lite", "torchvision"
CLASSIFIERS = ("_fc", "fc", "classifier")
"""What the networks call the part behind their features."""
# torchvision publishes the mean and deviation of values between 0 and 1.
_IMAGENET_MEAN = (0.485 * 255, 0.456 * 255, 0.406 * 255)
_IMAGENET_DEVIATION = (0.229 * 255, 0.224 * 255, 0.225 * 255)


@dataclass(frozen=True)
class Backbone:
    """One network: `input_size` pixels on both sides go in, `features` numbers come out (D)."""

    name: str
    title: str
    input_size: int
    features: int
    preprocessing: Preprocessing
    family: str
    source: str
    """Where its weights come from, in words."""
    has_imagenet: bool = True
    """Whether its own weights include ImageNet's classifier; those of a given file need not."""


def _lite(name: str, title: str, short_side: int) -> Backbone:
    size = LITES[name].input_size
    return Backbone(
        name, title, size, FEATURES, Preprocessing(short_side, size), LITE, f"the package {PACKAGES[name][0]}"
    )


def _torchvision(name: str, title: str, features: int, size: int = 224, short_side: int = 256) -> Backbone:
    """As torchvision's IMAGENET1K_V1 weights are used; `size` and `short_side` are in their documentation."""
    prepared = Preprocessing(short_side, size, _IMAGENET_MEAN, _IMAGENET_DEVIATION, resample="bilinear")
    return Backbone(name, title, size, features, prepared, TORCHVISION, "torchvision's IMAGENET1K_V1")


_TABLE = (
    _lite("efficientnet_lite0", "EfficientNet-Lite0", 256),
    _lite("efficientnet_lite2", "EfficientNet-Lite2", 292),
    _torchvision("resnet50", "ResNet-50", 2048),
)
BACKBONES = MappingProxyType({backbone.name: backbone for backbone in _TABLE})


def get(name: str) -> Backbone:
    """The backbone of that name. Raises BadSettings that names the known ones."""
    try:
        return BACKBONES[name]
    except KeyError:
        raise BadSettings(f"There is no backbone named {name!r}: choose {', '.join(BACKBONES)}.") from None


def load_weights(backbone: Backbone, source: str, cache: Path) -> Weights:
    """The weights that `source` names: "" (packaged), a file, s3://bucket/key, or "hub"; downloads go below `cache`.

    Everything is checked here, before any work: raises BadWeights when they cannot be had, are no plain state dict, or
    are not this backbone's. A classifier of other classes than ImageNet's is left out.
    """
    from training.weight_sources import checked, read

    return checked(backbone, *read(backbone, source, cache))


def has_imagenet(weights: Weights) -> bool:
    """Whether these weights still hold ImageNet's classifier."""
    return any(name.split(".")[0] in CLASSIFIERS for name in weights.arrays)


def imagenet_head(backbone: Backbone, weights: Weights) -> tuple[Array, Array] | None:
    """ImageNet's own linear head over the features, weight [1000, D] and bias [1000]; None where there is none.

    None too where the network has more than one layer behind its features.
    """
    found = [value for name, value in weights.arrays.items() if name.split(".")[0] in CLASSIFIERS]
    weight = next((value for value in found if value.shape == (IMAGENET_CLASSES, backbone.features)), None)
    bias = next((value for value in found if value.shape == (IMAGENET_CLASSES,)), None)
    return None if weight is None or bias is None or len(found) != 2 else (weight, bias)


def build_model(backbone: Backbone, weights: Weights, head: Head | None) -> Any:
    """The model as an onnx.ModelProto: outputs as build_graph's in training.graph.

    There is no `imagenet` where the weights have no classifier of ImageNet (any more, after fine-tuning).
    """
    if backbone.family == LITE:
        return build_graph(weights.arrays, head, LITES[backbone.name])
    from training.torchvision_backbone import export

    exported = export(backbone, weights)
    return exported if head is None else attach(exported, head)
