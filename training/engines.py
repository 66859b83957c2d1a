"""What turns pixels into features: ONNX Runtime in fp32 or int8, or torch; each with a name for the cache."""

from collections.abc import Callable
from typing import Any

from training.backbones import Backbone, build_model, has_imagenet
from training.errors import BadSettings
from training.features import Engine
from training.inference import Array, onnx_session
from training.weights import Weights

FP32, INT8 = "fp32", "int8"
_BATCH = 4
"""Pictures in one call of ONNX Runtime: a sixth faster than one by one in int8; more of them gain nothing."""


def build_engine(backbone: Backbone, weights: Weights, engine: str, precision: str, threads: int = 1) -> Engine:
    """The frozen backbone, ready to run.

    `engine` is onnx or torch, `precision` fp32 or int8 (with onnx only). `threads` are those of one call: the calls
    themselves are parallel. Raises BadSettings where the backbone has no int8.
    """
    key = f"{backbone.name}-{weights.digest}-{precision}-{engine}"
    if engine == "torch":
        if precision != FP32:
            raise BadSettings("int8 runs in ONNX Runtime only: choose engine=onnx, or precision=fp32.")
        return _torch(backbone, weights, key)
    model = build_model(backbone, weights, None)
    if precision == INT8:
        from training.quantise import quantised_model, supports

        if not supports(backbone.name):
            raise BadSettings(f"There is no int8 for {backbone.title}: choose precision=fp32.")
        model = quantised_model(model)
    extract = _onnx(model.SerializeToString(), has_imagenet(weights), threads)
    return Engine(extract, _BATCH, backbone.features, key)


def _onnx(graph: bytes, classifies: bool, threads: int) -> Callable[[Array], tuple[Array, Array | None]]:
    session: Any = onnx_session(graph, threads=threads)
    names = ["features", "imagenet"] if classifies else ["features"]

    def extract(pixels: Array) -> tuple[Array, Array | None]:
        found = session.run(names, {"pixels": pixels})
        return found[0], found[1] if classifies else None

    return extract


def _torch(backbone: Backbone, weights: Weights, key: str) -> Engine:
    from training.backbone import load_network
    from training.torch_engine import BATCH, TorchEngine

    return Engine(TorchEngine.of(load_network(backbone, weights)).features, BATCH, backbone.features, key)
