"""What turns pixels into features: every engine gives the same, and is known by a name of its own."""

from pathlib import Path

import numpy as np
import pytest

from training import quantise
from training.backbones import get, load_weights
from training.engines import build_engine
from training.errors import BadSettings
from training.inference import Array
from training.sample_data import BREEDS, draw_dog
from training.torch_engine import default_device
from training.weights import Weights

LITE = get("efficientnet_lite0")


@pytest.fixture(scope="module")
def weights() -> Weights:
    return load_weights(LITE, "", Path())


@pytest.fixture(scope="module")
def pixels() -> Array:
    return np.stack([LITE.preprocessing.pixels(draw_dog(breed, 3)) for breed in BREEDS])


def test_torch_and_onnx_give_the_same_features(weights: Weights, pixels: Array) -> None:
    engines = [build_engine(LITE, weights, engine, "fp32") for engine in ("onnx", "torch")]
    assert [engine.features for engine in engines] == [1280, 1280]
    (features, imagenet), (others, other_imagenet) = (engine.extract(pixels) for engine in engines)
    assert features.shape == (len(pixels), 1280)
    assert imagenet is not None
    assert other_imagenet is not None
    assert np.abs(features - others).max() < 1e-3
    assert np.abs(imagenet - other_imagenet).max() < 1e-3


def test_int8_features_are_near_those_of_fp32(weights: Weights, pixels: Array) -> None:
    exact, _ = build_engine(LITE, weights, "onnx", "fp32").extract(pixels)
    rough, _ = build_engine(LITE, weights, "onnx", "int8").extract(pixels)
    assert not np.array_equal(exact, rough)
    cosine = (exact * rough).sum(axis=1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(rough, axis=1)
    assert cosine.min() > 0.9


def test_a_key_names_what_decides_the_features(weights: Weights) -> None:
    tuned = Weights({**weights.arrays, "_bn1.bias": weights.arrays["_bn1.bias"] + 1}, "tuned")
    keys = {
        build_engine(LITE, weights, "onnx", "fp32").key,
        build_engine(LITE, weights, "onnx", "int8").key,
        build_engine(LITE, weights, "torch", "fp32").key,
        build_engine(LITE, tuned, "onnx", "fp32").key,
    }
    assert len(keys) == 4
    assert build_engine(LITE, load_weights(LITE, "", Path()), "onnx", "fp32").key in keys


def test_int8s_key_names_the_ranges_it_was_made_with(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = [build_engine(LITE, weights, "onnx", precision).key for precision in ("int8", "fp32")]
    ranges = {LITE.name: {"pixels": (-1.0, 1.0)}}
    monkeypatch.setattr(quantise, "_ranges", lambda: ranges)
    measured = [build_engine(LITE, weights, "onnx", precision).key for precision in ("int8", "fp32")]
    assert measured[0] != shipped[0]
    assert measured[1] == shipped[1]


def test_torchs_key_names_the_device(weights: Weights) -> None:
    """A GPU computes in half precision, so a cache must not mix its features with a CPU's."""
    assert build_engine(LITE, weights, "torch", "fp32").key.endswith(f"-torch-{default_device().type}")


def test_weights_without_imagenets_classifier_give_features_alone(weights: Weights, pixels: Array) -> None:
    bare = Weights({name: value for name, value in weights.arrays.items() if not name.startswith("_fc")}, "bare")
    for engine in ("onnx", "torch"):
        features, imagenet = build_engine(LITE, bare, engine, "fp32").extract(pixels[:1])
        assert features.shape == (1, 1280)
        assert imagenet is None


def test_int8_where_there_is_none_is_refused(weights: Weights) -> None:
    with pytest.raises(BadSettings, match="int8 runs in ONNX Runtime only"):
        build_engine(LITE, weights, "torch", "int8")
    with pytest.raises(BadSettings, match="There is no int8 for ResNet-50"):
        build_engine(get("resnet50"), weights, "onnx", "int8")
