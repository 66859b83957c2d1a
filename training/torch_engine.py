"""The same network run by torch: for a GPU, and to check ONNX Runtime against."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
from torch import Tensor

from training.backbone import Backbone, load_backbone
from training.graph import Head, read_head
from training.inference import Array, BadModel, Model, Outputs, load_model

BATCH = 16
"""Photos in one call: enough to fill a GPU's smaller kernels, few enough for a laptop's memory."""


@dataclass(frozen=True)
class TorchEngine:
    """The frozen backbone on one device; mixed precision where that device is a GPU."""

    backbone: Backbone
    device: torch.device

    def features(self, pixels: Array) -> tuple[Array, Array]:
        """[N, 3, 224, 224] → (features [N, 1280], imagenet logits [N, 1000]), both float32."""
        on_gpu = self.device.type == "cuda"
        with torch.inference_mode(), torch.autocast(self.device.type, dtype=torch.float16, enabled=on_gpu):
            batch = torch.from_numpy(pixels).to(self.device, non_blocking=on_gpu)
            features, _, imagenet = self.backbone(batch)
        return features.float().cpu().numpy(), imagenet.float().cpu().numpy()


def default_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def torch_engine(device: torch.device | None = None) -> TorchEngine:
    device = device or default_device()
    return TorchEngine(load_backbone().to(device), device)


def load_torch_model(directory: Path, device: torch.device | None = None) -> Model:
    """A model folder with torch in the place of ONNX Runtime; the head is read from model.onnx. Raises BadModel."""
    model = load_model(directory)
    engine = torch_engine(device)
    try:
        score = _scorer(read_head(onnx.load(directory / "model.onnx")))
    except KeyError as error:
        raise BadModel(f"{directory / 'model.onnx'} has no head that torch can run: use --engine onnx.") from error

    def run(pixels: Array) -> Outputs:
        features, imagenet = engine.features(pixels)
        return Outputs(score(torch.from_numpy(features)).numpy(), imagenet)

    return Model(model.labels, model.preprocessing, model.card, run)


def _scorer(head: Head) -> Callable[[Tensor], Tensor]:
    weight, bias = torch.from_numpy(head.weight.copy()), torch.from_numpy(head.bias.copy())
    groups = None if head.groups is None else torch.tensor(head.groups)

    def score(features: Tensor) -> Tensor:
        rows = features @ weight.T + bias
        if groups is None:
            return rows
        members = [rows[:, groups == label].logsumexp(dim=1) for label in range(head.labels)]
        return torch.stack(members, dim=1)

    return score
