"""--engine torch: the same scores as ONNX Runtime."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from training.graph import Head, build_graph
from training.inference import BadModel, load_model
from training.model import build_starter, make_card, write_model
from training.sample_data import BREEDS, draw_dog
from training.torch_engine import load_torch_model
from training.weights import packaged_weights

TOLERANCE = 1e-3
"""Log-odds; the scores themselves reach about 10."""


def test_torch_gives_the_scores_of_onnx_runtime(starter_folder: Path) -> None:
    starter = load_model(starter_folder, precision="fp32")
    torch_model = load_torch_model(starter_folder)
    pixels = np.stack([starter.preprocessing.pixels(draw_dog(breed, 7)) for breed in BREEDS])
    ours, theirs = starter.run(pixels), torch_model.run(pixels)
    assert np.abs(ours.scores - theirs.scores).max() < TOLERANCE
    assert np.abs(ours.imagenet - theirs.imagenet).max() < TOLERANCE
    for one, other in zip(starter.predict(pixels), torch_model.predict(pixels), strict=True):
        assert one.breeds[0][0] == other.breeds[0][0]
        assert one.is_dog == other.is_dog


def test_a_graph_without_a_head_is_refused(tmp_path: Path) -> None:
    build_starter(tmp_path)
    graph = build_graph(packaged_weights(), None)
    graph.graph.output.append(onnx.helper.make_tensor_value_info("scores", onnx.TensorProto.FLOAT, ["N", 116]))
    graph.graph.node.append(onnx.helper.make_node("Slice", ["imagenet", "from", "to", "axis"], ["scores"]))
    for name, value in (("from", 0), ("to", 116), ("axis", 1)):
        graph.graph.initializer.append(onnx.numpy_helper.from_array(np.array([value], np.int64), name))
    onnx.save(graph, tmp_path / "model.onnx")
    with pytest.raises(BadModel, match="no head"):
        load_torch_model(tmp_path)


def test_a_tuned_backbone_with_a_hidden_head_runs_in_torch_too(tmp_path: Path) -> None:
    """The weights come from the model's own graph, not from the package."""
    weights = dict(packaged_weights())
    weights = {name: value * 1.01 for name, value in weights.items() if not name.startswith("_fc")}
    chance = np.random.default_rng(1)
    head = Head(
        chance.normal(size=(3, 8)).astype(np.float32), np.zeros(3, np.float32), None,
        chance.normal(size=(8, 1280)).astype(np.float32) * 0.1, np.zeros(8, np.float32),
    )  # fmt: skip
    card = make_card("tuned", {}, {}, {"threshold": None, "reason": "fine-tuned"})
    write_model(tmp_path, build_graph(weights, head), ["a", "b", "c"], card)
    pixels = np.stack([load_model(tmp_path).preprocessing.pixels(draw_dog(breed, 7)) for breed in list(BREEDS)[:3]])
    ours, theirs = load_model(tmp_path).run(pixels), load_torch_model(tmp_path).run(pixels)
    assert np.abs(ours.scores - theirs.scores).max() < TOLERANCE
    assert theirs.imagenet is None


def test_a_backbone_kept_as_a_graph_only_is_refused(starter_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(starter_folder, tmp_path, dirs_exist_ok=True)
    graph = onnx.load(tmp_path / "model.onnx")
    graph.graph.name = "resnet50"
    onnx.save(graph, tmp_path / "model.onnx")
    with pytest.raises(BadModel, match="not rebuilt in torch: use --engine onnx"):
        load_torch_model(tmp_path)
