"""A backbone and its head as one torch module that learns: which blocks do, in which precision, and back to arrays."""

import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.architecture import LITES
from training.backbone import load_network
from training.backbones import CLASSIFIERS, LITE, Backbone
from training.errors import BadSettings
from training.graph import Head
from training.weights import Weights

ALL = "all"
_FASTER = 0.85
"""bf16 has to take less than this share of fp32's time: a measurement is never exact, and fp32 is."""


class Precision(StrEnum):
    """The numbers that the network computes in; parameters and sums are always float32."""

    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"

    @property
    def dtype(self) -> torch.dtype:
        return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[self.value]


class Trainable(nn.Module):
    """Pixels [N, 3, s, s] → scores [N, C]. Always in evaluation mode: its batch norms keep their statistics."""

    def __init__(self, backbone: Backbone, weights: Weights, head: Head, unfreeze: str) -> None:
        """`unfreeze` is how many of the last blocks learn, or "all". Raises BadSettings when there are fewer."""
        super().__init__()
        own = {name: value for name, value in weights.arrays.items() if name.split(".")[0] not in CLASSIFIERS}
        self._weights = Weights(own, f"{weights.words}, fine-tuned")
        self.network = load_network(backbone, self._weights)
        self.head = _head_module(head)
        self.eval()
        parameters = {_array_name(name): parameter for name, parameter in self.network.named_parameters()}
        learning = unfrozen(backbone, list(parameters), unfreeze)
        for name, parameter in parameters.items():
            parameter.requires_grad_(name in learning)

    def forward(self, pixels: Tensor) -> Tensor:
        features: Tensor = self.network(pixels)[0]
        scores: Tensor = self.head(features)
        return scores.float()

    def learning(self) -> dict[str, nn.Parameter]:
        """What the optimiser changes, by name; the order is always the same."""
        return {name: parameter for name, parameter in self.named_parameters() if parameter.requires_grad}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """A copy of what learns."""
        return {name: parameter.detach().cpu().numpy().copy() for name, parameter in self.learning().items()}

    def put(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Set what learns to `arrays`, which `arrays()` gave."""
        with torch.no_grad():
            for name, parameter in self.learning().items():
                parameter.copy_(torch.from_numpy(np.array(arrays[name])))

    def tuned(self) -> tuple[Weights, Head]:
        """The backbone's weights and the head as they are now."""
        changed = {
            _array_name(name.removeprefix("network.")): value
            for name, value in self.arrays().items()
            if name.startswith("network.")
        }
        layers = [module for module in self.head if isinstance(module, nn.Linear)]
        values = [value.detach().cpu().numpy().copy() for layer in layers for value in (layer.weight, layer.bias)]
        hidden = (values[0], values[1]) if len(layers) > 1 else (None, None)
        head = Head(values[-2], values[-1], None, *hidden)
        return Weights({**self._weights.arrays, **changed}, self._weights.words), head


def blocks(backbone: Backbone, names: list[str]) -> list[list[str]]:
    """The names of a backbone's parameters by block, in order; what lies between two blocks counts to the first.

    What lies before all blocks counts to the first one.
    For torchvision a block is a child of the network, or of a plain nn.Sequential in it, that has layers of its own.
    """
    prefixes = _block_prefixes(backbone)
    found: list[list[str]] = [[] for _ in prefixes]
    current = 0
    for name in names:
        current = next((k for k, prefix in enumerate(prefixes) if name.startswith(f"{prefix}.")), current)
        found[current].append(name)
    return found


def unfrozen(backbone: Backbone, names: list[str], unfreeze: str) -> set[str]:
    """Which of a backbone's parameters learn. Raises BadSettings when it has fewer blocks than `unfreeze` says."""
    if unfreeze == ALL:
        return set(names)
    found = blocks(backbone, names)
    count = int(unfreeze)
    if count > len(found):
        raise BadSettings(f"unfreeze is {count}, but {backbone.title} has {len(found)} blocks: give fewer, or all.")
    return {name for block in found[len(found) - count :] for name in block}


def choose_precision(
    model: Trainable,
    amp: str,
    device: torch.device,
    size: int,
    photos: int,
    clock: Callable[[], float] = time.perf_counter,
) -> Precision:
    """fp16 on a GPU; on a CPU bf16 if one step of `photos` photos of `size` pixels is measured clearly faster in it."""
    if amp == "off":
        return Precision.FP32
    if device.type == "cuda":
        return Precision.FP16
    pixels = torch.zeros(photos, 3, size, size).to(memory_format=torch.channels_last)

    def seconds(precision: Precision) -> float:
        began = clock()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision is Precision.BF16):
            scores = model(pixels)
        scores.sum().backward()
        return clock() - began

    # The first pass of each prepares its kernels.
    best = {precision: min(seconds(precision) for _ in range(3)) for precision in (Precision.FP32, Precision.BF16)}
    model.zero_grad()
    return Precision.BF16 if best[Precision.BF16] < _FASTER * best[Precision.FP32] else Precision.FP32


def _head_module(head: Head) -> nn.Sequential:
    layers: list[nn.Module] = []
    if head.hidden_weight is not None and head.hidden_bias is not None:
        layers += [_linear(head.hidden_weight, head.hidden_bias), nn.ReLU()]
    return nn.Sequential(*layers, _linear(head.weight, head.bias))


def _linear(weight: NDArray[np.float32], bias: NDArray[np.float32]) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(np.array(weight)))
        layer.bias.copy_(torch.from_numpy(np.array(bias)))
    return layer


def _array_name(parameter: str) -> str:
    """What a parameter of the network is called in the state dict: torchvision's are cut into a trunk."""
    return parameter.removeprefix("trunk.")


def _block_prefixes(backbone: Backbone) -> list[str]:
    if backbone.family == LITE:
        return [f"_blocks.{number}" for number in range(len(LITES[backbone.name].blocks()))]
    from training.torchvision_backbone import empty_network

    found: list[str] = []

    def descend(module: nn.Module, path: str) -> None:
        for name, child in module.named_children():
            below = f"{path}.{name}" if path else name
            if below in CLASSIFIERS:
                continue
            if type(child) is nn.Sequential:
                descend(child, below)
            elif next(child.children(), None) is not None:
                found.append(below)

    descend(empty_network(backbone), "")
    return found
