"""The ONNX graph: its outputs, what they mean, and that torch gives the same numbers."""

import numpy as np
import onnx
import pytest
import torch

from training.backbone import load_backbone
from training.graph import Head, build_graph, read_head, read_weights
from training.inference import Array, onnx_session, softmax
from training.model import starter_head
from training.weights import packaged_weights

OUTPUTS = ["scores", "features", "maps", "imagenet"]


@pytest.fixture(scope="module")
def pixels() -> Array:
    smooth = np.random.default_rng(0).normal(size=(3, 3, 14, 14)).astype(np.float32)
    return np.ascontiguousarray(smooth.repeat(16, axis=2).repeat(16, axis=3))


@pytest.fixture(scope="module")
def linear() -> Head:
    chance = np.random.default_rng(1)
    return Head(chance.normal(size=(5, 1280)).astype(np.float32) * 0.05, chance.normal(size=5).astype(np.float32))


@pytest.fixture(scope="module")
def hidden() -> Head:
    chance = np.random.default_rng(2)
    weight, hidden_weight = (chance.normal(size=shape).astype(np.float32) * 0.1 for shape in ((5, 16), (16, 1280)))
    return Head(weight, np.ones(5, np.float32), None, hidden_weight, np.full(16, -0.1, np.float32))


def run(head: Head | None, pixels: Array) -> dict[str, Array]:
    session = onnx_session(build_graph(packaged_weights(), head).SerializeToString())
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"pixels": pixels}), strict=True))


def test_the_outputs_have_their_names_and_shapes(pixels: Array, linear: Head) -> None:
    found = run(linear, pixels)
    assert list(found) == OUTPUTS
    assert [value.shape for value in found.values()] == [(3, 5), (3, 1280), (3, 5, 7, 7), (3, 1000)]
    assert list(run(None, pixels)) == ["features", "imagenet"]


def test_torch_and_onnx_agree(pixels: Array, linear: Head) -> None:
    found = run(linear, pixels)
    with torch.inference_mode():
        features, maps, imagenet = (value.numpy() for value in load_backbone()(torch.from_numpy(pixels)))
    assert np.abs(found["features"] - features).max() < 1e-4
    assert np.abs(found["imagenet"] - imagenet).max() < 1e-3
    assert np.abs(found["scores"] - (features @ linear.weight.T + linear.bias)).max() < 1e-3
    assert np.abs(maps.mean(axis=(2, 3)) - features).max() < 1e-5


def test_the_mean_of_a_map_is_its_score(pixels: Array, linear: Head) -> None:
    for head in (linear, starter_head(packaged_weights())[1]):
        found = run(head, pixels)
        assert np.abs(found["maps"].mean(axis=(2, 3)) - found["scores"]).max() < 1e-3


def test_the_probabilities_of_the_poodles_add_up(pixels: Array) -> None:
    labels, head = starter_head(packaged_weights())
    found = run(head, pixels)
    dogs = softmax(found["imagenet"][:, 151:269])
    shares = softmax(found["scores"])
    assert shares.shape == (3, 116)
    assert np.abs(shares[:, labels.index("Poodle")] - dogs[:, 114:117].sum(axis=1)).max() < 1e-5
    assert np.abs(shares[:, labels.index("Dalmatian")] - dogs[:, 100]).max() < 1e-5
    assert np.abs(shares.sum(axis=1) - 1).max() < 1e-5


def test_a_hidden_layer_gives_its_scores_and_no_maps(pixels: Array, hidden: Head) -> None:
    assert not hidden.is_linear
    assert (hidden.labels, hidden.features) == (5, 1280)
    found = run(hidden, pixels)
    assert list(found) == ["scores", "features", "imagenet"]
    assert hidden.hidden_weight is not None
    units = np.maximum(found["features"] @ hidden.hidden_weight.T + hidden.hidden_bias, 0)
    assert np.abs(found["scores"] - (units @ hidden.weight.T + hidden.bias)).max() < 1e-4


def test_a_backbone_that_learned_has_no_imagenet_any_more(pixels: Array, linear: Head) -> None:
    weights = {name: value for name, value in packaged_weights().items() if not name.startswith("_fc")}
    session = onnx_session(build_graph(weights, linear).SerializeToString())
    assert [output.name for output in session.get_outputs()] == ["scores", "features", "maps"]


def test_the_backbone_can_be_read_back(pixels: Array, linear: Head) -> None:
    again = build_graph(read_weights(build_graph(packaged_weights(), linear)), linear).SerializeToString()
    found = onnx_session(again).run(["scores", "imagenet"], {"pixels": pixels})
    expected = run(linear, pixels)
    assert np.abs(found[0] - expected["scores"]).max() < 1e-4
    assert np.abs(found[1] - expected["imagenet"]).max() < 1e-4


def test_a_photo_gets_the_same_scores_alone_and_in_a_batch(pixels: Array, linear: Head) -> None:
    together = run(linear, pixels)["scores"]
    assert np.abs(run(linear, pixels[1:2])["scores"][0] - together[1]).max() < 1e-4


def test_the_head_can_be_read_back(linear: Head, hidden: Head) -> None:
    again = read_head(build_graph(packaged_weights(), hidden))
    for ours, theirs in zip(vars(again).values(), vars(hidden).values(), strict=True):
        assert np.array_equal(ours, theirs)
    for head in (linear, starter_head(packaged_weights())[1]):
        again = read_head(build_graph(packaged_weights(), head))
        assert np.array_equal(again.weight, head.weight)
        assert np.array_equal(again.bias, head.bias)
        assert again.groups == head.groups
    with pytest.raises(KeyError):
        read_head(build_graph(packaged_weights(), None))


def test_the_graph_is_old_enough_for_awss_images(linear: Head) -> None:
    model = build_graph(packaged_weights(), linear)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 17)]
    assert model.ir_version == 8
    onnx.checker.check_model(model, full_check=True)
