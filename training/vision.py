"""torchvision on a torch without CUDA: the one place for a known mismatch of the two packages.

torchvision's wheel on PyPI is built for CUDA. On a CPU-only torch its compiled part does not load, and its import fails
with "operator torchvision::nms does not exist", because it describes two operators that nobody declared. Declared
first, without an implementation, transforms and models work; only the operators themselves (box suppression, which
Kennel does not use) are missing. Needed only where torchvision is: by its backbones, and by the benchmarks.
"""

import importlib
import sys
from types import ModuleType

_MISSING = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_declared: list[object] = []
"""Declarations live as long as their library object does."""


def import_torchvision() -> ModuleType:
    """torchvision, imported so that its transforms and models work. Raises ImportError when it is not installed."""
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    import torch

    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for schema in _MISSING:
        library.define(schema)  # type: ignore[no-untyped-call]
    _declared.append(library)
    return importlib.import_module("torchvision")
