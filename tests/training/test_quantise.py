"""INT8: the same answers from a quarter of the bytes, on every processor."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from training import backbones, quantise
from training.graph import Head
from training.inference import Array, dog_probability, onnx_session
from training.preprocessing import Preprocessing
from training.sample_data import BREEDS, draw_dog

Photos = list[tuple[Path, str, bool]]
LITES = ("efficientnet_lite0", "efficientnet_lite2")
CLASSES = 7


def fp32(name: str, head: Head | None = None) -> Any:
    backbone = backbones.get(name)
    return backbones.build_model(backbone, backbones.load_weights(backbone, "", Path()), head)


def some_head(hidden: int = 0) -> Head:
    numbers = np.random.default_rng(0)
    weight = numbers.standard_normal((CLASSES, hidden or 1280), np.float32) / 10
    bias = numbers.standard_normal(CLASSES, np.float32)
    if not hidden:
        return Head(weight, bias)
    return Head(weight, bias, None, numbers.standard_normal((hidden, 1280), np.float32), np.zeros(hidden, np.float32))


def constants(model: Any) -> dict[str, Any]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


@pytest.mark.parametrize("name", LITES)
def test_int8_sees_what_fp32_sees(name: str, photos: Photos) -> None:
    model, preprocessing = fp32(name), backbones.get(name).preprocessing
    precise = onnx_session(model.SerializeToString())
    quick = onnx_session(quantise.quantised(model.SerializeToString()))
    dogs = same_breed = 0
    for path, _, is_dog in photos:
        pixels = preprocessing.load(path)[None]
        (features, logits), (features8, logits8) = (
            session.run(["features", "imagenet"], {"pixels": pixels}) for session in (precise, quick)
        )
        closeness = np.vdot(features, features8) / np.linalg.norm(features) / np.linalg.norm(features8)
        assert closeness > 0.98, path.name
        assert (dog_probability(logits)[0] > 0.5) == (dog_probability(logits8)[0] > 0.5), path.name
        dogs += is_dog
        same_breed += is_dog and logits.argmax() == logits8.argmax()
    assert dogs == 37
    assert same_breed >= 36


@pytest.mark.parametrize("hidden", [0, 16])
def test_inputs_and_outputs_stay_as_they_were(hidden: int) -> None:
    model = fp32("efficientnet_lite0", some_head(hidden))
    before = model.SerializeToString()
    after = quantise.quantised(before)
    assert model.SerializeToString() == before
    assert len(after) < 0.3 * len(before)
    precise, quick = onnx_session(before), onnx_session(after)
    for kind in ("get_inputs", "get_outputs"):
        assert [(value.name, value.shape, value.type) for value in getattr(precise, kind)()] == [
            (value.name, value.shape, value.type) for value in getattr(quick, kind)()
        ]
    pixels = np.stack([Preprocessing().pixels(draw_dog(breed, 3)) for breed in list(BREEDS)[:2]])
    names = [output.name for output in quick.get_outputs()]
    found = dict(zip(names, quick.run(names, {"pixels": pixels}), strict=True))
    assert found["scores"].shape == (2, CLASSES)
    if not hidden:
        assert np.allclose(found["maps"].mean(axis=(2, 3)), found["scores"], atol=1e-4), "maps still explain the score"
    for name in ("scores", "imagenet"):
        alone = quick.run([name], {"pixels": pixels[1:]})[0]
        assert np.allclose(alone, found[name][1:], atol=1e-5), "a photo's answer does not depend on its neighbours"


def test_no_processor_overflows() -> None:
    """Without VNNI, two neighbouring products are added in 16 bits, saturating."""
    model = onnx.load_from_string(quantise.quantised(fp32("efficientnet_lite0").SerializeToString()))
    found = constants(model)
    checked = 0
    for node in model.graph.node:
        if node.op_type == "QLinearConv":
            weight = found[node.input[3]].astype(np.int64)
            if weight.shape[1] == 1:
                continue  # depthwise: added in 32 bits
            weight = weight.transpose(0, 2, 3, 1).reshape(len(weight), -1)
        elif node.op_type == "MatMulIntegerToFloat":
            weight = found[node.input[1]].astype(np.int64).T
        else:
            continue
        checked += 1
        for sign in (1, -1):
            part = np.maximum(sign * weight, 0)
            assert 255 * (part[:, 1:] + part[:, :-1]).max() <= 32767
    assert checked == 34


def test_pixels_lose_nothing() -> None:
    """The scale of the input is the preprocessing's own, so that every byte of a photo keeps a value of its own."""
    found = constants(onnx.load_from_string(quantise.quantised(fp32("efficientnet_lite0").SerializeToString())))
    preprocessing = Preprocessing()
    bytes_ = np.arange(256, dtype=np.uint8)
    values: Array = preprocessing.values(np.broadcast_to(bytes_[None, :, None], (1, 256, 3)))[0, 0]
    eight = np.rint(values / found["pixels.scale"]) + found["pixels.zero"]
    assert np.array_equal(eight, bytes_)


def test_a_backbone_that_was_not_measured_is_not_supported() -> None:
    assert all(quantise.supports(name) for name in LITES)
    assert not quantise.supports("resnet50")
    other = fp32("efficientnet_lite0")
    other.graph.name = "resnet50"
    with pytest.raises(KeyError):
        quantise.quantised_model(other)


def test_the_ranges_can_be_measured_again(tmp_path: Path) -> None:
    assert quantise.main(["measure", "--pictures", "1", "--out", str(tmp_path / "ranges.json")]) == 0
    measured = json.loads((tmp_path / "ranges.json").read_text())
    shipped = json.loads(quantise.RANGES_FILE.read_text())
    assert measured.keys() == shipped.keys()
    for name in LITES:
        assert list(measured[name]) == list(shipped[name])
        for tensor, (low, high) in measured[name].items():
            # Fewer pictures see a part of what all of them see.
            assert shipped[name][tensor][0] <= low + 0.02
            assert high - 0.02 <= shipped[name][tensor][1] <= 3 * high, tensor
