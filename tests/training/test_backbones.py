"""The table of backbones: what is known, what a new line in it is enough for, and the graphs that come of it."""

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import numpy as np
import onnx
import pytest
import torch

from tests.training.conftest import THREE_BREEDS
from training import backbones
from training.architecture import LITES
from training.backbone import load_network
from training.backbones import BACKBONES, Backbone, build_model, get, has_imagenet, imagenet_head, load_weights
from training.breeds import same_breed
from training.data import scan
from training.distributed import ALONE
from training.engines import build_engine
from training.errors import BadSettings
from training.features import extract_features
from training.fine_tune import fine_tune
from training.graph import Head
from training.head import Epoch, Score
from training.inference import Array, onnx_session
from training.model import starter_head
from training.sample_data import write_dataset
from training.settings import Settings
from training.vision import import_torchvision

Photos = list[tuple[Path, str, bool]]
NEW_LINE = "mobilenet_v3_large", "MobileNetV3-Large", 960


@pytest.fixture(scope="module")
def mobilenet() -> Iterator[Backbone]:
    """One more backbone of torchvision: the table with one line more."""
    line = backbones._torchvision(*NEW_LINE)
    known = backbones.BACKBONES
    backbones.BACKBONES = MappingProxyType({**known, line.name: line})
    yield get(line.name)
    backbones.BACKBONES = known


@pytest.fixture(scope="module")
def random_weights(mobilenet: Backbone, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A file of each network's state dict, with random weights."""
    import_torchvision()
    from torchvision import models

    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    for name in ("resnet50", mobilenet.name):
        torch.save(models.get_model(name, weights=None).state_dict(), folder / f"{name}.pth")
    return {path.stem: path for path in folder.iterdir()}


def pixels(backbone: Backbone, count: int = 2) -> Array:
    size = backbone.input_size
    return np.random.default_rng(1).normal(size=(count, 3, size, size)).astype(np.float32)


def random_head(backbone: Backbone, classes: int = 4) -> Head:
    chance = np.random.default_rng(2)
    weight = chance.normal(size=(classes, backbone.features)).astype(np.float32) * 0.1
    return Head(weight, chance.normal(size=classes).astype(np.float32))


def test_an_unknown_backbone_names_the_known_ones() -> None:
    with pytest.raises(BadSettings, match="choose efficientnet_lite0, efficientnet_lite2, resnet50"):
        get("resnet51")
    assert list(BACKBONES) == ["efficientnet_lite0", "efficientnet_lite2", "resnet50"]


@pytest.mark.parametrize("name", ["efficientnet_lite2", "resnet50"])
def test_the_graph_agrees_with_torch_and_its_maps_with_its_scores(
    name: str, random_weights: dict[str, Path], tmp_path: Path
) -> None:
    backbone = get(name)
    weights = load_weights(backbone, str(random_weights.get(name, "")), tmp_path)
    head = random_head(backbone)
    model = build_model(backbone, weights, head)
    onnx.checker.check_model(model, full_check=True)
    assert (model.ir_version, [(o.domain, o.version) for o in model.opset_import]) == (8, [("", 17)])
    session = onnx_session(model.SerializeToString())
    names = [output.name for output in session.get_outputs()]
    assert names == ["scores", "features", "maps", "imagenet"]
    seen = pixels(backbone)
    found = dict(zip(names, session.run(names, {"pixels": seen}), strict=True))
    with torch.inference_mode():
        features, maps, imagenet = load_network(backbone, weights)(torch.from_numpy(seen))
    for ours, theirs in ((found["features"], features), (found["imagenet"], imagenet)):
        assert np.abs(ours - theirs.numpy()).max() <= 1e-3 * np.abs(theirs.numpy()).max()
    expected = features.numpy() @ head.weight.T + head.bias
    scale = np.abs(expected).max()
    assert np.abs(found["scores"] - expected).max() <= 1e-3 * scale
    assert found["maps"].shape[2:] == tuple(maps.shape[2:])
    assert np.abs(found["maps"].mean(axis=(2, 3)) - found["scores"]).max() <= 1e-3 * scale


def test_torchvisions_own_network_gives_the_same_logits(random_weights: dict[str, Path], tmp_path: Path) -> None:
    from torchvision import models

    for name in ("resnet50", NEW_LINE[0]):
        with torch.device("meta"):
            theirs = models.get_model(name, weights=None).eval()
        theirs.load_state_dict(torch.load(random_weights[name], weights_only=True), assign=True)
        backbone = get(name)
        ours = load_network(backbone, load_weights(backbone, str(random_weights[name]), tmp_path))
        seen = torch.from_numpy(pixels(backbone))
        with torch.inference_mode():
            assert torch.allclose(ours(seen)[2], theirs(seen), rtol=1e-4, atol=1e-6)


def test_a_warm_start_needs_one_layer_behind_the_features(random_weights: dict[str, Path], tmp_path: Path) -> None:
    found = {}
    for name in ("efficientnet_lite0", "efficientnet_lite2", "resnet50", NEW_LINE[0]):
        backbone = get(name)
        weights = load_weights(backbone, str(random_weights.get(name, "")), tmp_path)
        assert has_imagenet(weights)
        head = imagenet_head(backbone, weights)
        found[name] = head and head[0].shape
    assert found == {
        "efficientnet_lite0": (1000, 1280),
        "efficientnet_lite2": (1000, 1280),
        "resnet50": (1000, 2048),
        "mobilenet_v3_large": None,
    }


def test_one_line_is_enough_to_train_on_another_network(
    mobilenet: Backbone, random_weights: dict[str, Path], tmp_path: Path
) -> None:
    """From photos to features, through a step of fine-tuning, to a graph that gives the tuned scores."""
    write_dataset(tmp_path / "dogs", photos_per_breed=4, seed=1, size=200, breeds=THREE_BREEDS)
    dataset = scan(tmp_path / "dogs")
    weights = load_weights(mobilenet, str(random_weights[mobilenet.name]), tmp_path)
    engine = build_engine(mobilenet, weights, "onnx", "fp32")
    table = extract_features(
        dataset.root, dataset.files[:2], engine, mobilenet.preprocessing, views=1, threads=1,
        on_photos=lambda done: None, cache=None,
    )  # fmt: skip
    assert table.values.shape == (2, 1, 960)
    assert np.isfinite(table.values).all()
    tuned = fine_tune(
        dataset, mobilenet, weights, random_head(mobilenet, 3),
        Settings(batch_size=4, unfreeze="2", fine_tune_epochs=1, fine_tune_learning_rate=1e-3, amp="off"),
        start=Epoch(1, Score(9.0, 0.0), Score(9.0, 0.0)), group=ALONE, on_epoch=lambda epoch, state: None,
        on_step=lambda step, state: None, should_stop=lambda: False, resume=None, threads=1,
    )  # fmt: skip
    assert [epoch.number for epoch in tuned.history] == [1]
    seen = np.stack([mobilenet.preprocessing.load(dataset.path(row)) for row in (0, 1)])
    graph = build_model(mobilenet, tuned.weights, tuned.head).SerializeToString()
    scores = onnx_session(graph).run(["scores"], {"pixels": seen})[0]
    expected = tuned.scores(dataset.files[:2])
    assert np.abs(scores - expected).max() <= 1e-3 * np.abs(expected).max()


def test_a_network_whose_features_are_no_mean_of_maps_is_refused() -> None:
    import_torchvision()
    from training.torchvision_backbone import torchvision_network
    from training.weights import Weights

    with pytest.raises(BadSettings, match=r"VGG-11 cannot be a backbone: the features .* are no mean of 512 maps"):
        torchvision_network(backbones._torchvision("vgg11", "VGG-11", 512), Weights({}, "none"))
    with pytest.raises(BadSettings, match="torchvision has no network named resnet51"):
        torchvision_network(backbones._torchvision("resnet51", "ResNet-51", 512), Weights({}, "none"))


def test_lite2_is_made_as_its_weights_are() -> None:
    shapes = {name: value.shape for name, value in load_weights(get("efficientnet_lite2"), "", Path()).arrays.items()}
    expected = LITES["efficientnet_lite2"].shapes()
    assert {name: shape for name, shape in shapes.items() if not name.endswith("num_batches_tracked")} == expected


def test_lite2_knows_the_dogs(photos: Photos) -> None:
    """With the input its authors used: short side 292, crop 260. It is right on 32 of 37, Lite0 on 34 of the same."""
    backbone = get("efficientnet_lite2")
    weights = load_weights(backbone, "", Path())
    labels, head = starter_head(weights.arrays)
    session = onnx_session(build_model(backbone, weights, head).SerializeToString())
    right = 0
    for path, label, is_dog in photos:
        if is_dog:
            scores = session.run(["scores"], {"pixels": backbone.preprocessing.load(path)[None]})[0]
            right += same_breed(labels[int(scores.argmax())], label)
    assert right >= 32
