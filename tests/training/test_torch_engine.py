"""--engine torch: the same scores as ONNX Runtime."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from training.graph import build_graph
from training.inference import BadModel, Model
from training.model import build_starter
from training.sample_data import BREEDS, draw_dog
from training.torch_engine import load_torch_model
from training.weights import packaged_weights

TOLERANCE = 1e-3
"""Log-odds; the scores themselves reach about 10."""


def test_torch_gives_the_scores_of_onnx_runtime(starter: Model, starter_folder: Path) -> None:
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
