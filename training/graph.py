"""The ONNX graph of a model: the backbone with its batch norms folded in, and the head.

An EfficientNet-Lite is written node by node instead of exported, so that it needs no torch, is the same under every
torch version, and stays readable. Opset 17 and IR 8 are read by every onnxruntime since 1.12.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from training.architecture import BATCH_NORM_EPSILON, FEATURES, LITE0, LITES, Lite

Array = NDArray[np.float32]
OPSET, IR_VERSION = 17, 8
_LOWEST_LOG = -80.0
"""exp of this is still above zero in float32, so that its log stays finite."""


@dataclass(frozen=True)
class Head:
    """A head over the features [N, D]: `weight` [K, D], `bias` [K].

    With `groups` (K indices into the labels) several rows of the head are one label: their probabilities add up.
    With a hidden layer, `hidden_weight` [U, D] and `hidden_bias` [U], the scores are W·relu(H·f + h) + b, `weight` is
    [K, U], and there are no maps, because the score is no mean over places any more.
    """

    weight: Array
    bias: Array
    groups: tuple[int, ...] | None = None
    hidden_weight: Array | None = None
    hidden_bias: Array | None = None

    @property
    def labels(self) -> int:
        """How many labels there are (C)."""
        return len(self.bias) if self.groups is None else max(self.groups) + 1

    @property
    def is_linear(self) -> bool:
        return self.hidden_weight is None

    @property
    def features(self) -> int:
        """How many features it looks at (D)."""
        return int((self.weight if self.hidden_weight is None else self.hidden_weight).shape[1])


class Nodes:
    """Collects nodes and constants; every method returns the name of what it made."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def constant(self, name: str, value: NDArray[Any]) -> str:
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def node(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=output, **attributes))
        return output

    def relu6(self, x: str) -> str:
        low = self.constant("zero", np.array(0, np.float32))
        high = self.constant("six", np.array(6, np.float32))
        return self.node("Clip", [x, low, high], f"{x}.relu6")

    def conv(
        self, x: str, name: str, weight: Array, bias: Array, stride: int = 1, padding: tuple[int, int] = (0, 0)
    ) -> str:
        kernel = weight.shape[2]
        inputs = [x, self.constant(f"{name}.weight", weight), self.constant(f"{name}.bias", bias)]
        return self.node(
            "Conv",
            inputs,
            name,
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[padding[0], padding[0], padding[1], padding[1]],
            # A depthwise kernel has one input channel for each of its groups.
            group=weight.shape[0] if weight.shape[1] == 1 else 1,
        )


def build_graph(weights: Mapping[str, NDArray[Any]], head: Head | None, lite: Lite = LITE0) -> Any:
    """The model of an EfficientNet-Lite as an onnx.ModelProto.

    `weights` is its state dict as arrays. Input `pixels` [N, 3, s, s], float32, already preprocessed. Outputs: `scores`
    [N, C] (log-odds), `features` [N, 1280], `maps` [N, C, m, m] (their mean over the places is the score; only of a
    linear head) and `imagenet` [N, 1000] (logits; only where the weights still hold ImageNet's classifier). Without a
    head only the features and `imagenet`.
    """
    graph = Nodes()
    places = _lite(graph, weights, lite)
    graph.node("Flatten", [graph.node("GlobalAveragePool", [places], "pooled")], "features", axis=1)
    outputs = [_value("features", FEATURES)]
    if "_fc.weight" in weights:
        classes, _ = weights["_fc.weight"].shape
        fc = [graph.constant(f"imagenet.{part}", weights[f"_fc.{part}"]) for part in ("weight", "bias")]
        graph.node("Gemm", ["features", *fc], "imagenet", transB=1)
        outputs.append(_value("imagenet", classes))
    if head is not None:
        outputs = _with_head(graph, head, places, lite.map_size, outputs)
    size = lite.input_size
    return _model(graph, lite.name, [_value("pixels", 3, size, size)], outputs)


def attach(backbone: Any, head: Head) -> Any:
    """A backbone's onnx.ModelProto with a head on it: the same outputs as build_graph's.

    `backbone` has the outputs `features` [N, D], `places` [N, D, m, m] whose mean they are, and perhaps `imagenet`.
    """
    graph = Nodes()
    graph.nodes.extend(backbone.graph.node)
    graph.constants.update({tensor.name: tensor for tensor in backbone.graph.initializer})
    known = {output.name: output for output in backbone.graph.output}
    size = known["places"].type.tensor_type.shape.dim[2].dim_value
    outputs = [known[name] for name in ("features", "imagenet") if name in known]
    outputs = _with_head(graph, head, "places", size, outputs)
    return _model(graph, backbone.graph.name, list(backbone.graph.input), outputs)


def read_head(model: Any) -> Head:
    """The head of a graph made here, so that another engine can run it. Raises KeyError without one."""
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    members = found.get("head.members")
    groups = None if members is None else tuple(int(k) for k in members.argmax(axis=1))
    hidden = found.get("head.hidden_weight"), found.get("head.hidden_bias")
    return Head(found["head.weight"], found["head.bias"], groups, *hidden)


def read_weights(model: Any) -> dict[str, NDArray[Any]]:
    """The state dict of a graph made by build_graph, its batch norms folded into the convolutions before them.

    What is left of a norm divides by one and adds the folded bias. Raises KeyError for another backbone's graph.
    """
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    lite = LITES[model.graph.name]
    weights: dict[str, NDArray[Any]] = {}
    for name, (conv, norm) in _layers(lite).items():
        bias = found[f"{name}.bias"]
        weights[f"{conv}.weight"] = found[f"{name}.weight"]
        weights |= {f"{norm}.weight": np.ones_like(bias), f"{norm}.bias": bias}
        weights[f"{norm}.running_mean"] = np.zeros_like(bias)
        weights[f"{norm}.running_var"] = np.full_like(bias, 1 - BATCH_NORM_EPSILON)
    if "imagenet.weight" in found:
        weights |= {f"_fc.{part}": found[f"imagenet.{part}"] for part in ("weight", "bias")}
    return weights


def _model(graph: Nodes, name: str, inputs: list[Any], outputs: list[Any]) -> Any:
    # onnx's own checker takes as long as all the rest, and ONNX Runtime checks again: it is left to the tests.
    return helper.make_model(
        helper.make_graph(graph.nodes, name, inputs, outputs, initializer=list(graph.constants.values())),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="kennel",
    )


def _layers(lite: Lite) -> dict[str, tuple[str, str]]:
    """Node → (convolution, batch norm) in the state dict, in order."""
    layers = {"stem": ("_conv_stem", "_bn0")}
    for number, block in enumerate(lite.blocks()):
        path, name = f"_blocks.{number}.", f"block{number}"
        if block.expand != 1:
            layers[f"{name}.expand"] = (f"{path}_expand_conv", f"{path}_bn0")
        layers[f"{name}.depthwise"] = (f"{path}_depthwise_conv", f"{path}_bn1")
        layers[f"{name}.project"] = (f"{path}_project_conv", f"{path}_bn2")
    return layers | {"top": ("_conv_head", "_bn1")}


def _lite(graph: Nodes, weights: Mapping[str, NDArray[Any]], lite: Lite) -> str:
    folded = {name: _folded(weights, conv, norm) for name, (conv, norm) in _layers(lite).items()}
    x = graph.relu6(graph.conv("pixels", "stem", *folded["stem"], 2, lite.stem_padding))
    for number, block in enumerate(lite.blocks()):
        name, before = f"block{number}", x
        if block.expand != 1:
            x = graph.relu6(graph.conv(x, f"{name}.expand", *folded[f"{name}.expand"]))
        x = graph.conv(x, f"{name}.depthwise", *folded[f"{name}.depthwise"], block.stride, block.padding)
        x = graph.conv(graph.relu6(x), f"{name}.project", *folded[f"{name}.project"])
        if block.has_skip:
            x = graph.node("Add", [before, x], f"{name}.sum")
    return graph.relu6(graph.conv(x, "top", *folded["top"]))


def _folded(weights: Mapping[str, NDArray[Any]], conv: str, norm: str) -> tuple[Array, Array]:
    """A convolution and the batch norm behind it as one convolution: w·γ/√(σ²+ε) and β − μ·γ/√(σ²+ε)."""
    scale = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + BATCH_NORM_EPSILON)
    weight = weights[f"{conv}.weight"] * scale[:, None, None, None]
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
    return weight.astype(np.float32), bias.astype(np.float32)


def _with_head(graph: Nodes, head: Head, places: str, size: int, outputs: list[Any]) -> list[Any]:
    """Adds the head over `features` and `places`; returns the model's outputs in their order."""
    scores, weight, bias = _value("scores", head.labels), head.weight, head.bias
    if head.hidden_weight is not None and head.hidden_bias is not None:
        hidden = [
            graph.constant("head.hidden_weight", head.hidden_weight),
            graph.constant("head.hidden_bias", head.hidden_bias),
        ]
        units = graph.node("Gemm", ["features", *hidden], "hidden_sums", transB=1)
        inputs = [graph.node("Relu", [units], "hidden"), graph.constant("head.weight", weight)]
        graph.node("Gemm", [*inputs, graph.constant("head.bias", bias)], "scores", transB=1)
        return [scores, *outputs]
    maps = _value("maps", head.labels, size, size)
    filters = weight[:, :, None, None]
    inputs = ["features", graph.constant("head.weight", weight), graph.constant("head.bias", bias)]
    if head.groups is None:
        graph.node("Gemm", inputs, "scores", transB=1)
        graph.conv(places, "maps", filters, bias)
    else:
        rows = graph.node("Gemm", inputs, "rows", transB=1)
        _sum_groups(graph, head, rows, graph.conv(places, "row_maps", filters, bias), head.groups)
    return [scores, outputs[0], maps, *outputs[1:]]


def _sum_groups(graph: Nodes, head: Head, rows: str, row_maps: str, groups: tuple[int, ...]) -> None:
    # Probabilities add where log-odds do not: score = log Σ exp(row) over the rows of a label.
    members = np.zeros((len(groups), head.labels), np.float32)
    members[np.arange(len(groups)), groups] = 1
    member = graph.constant("head.members", members)
    top = graph.node("ReduceMax", [rows], "top_row", axes=[1], keepdims=1)
    below = graph.node("Sub", [rows, top], "below_top")
    floor = graph.constant("lowest_log", np.array(_LOWEST_LOG, np.float32))
    odds = graph.node("Exp", [graph.node("Max", [below, floor], "bounded")], "odds")
    logs = graph.node("Log", [graph.node("MatMul", [odds, member], "label_odds")], "label_logs")
    scores = graph.node("Add", [logs, top], "scores")
    # A label's map is its rows' maps weighted by their shares w; taking log w off each keeps the mean equal to the
    # score, because row − log w = score for every row of the label.
    own = graph.node("MatMul", [scores, graph.constant("head.labels", np.ascontiguousarray(members.T))], "score_of_row")
    share_log = graph.node("Sub", [rows, own], "share_log")
    axes = graph.constant("place_axes", np.array([2, 3], np.int64))
    share_logs = graph.node("Unsqueeze", [share_log, axes], "share_logs")
    shifted = graph.node("Sub", [row_maps, share_logs], "shifted_maps")
    weighted = graph.node("Mul", [shifted, graph.node("Exp", [share_logs], "shares")], "weighted_maps")
    adding = np.ascontiguousarray(members.T)[:, :, None, None]
    graph.conv(weighted, "maps", adding, np.zeros(head.labels, np.float32))


def _value(name: str, *shape: int) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *shape])
