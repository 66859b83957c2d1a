"""The command line for photos."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.conftest import ROOT, Run, clean_environment
from training import archive, predict
from training.model import MODEL_FILES, build_starter, model_files
from training.sample_data import draw_dog


@pytest.fixture(scope="module")
def dog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("photos") / "dog.jpg"
    draw_dog("057.Dalmatian", 1).save(file, "JPEG")
    return file


def test_json_is_exactly_what_was_promised(
    starter_folder: Path, dog: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.jpg").write_text("no photo")
    files = [str(dog), str(tmp_path / "text.jpg"), str(tmp_path / "missing.jpg"), str(dog)]
    assert predict.main([*files, "--model", str(starter_folder), "--json", "--top", "3"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [set(entry) for entry in found] == [{"file", "is_dog", "dog_probability", "predictions", "error"}] * 4
    assert [entry["file"] for entry in found] == files
    assert found[0]["is_dog"] == (found[0]["dog_probability"] >= 0.5)
    assert [set(p) for p in found[0]["predictions"]] == [{"breed", "probability"}] * 3
    assert found[0]["error"] is None
    assert found[3]["predictions"] == found[0]["predictions"]
    for entry, words in ((found[1], "not a photo"), (found[2], "cannot be read")):
        assert entry["is_dog"] is entry["dog_probability"] is None
        assert entry["predictions"] == []
        assert words in entry["error"]


def test_text_shows_a_bar_for_each_breed(starter_folder: Path, dog: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert predict.main([str(dog), "--model", str(starter_folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == str(dog)
    assert "dog probability" in lines[1]
    breeds = [line for line in lines if "%" in line and "probability" not in line]
    assert len(breeds) == 5
    assert "█" in breeds[0]


def test_it_fails_only_when_no_photo_was_classified(
    starter_folder: Path, dog: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ["--model", str(starter_folder)]
    assert predict.main(["missing.jpg", *model]) == 1
    assert "not classified" in capsys.readouterr().out
    assert predict.main(["missing.jpg", str(dog), *model]) == 0


def test_both_engines_and_an_archive_give_the_same(
    starter_folder: Path, dog: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = archive.pack(starter_folder, tmp_path / "model.tar.gz", model_files(starter_folder))
    answers = []
    for extra in (
        ["--model", str(starter_folder), "--precision", "fp32"],
        ["--model", str(packed), "--precision", "fp32"],
        ["--model", str(packed), "--engine", "torch"],
    ):
        assert predict.main([str(dog), "--json", *extra]) == 0
        answers.append(json.loads(capsys.readouterr().out)[0]["predictions"])
    for answer in answers[1:]:
        assert [p["breed"] for p in answer] == [p["breed"] for p in answers[0]]
        assert answer[0]["probability"] == pytest.approx(answers[0][0]["probability"], abs=1e-4)


def test_a_model_that_cannot_be_used_is_explained(
    starter_folder: Path, dog: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.tar.gz").write_bytes(b"hello")
    shutil.copytree(starter_folder, tmp_path / "half")
    (tmp_path / "half" / "labels.json").unlink()
    for model in (tmp_path / "broken.tar.gz", tmp_path / "half", tmp_path / "nothing"):
        assert predict.main([str(dog), "--model", str(model)]) == 1
        assert "The model cannot be used" in capsys.readouterr().err


def test_a_model_without_int8_says_so(
    starter_folder: Path, dog: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(starter_folder, tmp_path / "model")
    (tmp_path / "model" / "model.int8.onnx").unlink()
    assert predict.main([str(dog), "--model", str(tmp_path / "model"), "--precision", "int8"]) == 1
    assert "fp32 only" in capsys.readouterr().err


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_reader_that_goes_gets_no_traceback(starter_folder: Path, dog: Path, form: list[str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "training.predict", str(dog), "--model", str(starter_folder), *form],
        cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=60) == 0


def test_the_starter_is_built_once_into_the_cache(run_module: Run, dog: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for _ in range(2):
        done = run_module("training.predict", dog, "--json", KENNEL_HOME=str(home))
        assert done.returncode == 0, done.stderr
        assert len(json.loads(done.stdout)[0]["predictions"]) == 5
    (model,) = (home / "models").iterdir()
    assert json.loads((model / "card.json").read_text())["name"] == "starter"


def test_the_starter_can_be_written_and_packed(run_module: Run, tmp_path: Path) -> None:
    done = run_module("training.model", "starter", tmp_path / "starter", "--tar", tmp_path / "out" / "starter.tar.gz")
    assert done.returncode == 0, done.stderr
    archive.unpack(tmp_path / "out" / "starter.tar.gz", tmp_path / "again")
    expected = build_starter(tmp_path / "expected")
    for name in MODEL_FILES:
        if name != "card.json":
            assert (tmp_path / "again" / name).read_bytes() == (expected / name).read_bytes()


def test_nonsense_is_refused(dog: Path) -> None:
    for arguments in ([], [str(dog), "--top", "0"], [str(dog), "--engine", "abacus"]):
        with pytest.raises(SystemExit) as caught:
            predict.main(arguments)
        assert caught.value.code == 2
