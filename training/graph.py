"""The ONNX graph of a model: the frozen backbone with its batch norms folded in, and one linear head.

The graph is written node by node instead of exported, so that it needs no torch, is the same under every torch
version, and stays readable. Opset 17 and IR 8 are read by every onnxruntime since 1.12.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from training.architecture import (
    BATCH_NORM_EPSILON,
    FEATURES,
    IMAGENET_CLASSES,
    INPUT_SIZE,
    MAP_SIZE,
    blocks,
    same_padding,
)

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
        return self.weight.shape[1] if self.hidden_weight is None else self.hidden_weight.shape[1]


class _Graph:
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


def build_graph(weights: Mapping[str, NDArray[Any]], head: Head | None) -> Any:
    """The model as an onnx.ModelProto.

    `weights` is the packaged state dict as arrays. Input `pixels` [N, 3, 224, 224], float32, already preprocessed.
    Outputs: `scores` [N, C] (log-odds), `maps` [N, C, 7, 7] (their mean over the places is the score), `features`
    [N, 1280] and `imagenet` [N, 1000] (logits); without a head only the last two.
    """
    graph = _Graph()
    maps = _backbone(graph, weights)
    pooled = graph.node("GlobalAveragePool", [maps], "pooled")
    graph.node("Flatten", [pooled], "features", axis=1)
    fc = [
        graph.constant("imagenet.weight", weights["_fc.weight"]),
        graph.constant("imagenet.bias", weights["_fc.bias"]),
    ]
    graph.node("Gemm", ["features", *fc], "imagenet", transB=1)
    outputs = [_value("features", FEATURES), _value("imagenet", IMAGENET_CLASSES)]
    if head is not None:
        _head(graph, head, maps)
        head_maps = _value("maps", head.labels, MAP_SIZE, MAP_SIZE)
        outputs = [_value("scores", head.labels), outputs[0], head_maps, outputs[1]]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "efficientnet-lite0",
            [_value("pixels", 3, INPUT_SIZE, INPUT_SIZE)],
            outputs,
            initializer=list(graph.constants.values()),
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="kennel",
    )
    onnx.checker.check_model(model)
    return model


def read_head(model: Any) -> Head:
    """The head of a graph made by build_graph, so that another engine can run it. Raises KeyError without one."""
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    members = found.get("head.members")
    groups = None if members is None else tuple(int(k) for k in members.argmax(axis=1))
    weight: Array = found["head.weight"]
    return Head(weight.reshape(len(weight), -1), found["head.bias"], groups)


def _backbone(graph: _Graph, weights: Mapping[str, NDArray[Any]]) -> str:
    weight, bias = _folded(weights, "_conv_stem", "_bn0")
    x = graph.relu6(graph.conv("pixels", "stem", weight, bias, 2, same_padding(INPUT_SIZE, 3, 2)))
    for number, block in enumerate(blocks()):
        path, name, before = f"_blocks.{number}.", f"block{number}", x
        if block.expand != 1:
            weight, bias = _folded(weights, f"{path}_expand_conv", f"{path}_bn0")
            x = graph.relu6(graph.conv(x, f"{name}.expand", weight, bias))
        weight, bias = _folded(weights, f"{path}_depthwise_conv", f"{path}_bn1")
        x = graph.relu6(graph.conv(x, f"{name}.depthwise", weight, bias, block.stride, block.padding))
        weight, bias = _folded(weights, f"{path}_project_conv", f"{path}_bn2")
        x = graph.conv(x, f"{name}.project", weight, bias)
        if block.has_skip:
            x = graph.node("Add", [before, x], f"{name}.sum")
    weight, bias = _folded(weights, "_conv_head", "_bn1")
    return graph.relu6(graph.conv(x, "top", weight, bias))


def _folded(weights: Mapping[str, NDArray[Any]], conv: str, norm: str) -> tuple[Array, Array]:
    """A convolution and the batch norm behind it as one convolution: w·γ/√(σ²+ε) and β − μ·γ/√(σ²+ε)."""
    scale = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + BATCH_NORM_EPSILON)
    weight = weights[f"{conv}.weight"] * scale[:, None, None, None]
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
    return weight.astype(np.float32), bias.astype(np.float32)


def _head(graph: _Graph, head: Head, maps: str) -> None:
    places = head.weight[:, :, None, None]
    weight = graph.constant("head.weight", head.weight)
    bias = graph.constant("head.bias", head.bias)
    if head.groups is None:
        graph.node("Gemm", ["features", weight, bias], "scores", transB=1)
        graph.conv(maps, "maps", places, head.bias)
        return
    rows = graph.node("Gemm", ["features", weight, bias], "rows", transB=1)
    row_maps = graph.conv(maps, "row_maps", places, head.bias)
    # Probabilities add where log-odds do not: score = log Σ exp(row) over the rows of a label.
    members = np.zeros((len(head.groups), head.labels), np.float32)
    members[np.arange(len(head.groups)), head.groups] = 1
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
