"""A Lite backbone in INT8: half the time of a photo, the same answers on all but border cases.

`python -m training.quantise measure` measures the ranges of the activations again, on drawn pictures, and writes
quantise.json beside this file.

Weights become 8-bit numbers with a scale for each output channel, chosen so that no two neighbours overflow where a
processor without VNNI adds two products in 16 bits: a model must answer the same wherever it is served. Activations
become 8-bit numbers with one scale for each tensor, from the ranges; after ReLU6 the clipping costs nothing, because
the range ends where it does. The features, the head and its maps stay in fp32. The nodes are written directly: the
library's own quantiser writes the same operators in thirty times the time.
"""

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from PIL import Image

from training.inference import onnx_session
from training.preprocessing import Preprocessing

Ranges = Mapping[str, tuple[float, float]]
"""Tensor → lowest and highest value."""
RANGES_FILE = Path(__file__).with_name("quantise.json")
_MOST = 127
_PAIR = 128
"""Two weights' sum, times the largest activation of 255, that still fits in 16 bits."""
_MARGIN = 1.25
_PICTURES = 12
_CONTRIB = "com.microsoft"


@cache
def _ranges() -> dict[str, Ranges]:
    found = json.loads(RANGES_FILE.read_text(encoding="utf-8"))
    return {name: {tensor: (low, high) for tensor, (low, high) in some.items()} for name, some in found.items()}


def supports(backbone: str) -> bool:
    """Whether the activations of this backbone have been measured."""
    return backbone in _ranges()


def fingerprint(backbone: str) -> str:
    """Names the ranges of a backbone: with other ones its features in INT8 are others."""
    return hashlib.sha256(json.dumps(_ranges()[backbone], sort_keys=True).encode()).hexdigest()[:16]


def quantised(model: bytes) -> bytes:
    """An fp32 graph of training.graph in INT8, with the same inputs and outputs; takes about 0.1 s.

    Raises KeyError for a backbone that is not supported.
    """
    return bytes(quantised_model(onnx.load_from_string(model)).SerializeToString())


def quantised_model(model: Any, ranges: Ranges | None = None) -> Any:
    """The same for an onnx.ModelProto, which is left as it was; `ranges` are those of its backbone unless given."""
    ranges = _ranges()[model.graph.name] if ranges is None else ranges
    work = _Work(ranges, {tensor.name: tensor for tensor in model.graph.initializer}, _consumers(model))
    for node in model.graph.node:
        work.take(node)
    for output in model.graph.output:
        work.as_float(output.name)
    used = {name for node in work.nodes for name in node.input}
    constants = [tensor for name, tensor in work.constants.items() if name in used]
    graph = helper.make_graph(
        work.nodes, model.graph.name, list(model.graph.input), list(model.graph.output), initializer=constants
    )
    opsets = [*model.opset_import, helper.make_opsetid(_CONTRIB, 1)]
    return helper.make_model(
        graph, opset_imports=opsets, ir_version=model.ir_version, producer_name=model.producer_name
    )


def _consumers(model: Any) -> Counter[str]:
    return Counter(name for node in model.graph.node for name in node.input)


@dataclass
class _Work:
    """Takes the nodes of an fp32 graph in their order and writes those of the INT8 graph."""

    ranges: Ranges
    constants: dict[str, Any]
    consumers: Counter[str]
    nodes: list[Any] = field(default_factory=list)
    held: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """fp32 tensor → its 8-bit tensor, scale and zero point"""
    floats: set[str] = field(default_factory=set)
    """8-bit tensors that were also turned back to fp32"""
    waiting: dict[str, Any] = field(default_factory=dict)
    """A convolution's output → that convolution, when a Clip follows and the two become one"""

    def take(self, node: Any) -> None:
        output = node.output[0]
        if node.op_type == "Conv" and node.input[0] == "pixels":
            self._stem(node)
        elif node.op_type == "Conv" and node.input[0] in self.held:
            clipped = f"{output}.relu6"
            if clipped in self.ranges and self.consumers[output] == 1:
                self.waiting[output] = node
            elif output in self.ranges:
                self._convolution(node, output)
            else:
                self._copy(node)
        elif node.op_type == "Clip" and node.input[0] in self.waiting:
            self._convolution(self.waiting.pop(node.input[0]), output)
        elif node.op_type == "Add" and output in self.ranges and all(name in self.held for name in node.input):
            a, b = (self.held[name] for name in node.input)
            self._node("QLinearAdd", [*a, *b, *self._scaled(output)], f"{output}.q", domain=_CONTRIB)
            self._hold(output)
        elif node.op_type == "Gemm" and output == "imagenet" and node.input[0] in self.ranges:
            self._classifier(node)
        else:
            self._copy(node)

    def as_float(self, name: str) -> None:
        if name in self.held and name not in self.floats:
            self.floats.add(name)
            self.nodes.append(helper.make_node("DequantizeLinear", list(self.held[name]), [name], name=name))

    def _hold(self, name: str) -> None:
        self.held[name] = (f"{name}.q", *self._scaled(name))

    def _scaled(self, name: str) -> tuple[str, str]:
        """Scale and zero point of a tensor; zero itself is always one of the 256 values."""
        low, high = min(self.ranges[name][0], 0.0), max(self.ranges[name][1], 0.0)
        scale = np.float32((high - low) / 255 or 1.0)
        zero = np.uint8(np.clip(round(-low / float(scale)), 0, 255))
        return self._constant(f"{name}.scale", scale), self._constant(f"{name}.zero", zero)

    def _stem(self, node: Any) -> None:
        """The first convolution, of three colours: 3 × 3 with stride 2 is 2 × 2 over blocks of 2 × 2 pixels.

        Twelve values side by side instead of three are read in half the time; the sums are the same.
        """
        weight = numpy_helper.to_array(self.constants[node.input[1]])
        pads = next(list(attribute.ints) for attribute in node.attribute if attribute.name == "pads")
        if weight.shape[2:] != (3, 3) or pads != [0, 0, 1, 1]:
            raise ValueError(f"{node.name} is not the first convolution of a Lite of even size")
        outputs, colours = weight.shape[:2]
        taps = np.zeros((outputs, colours, 4, 4), np.float32)
        taps[:, :, :3, :3] = weight
        # [row of blocks, row in a block, column of blocks, column in a block]; a block's colours come last.
        blocks = taps.reshape(outputs, colours, 2, 2, 2, 2).transpose(0, 3, 5, 1, 2, 4).reshape(outputs, -1, 2, 2)
        self._node("SpaceToDepth", ["pixels"], "pixels.blocks", blocksize=2)
        scaled = self._scaled("pixels")
        self._node("QuantizeLinear", ["pixels.blocks", *scaled], "pixels.q")
        self.held["pixels"] = ("pixels.q", *scaled)
        made = helper.make_node(
            "Conv",
            ["pixels", self._constant(f"{node.name}.blocks", blocks), node.input[2]],
            list(node.output),
            name=node.name,
            kernel_shape=[2, 2],
            pads=[0, 0, 1, 1],
        )
        self.waiting[node.output[0]] = made

    def _convolution(self, node: Any, output: str) -> None:
        x, x_scale, x_zero = self.held[node.input[0]]
        weight, scales = _whole(numpy_helper.to_array(self.constants[node.input[1]]))
        bias = numpy_helper.to_array(self.constants[node.input[2]])
        per_unit = scales.astype(np.float64) * float(numpy_helper.to_array(self.constants[x_scale]))
        bias = np.clip(np.rint(bias / per_unit), -(2**31), 2**31 - 1).astype(np.int32)
        name = node.name
        inputs = [
            x, x_scale, x_zero,
            self._constant(f"{name}.weight.q", weight),
            self._constant(f"{name}.weight.scale", scales),
            self._constant(f"{name}.weight.zero", np.zeros(len(scales), np.int8)),
            *self._scaled(output),
            self._constant(f"{name}.bias.q", bias),
        ]  # fmt: skip
        made = helper.make_node("QLinearConv", inputs, [f"{output}.q"], name=name)
        made.attribute.extend(node.attribute)
        self.nodes.append(made)
        self._hold(output)

    def _classifier(self, node: Any) -> None:
        """A quarter of all weights. One scale for all photos, so that none changes the answer to another."""
        weight, scales = _whole(numpy_helper.to_array(self.constants[node.input[1]]))
        features = node.input[0]
        self.as_float(features)
        scaled = self._scaled(features)
        self._node("QuantizeLinear", [features, *scaled], f"{features}.q")
        inputs = [
            f"{features}.q",
            self._constant("imagenet.weight.q", weight.T),
            scaled[0],
            self._constant("imagenet.weight.scale", scales),
            scaled[1],
            self._constant("imagenet.weight.zero", np.zeros(len(scales), np.int8)),
            node.input[2],
        ]
        self._node("MatMulIntegerToFloat", inputs, node.output[0], domain=_CONTRIB)

    def _copy(self, node: Any) -> None:
        for name in node.input:
            self.as_float(name)
        self.nodes.append(node)

    def _node(self, kind: str, inputs: Sequence[str], output: str, domain: str = "", **attributes: Any) -> None:
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=output, domain=domain, **attributes))

    def _constant(self, name: str, value: NDArray[Any] | np.generic) -> str:
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.array(value, order="C"), name)
        return name


def _whole(weight: NDArray[Any]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Weights [K, …] as whole numbers within ±127 and the scale of each output channel: weight ≈ whole · scale.

    Products are added in pairs of neighbours, in the order in which a convolution over pictures with the colours last
    reads them; two neighbours of one sign stay below _PAIR together. A depthwise kernel is not added in pairs.
    """
    ordered = weight.reshape(len(weight), -1) if weight.ndim < 4 else np.moveaxis(weight, 1, 3).reshape(len(weight), -1)
    scales = np.abs(ordered).max(axis=1) / _MOST
    if weight.ndim < 4 or weight.shape[1] > 1:
        for sign in (1, -1):
            one_sign = np.maximum(sign * ordered, 0)
            # Each of the two is rounded, by half at most.
            scales = np.maximum(scales, (one_sign[:, 1:] + one_sign[:, :-1]).max(axis=1, initial=0) / (_PAIR - 1))
    scales = np.maximum(scales, 1e-8).astype(np.float32)
    whole = np.rint(weight / scales.reshape(-1, *[1] * (weight.ndim - 1))).astype(np.int8)
    return whole, scales


def measure(model: Any, preprocessing: Preprocessing, photos: Iterable[Image.Image]) -> dict[str, tuple[float, float]]:
    """The range of every tensor that may become 8 bits, over RGB pictures; drawn ones are less varied than photos, so
    whatever no ReLU6 bounds gets a margin.
    """
    clipped = {node.input[0] for node in model.graph.node if node.op_type == "Clip"}
    bounded = {node.output[0] for node in model.graph.node if node.op_type == "Clip"}
    watched = [node.output[0] for node in model.graph.node if node.op_type in ("Conv", "Clip", "Add")]
    watched = [name for name in watched if name not in clipped] + ["features"]
    seen = onnx.ModelProto()
    seen.CopyFrom(model)
    del seen.graph.output[:]
    seen.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in watched)
    session = onnx_session(seen.SerializeToString())
    lows, highs = np.zeros(len(watched)), np.zeros(len(watched))
    for photo in photos:
        values = session.run(watched, {"pixels": preprocessing.pixels(photo)[None]})
        lows = np.minimum(lows, [value.min() for value in values])
        highs = np.maximum(highs, [value.max() for value in values])
    found = {"pixels": _pixels(preprocessing)}
    for name, low, high in zip(watched, lows, highs, strict=True):
        margin = 1.0 if name in bounded else _MARGIN
        found[name] = (round(float(low) * margin, 2), round(float(high) * margin, 2))
    return found


def _pixels(preprocessing: Preprocessing) -> tuple[float, float]:
    """What bytes 0 and 255 become: with one mean and one scale for all colours every byte keeps a value of its own."""
    extremes = [preprocessing.values(Image.new("RGB", (1, 1), (value, value, value))) for value in (0, 255)]
    return float(extremes[0].min()), float(extremes[1].max())


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training.quantise", description=__doc__)
    parser.add_argument("what", choices=["measure"], help="measure the activations' ranges again")
    parser.add_argument("--out", type=Path, default=RANGES_FILE, help="where they go (default: beside the program)")
    parser.add_argument("--pictures", type=int, default=_PICTURES, help="of each breed (default: %(default)s)")
    options = parser.parse_args(arguments)
    from training import backbones
    from training.sample_data import BREEDS, draw_dog

    pictures = [draw_dog(breed, seed, 400) for breed in BREEDS for seed in range(options.pictures)]
    found = {}
    for backbone in backbones.BACKBONES.values():
        if backbone.family == backbones.LITE:
            model = backbones.build_model(backbone, backbones.load_weights(backbone, "", Path()), None)
            found[backbone.name] = measure(model, backbone.preprocessing, pictures)
    options.out.write_text(_as_json(found), encoding="utf-8")
    sys.stdout.write(f"{options.out}: {', '.join(found)}, {len(pictures)} drawn pictures\n")
    return 0


def _as_json(found: Mapping[str, Ranges]) -> str:
    """One line a tensor."""
    blocks = []
    for name, ranges in found.items():
        lines = ",\n".join(f"  {json.dumps(tensor)}: {json.dumps(ends)}" for tensor, ends in ranges.items())
        blocks.append(f" {json.dumps(name)}: {{\n{lines}\n }}")
    return "{\n" + ",\n".join(blocks) + "\n}\n"


if __name__ == "__main__":
    sys.exit(main())
