"""What turns pixels into features: ONNX Runtime in fp32 or int8, or torch; each with a name for the cache."""

import threading
from collections.abc import Callable
from typing import Any

from training import quantise
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
    if engine == "torch":
        if precision != FP32:
            raise BadSettings("int8 runs in ONNX Runtime only: choose engine=onnx, or precision=fp32.")
        return _torch(backbone, weights, _key(backbone, weights, precision, engine))
    if precision == INT8 and not quantise.supports(backbone.name):
        raise BadSettings(f"There is no int8 for {backbone.title}: choose precision=fp32.")

    def graph() -> bytes:
        model = build_model(backbone, weights, None)
        return bytes((quantise.quantised_model(model) if precision == INT8 else model).SerializeToString())

    return onnx_engine(graph, backbone, weights, precision, threads)


def onnx_engine(
    graph: Callable[[], bytes], backbone: Backbone, weights: Weights, precision: str, threads: int = 1
) -> Engine:
    """The backbone of a graph in that precision; whether a head is in the graph too does not matter.

    The graph is asked for with the first photo: where all features are known it is never needed.
    """
    extract = _Onnx(graph, has_imagenet(weights), threads)
    return Engine(extract, _BATCH, backbone.features, _key(backbone, weights, precision, "onnx"))


def _key(backbone: Backbone, weights: Weights, precision: str, engine: str) -> str:
    numbers = f"{precision}-{quantise.fingerprint(backbone.name)}" if precision == INT8 else precision
    return f"{backbone.name}-{weights.digest}-{numbers}-{engine}"


class _Onnx:
    """Pixels to features (and ImageNet's logits where the graph has them) in a session that the first call makes."""

    def __init__(self, graph: Callable[[], bytes], classifies: bool, threads: int) -> None:
        self._graph, self._threads = graph, threads
        self._names = ["features", "imagenet"] if classifies else ["features"]
        self._making = threading.Lock()
        self._session: Any = None

    def __call__(self, pixels: Array) -> tuple[Array, Array | None]:
        with self._making:
            if self._session is None:
                self._session = onnx_session(self._graph(), threads=self._threads)
        found = self._session.run(self._names, {"pixels": pixels})
        return found[0], found[1] if len(found) > 1 else None


def _torch(backbone: Backbone, weights: Weights, key: str) -> Engine:
    from training.backbone import load_network
    from training.torch_engine import BATCH, TorchEngine

    engine = TorchEngine.of(load_network(backbone, weights))
    # A GPU computes in half precision, so its features are not those of a CPU.
    return Engine(engine.features, BATCH, backbone.features, f"{key}-{engine.device.type}")
