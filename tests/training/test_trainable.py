"""What learns in fine-tuning: the last blocks of any backbone, in the precision that was measured to be worth it."""

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch

from training.architecture import LITE0
from training.backbone import LiteNetwork
from training.backbones import _torchvision, get, load_weights
from training.errors import BadSettings
from training.graph import Head
from training.torchvision_backbone import empty_network
from training.trainable import Precision, Trainable, blocks, choose_precision, unfrozen


def names_of(network: torch.nn.Module) -> list[str]:
    return [name for name, _ in network.named_parameters() if name.split(".")[0] not in ("_fc", "fc", "classifier")]


@pytest.fixture(scope="module")
def lite() -> list[str]:
    with torch.device("meta"):
        return names_of(LiteNetwork(LITE0))


@pytest.fixture(scope="module")
def resnet() -> list[str]:
    return names_of(empty_network(get("resnet50")))


def test_the_last_blocks_learn_with_what_lies_behind_them(lite: list[str], resnet: list[str]) -> None:
    assert {name.split(".")[0] for name in unfrozen(get("efficientnet_lite0"), lite, "1")} == {
        "_blocks", "_conv_head", "_bn1",
    }  # fmt: skip
    last = unfrozen(get("resnet50"), resnet, "1")
    assert {name.rpartition(".conv")[0] or name.rpartition(".bn")[0] for name in last} == {"layer4.2"}
    assert {name.split(".")[0] for name in unfrozen(get("resnet50"), resnet, "3")} == {"layer4"}
    assert unfrozen(get("resnet50"), resnet, "0") == set()


def test_all_means_all(lite: list[str], resnet: list[str]) -> None:
    for name, names, count in (("efficientnet_lite0", lite, 16), ("resnet50", resnet, 16)):
        found = blocks(get(name), names)
        assert len(found) == count
        assert list(chain.from_iterable(found)) == names
        assert unfrozen(get(name), names, "all") == unfrozen(get(name), names, str(count)) == set(names)
        with pytest.raises(BadSettings, match=f"unfreeze is 17, but .* has {count} blocks"):
            unfrozen(get(name), names, "17")


@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet_b0", "densenet121", "regnet_y_400mf"])
def test_other_networks_of_torchvision_have_blocks_too(name: str) -> None:
    backbone = _torchvision(name, name, 1)
    names = names_of(empty_network(backbone))
    found = blocks(backbone, names)
    assert 4 <= len(found) <= 30
    assert all(found)
    assert list(chain.from_iterable(found)) == names


@pytest.fixture(scope="module")
def model() -> Trainable:
    backbone = get("efficientnet_lite0")
    head = Head(np.zeros((2, 1280), np.float32), np.zeros(2, np.float32))
    return Trainable(backbone, load_weights(backbone, "", Path()), head, "1")


def clock(*seconds: float) -> Callable[[], float]:
    """A clock on which the passes take these seconds: first those in fp32, then those in bf16."""

    def readings() -> Iterator[float]:
        now = 0.0
        for duration in seconds:
            yield now
            now += duration
            yield now

    return readings().__next__


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ((9.0, 1.0, 1.0, 9.0, 0.5, 0.5), Precision.BF16),
        ((9.0, 1.0, 1.0, 9.0, 0.9, 0.9), Precision.FP32),
        ((1.0, 1.0, 1.0, 1.5, 1.5, 1.5), Precision.FP32),
    ],
)
def test_bf16_is_used_only_where_it_is_clearly_faster(
    model: Trainable, seconds: tuple[float, ...], expected: Precision
) -> None:
    """The first pass of each prepares its kernels and does not count."""
    assert choose_precision(model, "auto", torch.device("cpu"), 224, 1, clock(*seconds)) is expected
    assert all(parameter.grad is None or not parameter.grad.any() for parameter in model.parameters())


def test_without_amp_nothing_is_measured(model: Trainable) -> None:
    assert choose_precision(model, "off", torch.device("cpu"), 224, 1, clock()) is Precision.FP32
    assert choose_precision(model, "auto", torch.device("cuda"), 224, 1, clock()) is Precision.FP16


def test_what_learns_can_be_taken_out_and_put_back(model: Trainable) -> None:
    before = model.arrays()
    with torch.no_grad():
        for parameter in model.learning().values():
            parameter.add_(1)
    assert not np.array_equal(model.arrays()["head.0.weight"], before["head.0.weight"])
    model.put(before)
    for name, value in model.arrays().items():
        assert np.array_equal(value, before[name])
