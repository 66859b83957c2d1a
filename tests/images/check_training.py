"""Training with the versions of AWS's training image, command by command as a job runs it."""

import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.images.conftest import Image
from tests.images.sources import TRAINING, foreign, imported
from training.classifier import load_model

WEB = {"starlette", "uvicorn"}
"""What only the web server imports, which runs in Kennel's own environment."""
MODULES = sorted(
    name
    for name in {path.stem for path in TRAINING.glob("*.py")} - {"__init__"}
    if not WEB & set(foreign(imported(name)))
)


def train(image: Image, dataset: Path, model: Path, *flags: str) -> dict[str, Any]:
    """A run that has to end well; its card."""
    done = image.run(
        "-W", "error::DeprecationWarning:training", "-m", "training.train",
        "--data", dataset, "--model-dir", model, "--seed", "1", "--cache", "off", *flags,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    card: dict[str, Any] = json.loads((model / "card.json").read_text("utf-8"))
    return card


def scores(model: Path, dataset: Path) -> Any:
    """What this Python's versions, which are not the image's, make of a model: scores of the test photos [N, C]."""
    loaded = load_model(model)
    photos = sorted(dataset.glob("test/*/*.jpg"))
    pixels = [loaded.preprocessing.load(path.read_bytes()) for path in photos]
    return np.stack([loaded.predict(one[None])[0].scores for one in pixels])


@pytest.fixture(scope="module")
def frozen(image: Image, dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    model = tmp_path_factory.mktemp("frozen") / "model"
    return model, train(image, dataset, model, "--epochs", "4")


def test_requirements_leave_the_images_own_packages_as_they_are(image: Image):
    """A job's start installs training/requirements.txt; it must not replace what AWS built for the image."""
    before = dict(line.split("==") for line in (image.folder / "image.txt").read_text().splitlines())
    told = image.run("-m", "pip", "freeze", "--all", "--disable-pip-version-check").stdout.splitlines()
    after = dict(line.split("==") for line in told if "==" in line)
    assert {"torch", "torchvision", "numpy", "pillow"} <= {name.lower() for name in before}
    assert {name: after.get(name) for name in before} == before
    assert "onnxruntime" in after


def test_every_module_can_be_imported(image: Image):
    program = (
        "import importlib, json, sys\n"
        "for name in sys.argv[1:]: importlib.import_module(f'training.{name}')\n"
        "print(json.dumps(sorted(n for n in sys.modules if n.startswith('training.'))))"
    )
    told = image.tell(program, *MODULES)
    assert {f"training.{name}" for name in MODULES} <= set(told)
    assert {"train", "inference", "predict", "fine_tune", "import_reference"} <= set(MODULES)


def test_a_frozen_run_makes_a_model(frozen: tuple[Path, dict[str, Any]], image: Image, dataset: Path):
    model, card = frozen
    assert card["versions"]["torch"].startswith(("2.10.0", "2.6.0"))
    assert np.isfinite(scores(model, dataset)).all()


def test_its_model_scores_alike_with_the_newest_versions(
    frozen: tuple[Path, dict[str, Any]], image: Image, dataset: Path
):
    """One model file, two ONNX Runtimes: the image's and the one of this Python."""
    model, _ = frozen
    program = (
        "import json, sys; from pathlib import Path; from training.classifier import load_model\n"
        "loaded = load_model(Path(sys.argv[1]))\n"
        "pixels = [loaded.preprocessing.load(p.read_bytes()) for p in sorted(Path(sys.argv[2]).glob('test/*/*.jpg'))]\n"
        "print(json.dumps([loaded.predict(one[None])[0].scores.tolist() for one in pixels]))"
    )
    there = np.array(image.tell(program, model, dataset))
    here = scores(model, dataset)
    assert there.shape == here.shape
    assert (there.argmax(axis=1) == here.argmax(axis=1)).all()
    # Pillow and the runtime differ by versions: INT8 rounds such differences up to one step
    assert np.abs(there - here).max() < 0.25


def test_a_hidden_layer_smoothing_class_weights_and_views(image: Image, dataset: Path, tmp_path: Path):
    flags = ("--hidden", "16", "--label-smoothing", "0.1", "--class-weights", "balanced", "--views", "3")
    train(image, dataset, tmp_path / "model", "--epochs", "3", "--patience", "2", *flags)
    assert np.isfinite(scores(tmp_path / "model", dataset)).all()


def test_torch_as_the_engine(image: Image, dataset: Path, tmp_path: Path, frozen: tuple[Path, dict[str, Any]]):
    """The same backbone in the image's torch and in ONNX Runtime teach the head the same."""
    train(image, dataset, tmp_path / "model", "--epochs", "4", "--engine", "torch", "--int8", "off")
    by_torch, by_onnx = scores(tmp_path / "model", dataset), scores(frozen[0], dataset)
    assert (by_torch.argmax(axis=1) == by_onnx.argmax(axis=1)).mean() > 0.9


@pytest.mark.parametrize("blocks", ["1", "all"])
def test_fine_tuning(image: Image, dataset: Path, tmp_path: Path, blocks: str):
    flags = ("--unfreeze", blocks, "--fine-tune-epochs", "1", "--accumulate", "2", "--batch-size", "4")
    card = train(image, dataset, tmp_path / "model", "--epochs", "2", *flags)
    assert card["backbone"]["frozen"] is False
    assert card["backbone"]["unfrozen_blocks"] == blocks
    assert card["is_dog"]["threshold"] is None  # of a backbone that moved, ImageNet's dogs say nothing
    assert np.isfinite(scores(tmp_path / "model", dataset)).all()


def test_two_processes_make_the_model_of_one(image: Image, dataset: Path, tmp_path: Path):
    flags = ("--epochs", "3", "--int8", "off")
    train(image, dataset, tmp_path / "one", *flags)
    card = train(image, dataset, tmp_path / "two", "--processes", "2", *flags)
    assert card["distributed"]["processes"] == 2
    assert np.abs(scores(tmp_path / "one", dataset) - scores(tmp_path / "two", dataset)).max() < 1e-4


def test_fine_tuning_in_two_processes(image: Image, dataset: Path, tmp_path: Path):
    flags = ("--unfreeze", "1", "--fine-tune-epochs", "1", "--batch-size", "4", "--processes", "2")
    train(image, dataset, tmp_path / "model", "--epochs", "2", *flags)
    assert np.isfinite(scores(tmp_path / "model", dataset)).all()


def test_resnet50_with_weights_from_a_file(image: Image, dataset: Path, tmp_path: Path):
    """The reference projects' backbone in the image's torchvision, exported with the image's torch."""
    weights = tmp_path / "resnet50.pth"
    program = "import sys, torch, torchvision; torch.manual_seed(0)\n" \
        "torch.save(torchvision.models.resnet50(weights=None).state_dict(), sys.argv[1]); print('{}')"  # fmt: skip
    image.tell(program, weights)
    train(image, dataset, tmp_path / "model", "--backbone", "resnet50", "--weights", str(weights), "--epochs", "2")
    assert np.isfinite(scores(tmp_path / "model", dataset)).all()


def test_a_reference_projects_model_is_imported(image: Image, tmp_path: Path):
    """A ResNet-50 with a head of two layers, saved by the image's torch."""
    program = (
        "import sys, torch, torchvision; torch.manual_seed(0)\n"
        "net = torchvision.models.resnet50(weights=None)\n"
        "net.fc = torch.nn.Sequential(torch.nn.Linear(2048, 128), torch.nn.ReLU(), torch.nn.Linear(128, 133))\n"
        "torch.save(net.state_dict(), sys.argv[1]); print('{}')"
    )
    image.tell(program, tmp_path / "model.pth")
    done = image.run("-m", "training.import_reference", tmp_path / "model.pth", "--out", tmp_path / "model")
    assert done.returncode == 0, done.stderr[-3000:]
    loaded = load_model(tmp_path / "model")
    assert len(loaded.labels) == 133


def test_a_job_in_the_containers_layout(image: Image, dataset: Path, tmp_path: Path):
    """SageMaker's files and variables instead of flags, and nothing of this repository but training/ on the path."""
    base = tmp_path / "ml"
    config = base / "input" / "config"
    config.mkdir(parents=True)
    (base / "model").mkdir()
    (base / "checkpoints").mkdir()
    hosts = {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "lo"}
    (config / "hyperparameters.json").write_text(json.dumps({"epochs": "2", "learning-rate": "0.05"}))
    (config / "resourceconfig.json").write_text(json.dumps(hosts))
    (config / "inputdataconfig.json").write_text(json.dumps({"training": {"TrainingInputMode": "File"}}))
    (base / "input" / "data").mkdir()
    (base / "input" / "data" / "training").symlink_to(dataset)
    done = image.run("-m", "training.train", KENNEL_BASE=str(base), SM_MODEL_DIR=str(base / "model"))
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads((base / "model" / "card.json").read_text())["hyperparameters"]["epochs"] == 2
    again = image.run("-m", "training.train", KENNEL_BASE=str(base), SM_MODEL_DIR=str(base / "model"))
    assert again.returncode == 0, again.stderr[-3000:]


def test_the_model_packs_for_an_endpoint(frozen: tuple[Path, dict[str, Any]]):
    """Outside a container a run leaves model.tar.gz beside the folder, with code/ in it."""
    archive = frozen[0].parent / "model.tar.gz"
    found = archive if archive.exists() else next(frozen[0].parent.rglob("model.tar.gz"))
    with tarfile.open(found) as tar:
        names = tar.getnames()
    assert {"model.onnx", "labels.json", "card.json", "code/inference.py", "code/requirements.txt"} <= set(names)
