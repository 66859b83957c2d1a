"""A model.tar.gz served with the versions of AWS's inference image: nothing but the archive and its requirements."""

import base64
import json
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.images.conftest import Image
from training.classifier import load_model

CALL = """
import json, sys
sys.path.insert(0, sys.argv[1] + "/code")
import inference
model = inference.model_fn(sys.argv[1])
answers = []
for body, kind, accept in json.load(open(sys.argv[2])):
    data = bytes.fromhex(body) if kind.startswith("image/") else body
    try:
        told = inference.output_fn(inference.predict_fn(inference.input_fn(data, kind), model), accept)
        answers.append(json.loads(told[0] if isinstance(told, tuple) else told))
    except Exception as error:
        answers.append({"error": type(error).__name__, "says": str(error)})
foreign = sorted(n for n in sys.modules if n.partition(".")[0] in ("training", "torch", "dashboard"))
print(json.dumps({"answers": answers, "foreign": foreign}))
"""


@dataclass(frozen=True)
class Model:
    """A model folder as AWS unpacks it, and the archive that it came from."""

    folder: Path
    archive: Path


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("starter")
    archive = folder / "model.tar.gz"
    command = [sys.executable, "-m", "training.model", "starter", str(folder / "built"), "--tar", str(archive)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return unpacked(archive, folder)


@pytest.fixture(scope="session")
def trained(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model that the newest versions trained and the image has to serve."""
    folder = tmp_path_factory.mktemp("trained")
    command = [sys.executable, "-m", "training.train", "--data", str(dataset), "--model-dir", str(folder / "built")]
    subprocess.run([*command, "--epochs", "3"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return unpacked(next(folder.rglob("model.tar.gz")), folder)


def unpacked(archive: Path, folder: Path) -> Model:
    target = folder / "opt-ml-model"
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="data")
    return Model(target, archive)


@pytest.fixture(scope="session", params=["starter", "trained"])
def model(request: pytest.FixtureRequest) -> Model:
    found: Model = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session", autouse=True)
def requirements(image: Image, starter: Model) -> str:
    """What AWS's image does before it loads a model; what pip said."""
    needs = starter.folder / "code" / "requirements.txt"
    done = image.run("-m", "pip", "install", "--disable-pip-version-check", "-r", needs)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="session")
def photo(dataset: Path) -> bytes:
    return sorted(dataset.glob("test/*/*.jpg"))[0].read_bytes()


def ask(image: Image, model: Model, folder: Path, *requests: tuple[str, str, str]) -> list[Any]:
    """Call the four functions in a Python that sees nothing but the archive's code/; their answers."""
    (folder / "requests.json").write_text(json.dumps(requests))
    done = image.run("-I", "-c", CALL, model.folder, folder / "requests.json", cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["foreign"] == []
    answers: list[Any] = told["answers"]
    return answers


def test_its_requirements_leave_the_images_own_packages_as_they_are(image: Image):
    before = dict(line.split("==") for line in (image.folder / "image.txt").read_text().splitlines())
    told = image.run("-m", "pip", "freeze", "--all", "--disable-pip-version-check").stdout.splitlines()
    after = dict(line.split("==") for line in told if "==" in line)
    assert {name: after.get(name) for name in before} == before
    assert "onnxruntime" in after


def test_scores_are_those_of_the_newest_versions(image: Image, model: Model, photo: bytes, tmp_path: Path):
    [plain] = ask(image, model, tmp_path, (photo.hex(), "image/jpeg", "application/json"))
    loaded = load_model(model.folder)
    here = loaded.predict(loaded.preprocessing.load(photo)[None])[0].scores
    assert np.shape(plain) == (1, len(loaded.labels))
    assert int(np.argmax(plain[0])) == int(here.argmax())
    # Pillow and the runtime differ by versions: INT8 rounds such differences up to one step
    assert np.abs(np.array(plain[0]) - here).max() < 0.25


def test_the_profile_of_breeds_and_its_overlay(image: Image, model: Model, photo: bytes, tmp_path: Path):
    accept = "application/json; profile=breeds; overlay=true"
    [told] = ask(image, model, tmp_path, (photo.hex(), "image/jpeg", accept))
    assert sum(breed["probability"] for breed in told["predictions"][0]) <= 1.0001
    [overlay] = told["overlay"]
    assert overlay.startswith("data:image/jpeg;base64,")
    assert base64.b64decode(overlay.partition(",")[2]).startswith(b"\xff\xd8")


def test_json_requests_as_text_and_in_lists(image: Image, starter: Model, photo: bytes, tmp_path: Path):
    """AWS's toolkit hands JSON over as text, not as bytes."""
    encoded = base64.b64encode(photo).decode()
    one, two = ask(
        image,
        starter,
        tmp_path,
        (json.dumps({"image": encoded}), "application/json", "application/json"),
        (json.dumps({"image": [encoded, encoded]}), "application/json", "application/json"),
    )
    assert len(one) == 1
    assert len(two) == 2
    assert np.allclose(two[0], one[0], atol=0.05)


def test_an_address_inside_the_network_is_not_fetched(image: Image, starter: Model, tmp_path: Path):
    url = json.dumps({"url": "https://169.254.169.254/latest/meta-data/"})
    [told] = ask(image, starter, tmp_path, (url, "application/json", "application/json"))
    assert "error" in told


def test_a_hostile_photo_is_refused_with_a_sentence(image: Image, starter: Model, tmp_path: Path):
    [told] = ask(image, starter, tmp_path, (b"\xff\xd8\xff\xe0 no photo".hex(), "image/jpeg", "application/json"))
    # where AWS's toolkit is, it is the toolkit's own error, which alone is not answered with 500
    assert told["error"] in ("BadPhoto", "GenericInferenceToolkitError")
    assert "photo" in told["says"]


def test_in_a_network_without_internet_its_requirements_come_from_its_wheels(
    image: Image, dataset: Path, starter: Model, photo: bytes, tmp_path: Path
):
    """--wheels puts them into code/wheels; pip then asks no index."""
    wheels, needs = tmp_path / "wheels", starter.folder / "code" / "requirements.txt"
    fetched = image.run("-m", "pip", "download", "--only-binary", ":all:", "-d", wheels, "-r", needs)
    assert fetched.returncode == 0, fetched.stderr[-2000:]
    command = [sys.executable, "-m", "training.train", "--data", str(dataset), "--model-dir", str(tmp_path / "built")]
    subprocess.run(
        [*command, "--epochs", "1", "--wheels", str(wheels)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
    )
    model = unpacked(next(tmp_path.rglob("model.tar.gz")), tmp_path)
    assert sorted(path.name for path in wheels.iterdir()) == sorted(
        path.name for path in (model.folder / "code" / "wheels").iterdir()
    )
    assert image.run("-m", "venv", tmp_path / "bare").returncode == 0
    bare = Image("bare", tmp_path / "bare")
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": "/dev/null", "PIP_RETRIES": "0"}
    installed = bare.run(
        "-m", "pip", "install", "-r", model.folder / "code" / "requirements.txt", cwd=tmp_path, **nowhere
    )
    assert installed.returncode == 0, installed.stderr[-2000:]
    [plain] = ask(bare, model, tmp_path, (photo.hex(), "image/jpeg", "application/json"))
    assert np.isfinite(plain).all()
