"""A reference project's model.pth as a Kennel model: a ResNet-50 with a head of one or two layers.

    python -m training.import_reference model.pth --out DIR [--labels FILE|DIR] [--normalised] [--tar FILE]

The file is read with `weights_only`: tensors, nothing that could run. The labels are not in it: they are those of the
133 reference breeds if it has as many scores, else they come from --labels (a JSON list, a text of one a line, or the
data set's folder). Photos are prepared as those projects did: the whole photo squashed to 224 × 224, values 0..1; with
--normalised also ImageNet's mean and deviation taken off. Exit code: 0 done, 1 not, with one sentence on stderr.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training import archive, breeds
from training.backbones import Backbone, build_model, get
from training.data import Dataset
from training.errors import BadDataset, BadWeights, TrainingError
from training.graph import Head
from training.model import make_card, model_files, write_model
from training.preprocessing import Array, Preprocessing
from training.weight_sources import checked, read_state_dict
from training.weights import Weights

BACKBONE = "resnet50"
REFERENCE_SIZE = 224
_HEAD = "fc."
_TOLERANCE = 1e-4
"""How far the exported scores may lie from torch's, relative to the largest."""
_NO_DOG = "the file has no ImageNet classifier any more, which would tell dogs from other animals"


def import_reference(source: Path, directory: Path, labels: Sequence[str] | None, normalised: bool, name: str) -> Path:
    """Write the Kennel model of a state dict into `directory`. Raises BadWeights, BadDataset, TrainingError, OSError.

    `labels` in the order of its scores; None: those of the reference data set.
    """
    backbone = get(BACKBONE)
    arrays = read_state_dict(source)
    head = _head(arrays, backbone, source)
    body = {key: value for key, value in arrays.items() if not key.startswith(_HEAD)}
    weights = checked(backbone, body, f"weights of {source.name}")
    labels = _labels(labels, head, source)
    graph = build_model(backbone, weights, head)
    _compare(backbone, weights, head, graph.SerializeToString())
    card = make_card(
        name,
        data={"name": f"imported from {source.name}", "classes": len(labels)},
        metrics={},
        is_dog={"threshold": None, "reason": _NO_DOG},
    )
    card["backbone"] = {
        "name": backbone.name,
        "title": backbone.title,
        "weights": weights.words,
        "sha256": weights.digest,
        "input_size": backbone.input_size,
        "features": backbone.features,
        "frozen": True,
        "precision": "fp32",
    }
    card["int8"] = {
        "default": False,
        "reason": f"the ranges that INT8 needs have not been measured for {backbone.title}",
    }
    return write_model(directory, graph, labels, card, reference_preprocessing(normalised))


def reference_preprocessing(normalised: bool) -> Preprocessing:
    """Resize((224, 224)) and ToTensor() of torchvision, and with `normalised` its Normalize with ImageNet's figures."""
    theirs = get(BACKBONE).preprocessing
    mean, scale = (theirs.mean, theirs.scale) if normalised else (0.0, 255.0)
    return replace(theirs, short_side=REFERENCE_SIZE, crop=REFERENCE_SIZE, mean=mean, scale=scale, resize="squash")


def read_labels(source: Path) -> list[str]:
    """The labels in a JSON list, in a text of one a line, or of a data set's folder. Raises BadDataset."""
    try:
        if source.is_dir():
            folder = next((source / name for name in ("train", "training") if (source / name).is_dir()), source)
            classes = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and entry.name[0] not in "._")
            # torchvision's ImageFolder numbers the classes in this order too.
            return Dataset(folder, tuple(classes), (), np.zeros(0, np.int64), {}).labels
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadDataset(
            f"The labels in {source} cannot be read ({error}): give a JSON list, a text or a folder."
        ) from error
    if source.suffix.lower() != ".json":
        return [line.strip() for line in text.splitlines() if line.strip()]
    try:
        found = json.loads(text)
    except ValueError as error:
        raise BadDataset(
            f"{source} is not JSON ({error}): give a list of labels in the order of the scores."
        ) from error
    found = found.get("labels") if isinstance(found, dict) else found
    if not isinstance(found, list) or not all(isinstance(label, str) for label in found):
        raise BadDataset(f"{source} holds no list of labels: give them in the order of the scores.")
    return found


def _labels(labels: Sequence[str] | None, head: Head, source: Path) -> list[str]:
    if labels is None:
        # Several classes of ImageNet may be one breed.
        folders = sorted({breed.reference for breed in breeds.table() if breed.reference})
        labels = [breeds.display_name(folder) for folder in folders]
        if len(labels) != head.labels:
            raise BadDataset(
                f"{source} has {head.labels} scores, not the {len(labels)} of the reference breeds: "
                "name them with --labels."
            )
    if len(labels) != head.labels:
        raise BadDataset(f"{source} has {head.labels} scores, but there are {len(labels)} labels: give one for each.")
    return list(labels)


def _head(arrays: Mapping[str, NDArray[Any]], backbone: Backbone, source: Path) -> Head:
    """The layers below `fc`, in order: each a weight [outputs, inputs] with its bias."""
    weights = sorted(
        (key for key in arrays if key.startswith(_HEAD) and key.endswith("weight")),
        key=lambda key: [int(part) for part in key.split(".") if part.isdigit()],
    )
    layers = [(arrays[key], arrays.get(f"{key.removesuffix('weight')}bias")) for key in weights]
    inputs = backbone.features
    for (weight, bias), key in zip(layers, weights, strict=True):
        if weight.ndim != 2 or bias is None or bias.shape != weight.shape[:1] or weight.shape[1] != inputs:
            raise BadWeights(
                f"{source} has a head that is not understood: {key} is {list(weight.shape)} behind {inputs} numbers. "
                f"It has to be one or two linear layers with a bias, ReLU between them, behind {backbone.title}."
            )
        inputs = weight.shape[0]
    if len(layers) not in (1, 2):
        raise BadWeights(
            f"{source} has {len(layers)} layers named {_HEAD}*: "
            "a reference model has a head of one or two linear layers."
        )
    if not all(np.isfinite(value).all() for layer in layers for value in layer if value is not None):
        raise BadWeights(
            f"{source} has a head with values that are no numbers: give that of a training that ended well."
        )
    weight, bias = _layer(layers[-1])
    return Head(weight, bias) if len(layers) == 1 else Head(weight, bias, None, *_layer(layers[0]))


def _layer(layer: tuple[NDArray[Any], NDArray[Any] | None]) -> tuple[Array, Array]:
    weight, bias = layer
    assert bias is not None  # noqa: S101 - checked by the caller
    return np.asarray(weight, np.float32), np.asarray(bias, np.float32)


def _compare(backbone: Backbone, weights: Weights, head: Head, graph: bytes) -> None:
    """Raises TrainingError when the graph does not give the scores that torch does."""
    import torch

    from training.backbone import load_network
    from training.inference import onnx_session
    from training.torch_engine import TorchEngine, scorer

    pixels = np.random.default_rng(0).random((2, 3, REFERENCE_SIZE, REFERENCE_SIZE), np.float32)
    features, _ = TorchEngine.of(load_network(backbone, weights), torch.device("cpu")).features(pixels)
    expected = scorer(head)(torch.from_numpy(features)).numpy()
    found = onnx_session(graph).run(["scores"], {"pixels": pixels})[0]
    difference = float(np.abs(found - expected).max())
    if not difference <= _TOLERANCE * max(1.0, float(np.abs(expected).max())):
        raise TrainingError(
            f"The exported graph does not give torch's scores (they differ by {difference:.3g}): nothing was written; "
            "report this with the versions of torch, onnx and onnxruntime."
        )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.import_reference",
        description="Make a Kennel model of a reference project's model.pth (ResNet-50, a head of one or two layers).",
    )
    parser.add_argument(
        "source", type=Path, metavar="model.pth", help="the state dict: torch.save(model.state_dict(), …)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the model folder that is written")
    parser.add_argument("--labels", type=Path, metavar="FILE|DIR", help="the classes' names (default: the 133 breeds)")
    parser.add_argument("--normalised", action="store_true", help="it was trained on values normalised as ImageNet's")
    parser.add_argument("--tar", type=Path, metavar="FILE", help="also pack the folder as this model.tar.gz")
    parser.add_argument("--name", default="imported", help="the model's name in its card (default: imported)")
    options = parser.parse_args(arguments)
    try:
        labels = read_labels(options.labels) if options.labels else None
        import_reference(options.source, options.out, labels, options.normalised, options.name)
        if options.tar:
            options.tar.parent.mkdir(parents=True, exist_ok=True)
            archive.pack(options.out, options.tar, model_files(options.out))
    except TrainingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{error.filename or options.out} cannot be read or written ({error.strerror or error}).\n")
        return 1
    sys.stdout.write(f"{options.tar or options.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
