"""The plain training loop that the reference projects wrote, corrected: what the benchmark measures training against.

`python -m tests.bench.plain_training DATA MODEL --backbone resnet50|lite0 [--epochs 1]`

A frozen backbone and a two-layer head; every epoch decodes every photo at full size and runs the backbone again, then
does the same for validation; at the end for test. Corrected where the originals only wasted time by mistake: photos are
normalised, and validation and test keep no gradients. ResNet-50 has random weights, which take as long as trained ones.
"""

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from training.backbone import load_backbone
from training.vision import import_torchvision

import_torchvision()
from torchvision import datasets, models, transforms  # noqa: E402 - only once it can be imported


class Lite0(nn.Module):
    """Our backbone's features, as a plain torch module."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = load_backbone()

    def forward(self, pixels: Tensor) -> Tensor:
        features: Tensor = self.backbone(pixels)[0]
        return features


def plain_transform(lite0: bool) -> transforms.Compose:
    mean, std = ((127 / 255,) * 3, (128 / 255,) * 3) if lite0 else ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    steps = [transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(), transforms.Normalize(mean, std)]
    return transforms.Compose(steps)


def plain_network(backbone: str, classes: int) -> nn.Module:
    """The frozen backbone and a two-layer head."""
    if backbone == "lite0":
        frozen: nn.Module = Lite0()
        features = 1280
    else:
        frozen = models.resnet50(weights=None)
        features = frozen.fc.in_features
        frozen.fc = nn.Identity()
    frozen.requires_grad_(False)
    head = nn.Sequential(nn.Linear(features, 256), nn.ReLU(), nn.Linear(256, classes))
    return nn.Sequential(frozen, head)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--backbone", choices=["resnet50", "lite0"], default="resnet50")
    parser.add_argument("--epochs", type=int, default=1)
    options = parser.parse_args()
    transform = plain_transform(options.backbone == "lite0")
    sets = {split: datasets.ImageFolder(str(options.data / split), transform) for split in ("train", "valid", "test")}
    loaders = {split: DataLoader(found, batch_size=64, shuffle=split == "train") for split, found in sets.items()}
    network = plain_network(options.backbone, len(sets["train"].classes))
    optimiser = torch.optim.Adam(network[1].parameters(), lr=0.001)
    criterion = nn.CrossEntropyLoss()
    network.eval()  # the backbone is frozen, its batch norms too
    for epoch in range(options.epochs):
        for pixels, labels in loaders["train"]:
            optimiser.zero_grad()
            loss = criterion(network(pixels), labels)
            loss.backward()
            optimiser.step()
        print(f"epoch {epoch + 1}: train loss {loss.item():.3f}, valid accuracy {accuracy(network, loaders['valid'])}")
    print(f"test accuracy {accuracy(network, loaders['test'])}")
    torch.save(network.state_dict(), options.model)


def accuracy(network: nn.Module, loader: DataLoader[tuple[Tensor, Tensor]]) -> float:
    right = 0
    with torch.no_grad():
        for pixels, labels in loader:
            right += int((network(pixels).argmax(dim=1) == labels).sum())
    return right / len(loader.dataset)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
