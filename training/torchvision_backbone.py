"""torchvision's classification networks as backbones: cut behind their last feature maps, in torch and as ONNX.

The cut is found in the network's own graph: the classifier's input is the features, and what is pooled into it the
maps. So a new network needs no code here.
"""

import importlib
import math
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, fx, nn
from torch.fx.passes.shape_prop import ShapeProp

from training.backbone import Outputs, load_arrays
from training.backbones import CLASSIFIERS, Backbone
from training.errors import BadSettings
from training.graph import OPSET
from training.vision import import_torchvision
from training.weights import Weights


class TorchvisionNetwork(nn.Module):
    """Pixels [N, 3, s, s] → Outputs. `trunk` gives (what goes into the classifier, maps)."""

    def __init__(self, trunk: nn.Module, classifier: nn.Module | None) -> None:
        super().__init__()
        self.trunk = trunk
        self.classifier = classifier

    def forward(self, pixels: Tensor) -> Outputs:
        pooled, maps = self.trunk(pixels)
        return pooled.flatten(1), maps, None if self.classifier is None else self.classifier(pooled)


def torchvision_network(backbone: Backbone, weights: Weights) -> TorchvisionNetwork:
    """The network with these weights, in evaluation mode.

    Raises BadSettings when torchvision has no such network, or one whose features are no mean of its last maps.
    """
    whole = empty_network(backbone)
    name = classifier_name(whole)
    trunk = _trunk(backbone, whole, name)
    classifier: nn.Module | None = getattr(whole, name)
    own = _below(weights.arrays, name)
    load_arrays(trunk, weights.arrays)
    if classifier is not None:
        classifier = load_arrays(classifier, own) if own else None
    return TorchvisionNetwork(trunk, classifier).eval()


def empty_network(backbone: Backbone) -> nn.Module:
    """torchvision's own network on the meta device: its names and shapes, without values. Raises BadSettings."""
    models = torchvision_models(backbone)
    try:
        with torch.device("meta"):  # no time for random weights that are replaced at once
            network: nn.Module = models.get_model(backbone.name, weights=None)
    except ValueError as error:
        raise BadSettings(f"torchvision has no network named {backbone.name}: choose another backbone.") from error
    except NotImplementedError:  # some look at their random weights while they make them
        network = models.get_model(backbone.name, weights=None).to("meta")
    return network.eval()


def torchvision_models(backbone: Backbone) -> Any:
    """torchvision.models. Raises BadSettings where it is not installed."""
    try:
        import_torchvision()
    except ImportError as error:
        raise BadSettings(
            f"{backbone.title} needs torchvision, which is not installed ({error}): "
            "install it, or choose another backbone."
        ) from error
    return importlib.import_module("torchvision.models")


def classifier_name(network: nn.Module) -> str:
    """What the network calls the part behind its features. Raises BadSettings."""
    name = next((name for name, _ in network.named_children() if name in CLASSIFIERS), None)
    if name is None:
        raise BadSettings(f"{type(network).__name__} has no {' or '.join(CLASSIFIERS)}: it cannot be a backbone.")
    return name


def export(backbone: Backbone, weights: Weights) -> Any:
    """The backbone as an onnx.ModelProto: pixels → features, places (the last maps) and imagenet if there is any.

    By torch's older exporter: it needs no package beside torch and writes what every torch from 2.6 on writes alike.
    """
    network = torchvision_network(backbone, weights)
    network.requires_grad_(False)
    names = ["features", "places"] + (["imagenet"] if network.classifier is not None else [])
    size = backbone.input_size
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        # It is announced to go one day; the newer one wants onnxscript, and opset 18.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, size, size),),
            str(Path(folder) / "backbone.onnx"),
            input_names=["pixels"],
            output_names=names,
            dynamic_axes={name: {0: "N"} for name in ("pixels", *names)},
            opset_version=OPSET,
            dynamo=False,
        )
        model = onnx.load(Path(folder) / "backbone.onnx")
    model.graph.name = backbone.name
    return model


def _trunk(backbone: Backbone, whole: nn.Module, classifier: str) -> fx.GraphModule:
    traced = fx.symbolic_trace(whole)
    size = backbone.input_size
    ShapeProp(traced).propagate(torch.zeros(1, 3, size, size, device="meta"))
    nodes = traced.graph.nodes
    own = (node for node in nodes if node.op == "call_module" and str(node.target).split(".")[0] == classifier)
    pooled = next(own).args[0]
    maps = pooled
    while isinstance(maps, fx.Node) and max(_shape(maps)[2:], default=1) == 1:
        maps = maps.args[0]
    if not (isinstance(maps, fx.Node) and isinstance(pooled, fx.Node)) or not (
        _shape(maps)[1] == math.prod(_shape(pooled)) == backbone.features
    ):
        raise BadSettings(
            f"{backbone.title} cannot be a backbone: the features before its classifier are no mean of "
            f"{backbone.features} maps."
        )
    end = next(node for node in nodes if node.op == "output")
    end.args = ((pooled, maps),)
    traced.graph.eliminate_dead_code()
    traced.delete_all_unused_submodules()
    traced.recompile()
    return traced


def _shape(node: fx.Node) -> tuple[int, ...]:
    return tuple(node.meta["tensor_meta"].shape)


def _below(arrays: Mapping[str, NDArray[Any]], name: str) -> dict[str, NDArray[Any]]:
    return {key.removeprefix(f"{name}."): value for key, value in arrays.items() if key.startswith(f"{name}.")}
