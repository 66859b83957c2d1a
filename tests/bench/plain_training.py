"""The plain training loop that the reference projects wrote, corrected: what the benchmark measures training against.

`python -m tests.bench.plain_training DATA MODEL --backbone resnet50|lite0 [--epochs 1] [--replay 20]`

A frozen backbone and a two-layer head; every epoch decodes every photo at full size and runs the backbone again, then
does the same for validation; at the end for test. Corrected where the originals only wasted time by mistake: photos are
normalised, and validation and test keep no gradients. ResNet-50 has random weights, which take as long as trained ones.

Prints a line of JSON when the model is written: the seconds of each epoch and the accuracy on test. With --replay the
head is then trained once more on the features of the last epoch, which says how good more epochs of the same loop would
have made it without waiting for them; that time does not count, and its line of JSON comes second.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from training.backbone import load_backbone
from training.vision import import_torchvision

import_torchvision()
from torchvision import datasets, models, transforms  # noqa: E402 - only once it can be imported

BATCH = 64
Batches = Iterable[tuple[Tensor, Tensor]]


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


def plain_network(backbone: str, classes: int) -> nn.Sequential:
    """The frozen backbone and a two-layer head."""
    if backbone == "lite0":
        frozen: nn.Module = Lite0()
        features = 1280
    else:
        frozen = models.resnet50(weights=None)
        features = frozen.fc.in_features
        frozen.fc = nn.Identity()
    frozen.requires_grad_(False)
    return nn.Sequential(frozen, plain_head(features, classes))


def plain_head(features: int, classes: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(features, 256), nn.ReLU(), nn.Linear(256, classes))


def train_epoch(network: nn.Module, optimiser: torch.optim.Optimizer, batches: Batches) -> float:
    """One pass over the batches; returns the last loss."""
    criterion = nn.CrossEntropyLoss()
    for inputs, labels in batches:
        optimiser.zero_grad()
        loss = criterion(network(inputs), labels)
        loss.backward()
        optimiser.step()
    return float(loss.item())


def accuracy(network: nn.Module, batches: Batches) -> float:
    right = total = 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += int((network(inputs).argmax(dim=1) == labels).sum())
            total += len(labels)
    return right / total


class Kept(nn.Module):
    """The frozen backbone, keeping its last features for the replay."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.features: list[Tensor] = []

    def forward(self, pixels: Tensor) -> Tensor:
        features: Tensor = self.backbone(pixels)
        self.features.append(features.detach())
        return features


def replay(features: dict[str, tuple[Tensor, Tensor]], classes: int, epochs: int) -> dict[str, float]:
    """Accuracy on test after the first and the last of `epochs` epochs of the same loop, from kept features."""
    train_x, train_y = features["train"]
    head = plain_head(train_x.shape[1], classes)
    optimiser = torch.optim.Adam(head.parameters(), lr=0.001)
    reached = {}
    for epoch in range(1, epochs + 1):
        order = torch.randperm(len(train_y)).split(BATCH)
        train_epoch(head, optimiser, ((train_x[rows], train_y[rows]) for rows in order))
        if epoch in (1, epochs):
            reached[str(epoch)] = accuracy(head, [features["test"]])
    return reached


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--backbone", choices=["resnet50", "lite0"], default="resnet50")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--replay", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(0)
    transform = plain_transform(options.backbone == "lite0")
    sets = {split: datasets.ImageFolder(str(options.data / split), transform) for split in ("train", "valid", "test")}
    loaders = {split: DataLoader(found, batch_size=BATCH, shuffle=split == "train") for split, found in sets.items()}
    network = plain_network(options.backbone, len(sets["train"].classes))
    optimiser = torch.optim.Adam(network[1].parameters(), lr=0.001)
    network[0] = kept = Kept(network[0])
    network.eval()  # the backbone is frozen, its batch norms too
    seconds: list[float] = []
    labels: list[Tensor] = []
    for epoch in range(1, options.epochs + 1):
        began = time.perf_counter()
        kept.features.clear()
        labels = []
        loss = train_epoch(network, optimiser, _noting(loaders["train"], labels))
        train = torch.cat(kept.features), torch.cat(labels)
        valid = accuracy(network, loaders["valid"])
        seconds.append(time.perf_counter() - began)
        print(f"epoch {epoch}: train loss {loss:.3f}, valid accuracy {valid:.3f}", file=sys.stderr, flush=True)
    kept.features.clear()
    labels = []
    test = accuracy(network, _noting(loaders["test"], labels))
    torch.save(network.state_dict(), options.model)
    print(json.dumps({"epoch_seconds": seconds, "test_accuracy": test}), flush=True)
    if options.replay:
        features = {"train": train, "test": (torch.cat(kept.features), torch.cat(labels))}
        print(json.dumps(replay(features, len(sets["train"].classes), options.replay)), flush=True)


def _noting(batches: Batches, labels: list[Tensor]) -> Batches:
    """The batches as they are, their labels put down in the order in which they came."""
    for inputs, wanted in batches:
        labels.append(wanted)
        yield inputs, wanted


if __name__ == "__main__":
    main()
