"""The same network run by torch: for a GPU, and to check ONNX Runtime against."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from training.architecture import LITE0, LITES
from training.backbone import lite_network
from training.graph import Head, read_head, read_weights
from training.inference import Array, BadModel, Model, Outputs, load_model
from training.weights import packaged_weights

BATCH = 16
"""Photos in one call: enough to fill a GPU's smaller kernels, few enough for a laptop's memory."""


@dataclass(frozen=True)
class TorchEngine:
    """The frozen backbone on one device; mixed precision where that device is a GPU."""

    backbone: nn.Module
    device: torch.device

    @classmethod
    def of(cls, network: nn.Module, device: torch.device | None = None) -> "TorchEngine":
        """Takes a network over: frozen, on the device, in the order of memory that convolutions like best."""
        device = device or default_device()
        network.requires_grad_(False)
        return cls(network.to(device, memory_format=torch.channels_last).eval(), device)  # type: ignore[call-overload]

    def features(self, pixels: Array) -> tuple[Array, Array | None]:
        """[N, 3, h, w] → (features [N, D], imagenet logits [N, 1000] or None), float32."""
        on_gpu = self.device.type == "cuda"
        with torch.inference_mode(), torch.autocast(self.device.type, dtype=torch.float16, enabled=on_gpu):
            batch = torch.from_numpy(pixels).to(self.device, non_blocking=on_gpu, memory_format=torch.channels_last)
            features, _, imagenet = self.backbone(batch)
        return features.float().cpu().numpy(), None if imagenet is None else imagenet.float().cpu().numpy()


def default_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def torch_engine(device: torch.device | None = None) -> TorchEngine:
    """EfficientNet-Lite0 with the packaged weights."""
    return TorchEngine.of(lite_network(LITE0, packaged_weights()), device)


def load_torch_model(directory: Path, device: torch.device | None = None) -> Model:
    """A model folder with torch in the place of ONNX Runtime; backbone and head are read from model.onnx.

    Raises BadModel, also for a backbone that is only kept as an ONNX graph.
    """
    model = load_model(directory, precision="fp32")
    graph = onnx.load(directory / "model.onnx")
    if graph.graph.name not in LITES:
        raise BadModel(f"{directory / 'model.onnx'} has a backbone that is not rebuilt in torch: use --engine onnx.")
    try:
        score = scorer(read_head(graph))
        network = lite_network(LITES[graph.graph.name], read_weights(graph))
    except KeyError as error:
        raise BadModel(f"{directory / 'model.onnx'} has no head that torch can run: use --engine onnx.") from error
    engine = TorchEngine.of(network, device)

    def run(pixels: Array) -> Outputs:
        features, imagenet = engine.features(pixels)
        return Outputs(score(torch.from_numpy(features)).numpy(), imagenet)

    return Model(model.labels, model.preprocessing, model.card, run)


def scorer(head: Head) -> Callable[[Tensor], Tensor]:
    """Any head in torch, on the CPU: features [N, D] → scores [N, C]."""
    weight, bias = torch.from_numpy(head.weight.copy()), torch.from_numpy(head.bias.copy())
    groups = None if head.groups is None else torch.tensor(head.groups)
    hidden = None
    if head.hidden_weight is not None and head.hidden_bias is not None:
        hidden = torch.from_numpy(head.hidden_weight.copy()), torch.from_numpy(head.hidden_bias.copy())

    def score(features: Tensor) -> Tensor:
        seen = features if hidden is None else torch.relu(features @ hidden[0].T + hidden[1])
        rows = seen @ weight.T + bias
        if groups is None:
            return rows
        members = [rows[:, groups == label].logsumexp(dim=1) for label in range(head.labels)]
        return torch.stack(members, dim=1)

    return score
