"""What is in a model folder, and that its code works alone, as in AWS's inference image."""

import errno
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.conftest import ROOT
from training import archive, inference
from training.inference import Preprocessing, load_model
from training.model import MODEL_FILES, _fingerprint, model_files, write_model
from training.sample_data import draw_dog


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    target = io.BytesIO()
    draw_dog("057.Dalmatian", 1).save(target, "JPEG", quality=92)
    return target.getvalue()


def alone(script: str, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a script as AWS's image runs it: code/ on the path, nothing of Kennel installed, no torch."""
    head = """
        import sys
        sys.path.insert(0, "model/code")
        sys.modules["training"] = sys.modules["torch"] = None
    """
    return subprocess.run(
        [sys.executable, "-I", "-c", textwrap.dedent(head) + textwrap.dedent(script), *arguments],
        cwd=folder, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_the_archives_code_works_alone(starter_folder: Path, jpeg: bytes, tmp_path: Path) -> None:
    shutil.copytree(starter_folder, tmp_path / "model")
    (tmp_path / "dog.jpg").write_bytes(jpeg)
    script = """
        import base64, json
        from pathlib import Path
        import inference
        model = inference.model_fn("model")
        photo = Path("dog.jpg").read_bytes()
        request = inference.input_fn(photo, "image/jpeg")
        print(inference.output_fn(inference.predict_fn(request, model), "application/json"))
        two = json.dumps({"image": [base64.b64encode(photo).decode()] * 2})
        answer = inference.predict_fn(inference.input_fn(two, "application/json"), model)
        print(inference.output_fn(answer, inference.OVERLAY_PROFILE))
    """
    done = alone(script, tmp_path)
    assert done.returncode == 0, done.stderr
    scores, breeds = map(json.loads, done.stdout.splitlines())
    here = inference.output_fn(
        inference.predict_fn(inference.input_fn(jpeg, "image/jpeg"), load_model(tmp_path / "model")), None
    )
    assert np.allclose(scores, json.loads(here), atol=1e-3)
    assert len(breeds["predictions"]) == len(breeds["overlay"]) == 2


TOOLKIT = """
    import types
    class GenericInferenceToolkitError(Exception):
        def __init__(self, status_code, message=None, phrase=None):
            self.status_code, self.message, self.phrase = status_code, message, phrase
    errors = types.ModuleType("sagemaker_inference.errors")
    errors.GenericInferenceToolkitError = GenericInferenceToolkitError
    sys.modules["sagemaker_inference"] = types.ModuleType("sagemaker_inference")
    sys.modules["sagemaker_inference.errors"] = errors
    import inference, inspect
    # The toolkit counts parameters to know whether a function wants its context.
    for name, count in (("model_fn", 2), ("input_fn", 3), ("predict_fn", 3), ("output_fn", 3)):
        assert len(inspect.signature(getattr(inference, name)).parameters) == count, name
    model = inference.model_fn("model", None)
    for body, kind in ((b"no photo", "image/jpeg"), ("{", "application/json"), (b"a,b", "text/csv"),
                       ('{"url": "https://169.254.169.254/"}', "application/json"), (bytes(7 * 2**20), "image/png")):
        try:
            inference.predict_fn(inference.input_fn(body, kind, None), model, None)
        except GenericInferenceToolkitError as error:
            assert error.phrase.isascii()
            print(error.status_code, error.message)
"""


def test_in_awss_image_a_refusal_is_the_senders_error_and_not_the_models(starter_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(starter_folder, tmp_path / "model")
    done = alone(TOOLKIT, tmp_path)
    assert done.returncode == 0, done.stderr
    codes = [line.split()[0] for line in done.stdout.splitlines()]
    assert codes == ["400", "400", "415", "400", "413"]
    assert "open internet" in done.stdout


def test_the_archives_requirements_name_what_its_code_imports(starter_folder: Path) -> None:
    names = {line.split(">")[0].lower() for line in (starter_folder / "code" / "requirements.txt").read_text().split()}
    assert {"onnxruntime", "numpy", "pillow", "pillow-heif"} == names


def test_an_archive_holds_everything_that_was_written(starter_folder: Path) -> None:
    found = {path.relative_to(starter_folder).as_posix() for path in starter_folder.rglob("*") if path.is_file()}
    assert found == set(model_files(starter_folder))
    assert found == {*MODEL_FILES, "model.int8.onnx"}


def wheel(folder: Path, name: str, version: str = "99.9", module: str | None = None) -> Path:
    """A wheel of one empty module that pip can install."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    files = {
        f"{module or name}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: kennel\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(path, "w") as zipped:
        for file, content in (files | {f"{info}/RECORD": record}).items():
            zipped.writestr(file, content)
    return path


def written(folder: Path, **more: Any) -> Path:
    return write_model(folder, b"graph", ["a"], {"name": "x"}, Preprocessing(), **more)


def test_wheels_travel_with_the_model_and_are_installed_without_a_network(tmp_path: Path) -> None:
    names = ("onnxruntime", "numpy", "pillow", "pillow_heif")
    wheels = [wheel(tmp_path / "wheels", name) for name in names]
    packed = archive.pack(written(tmp_path / "model", wheels=wheels), tmp_path / "model.tar.gz",
                          model_files(tmp_path / "model"))  # fmt: skip
    archive.unpack(packed, tmp_path / "ml" / "model")
    # As AWS's toolkit does it: an absolute path, and a working folder that is not the model's.
    install = [
        sys.executable, "-m", "pip", "install", "--target", str(tmp_path / "site"), "--no-cache-dir",
        "--disable-pip-version-check", "-r", str(tmp_path / "ml" / "model" / "code" / "requirements.txt"),
    ]  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "PIP_CONFIG_FILE": os.devnull, "HOME": str(tmp_path)}
    done = subprocess.run(install, cwd="/", env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert {path.stem for path in (tmp_path / "site").glob("*.py")} == set(names)


def test_without_a_wheel_for_heic_photos_the_others_are_installed_all_the_same(tmp_path: Path) -> None:
    folder = written(tmp_path / "model", wheels=[wheel(tmp_path, "onnxruntime"), wheel(tmp_path, "flatbuffers")])
    lines = (folder / "code" / "requirements.txt").read_text().splitlines()
    assert lines == ["--no-index", "--find-links wheels", "onnxruntime>=1.19", "numpy>=1.26", "Pillow>=11"]


def test_a_new_model_leaves_nothing_of_the_one_before(tmp_path: Path) -> None:
    folder = written(tmp_path / "model", int8=b"small", wheels=[wheel(tmp_path, "onnxruntime")])
    assert (folder / "model.int8.onnx").read_bytes() == b"small"
    written(folder)
    assert sorted(model_files(folder)) == sorted(MODEL_FILES)
    assert not (folder / "model.int8.onnx").exists()


def test_a_full_disk_leaves_no_half_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if path.name == ".model.int8.onnx.partial":
            write(path, content[:3])
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write(path, content)

    before = written(tmp_path / "kept", int8=b"before")
    digests = {path: hashlib.sha256(path.read_bytes()).digest() for path in before.rglob("*") if path.is_file()}
    monkeypatch.setattr(Path, "write_bytes", full)
    for folder in (tmp_path / "fresh", before):
        with pytest.raises(OSError, match="No space left"):
            written(folder, int8=b"after", wheels=[])
    assert not (tmp_path / "fresh").exists()
    assert digests == {p: hashlib.sha256(p.read_bytes()).digest() for p in before.rglob("*") if p.is_file()}


def test_a_wheel_that_is_not_there_is_an_error_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"missing\.whl"):
        written(tmp_path / "model", wheels=[tmp_path / "missing.whl"])
    assert not (tmp_path / "model").exists()


def test_the_starter_is_rebuilt_when_what_it_is_made_of_changes(tmp_path: Path) -> None:
    """Its folder's name in the cache holds the sources: an old model is never taken for a new one."""
    sources = tmp_path / "training"
    shutil.copytree(ROOT / "training", sources, ignore=shutil.ignore_patterns("__pycache__"))
    found = [_fingerprint(sources)]
    assert found[0] == _fingerprint()
    for name in ("overlay.py", "fetch.py", "breeds.csv", "quantise.json"):
        with (sources / name).open("a") as file:
            file.write("\n")
        found.append(_fingerprint(sources))
    assert len(set(found)) == 5
