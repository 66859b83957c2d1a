"""Training as it is run: on a laptop, in SageMaker's container contract, refused, stopped."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest

from tests.training.conftest import ROOT, Run, clean_environment, read_until, start
from training import archive, metrics
from training.inference import load_model
from training.model import MODEL_FILES, model_files
from training.predict import predict_files
from training.train import main

UNCACHED = {"KENNEL_FEATURE_CACHE": "off"}
"""Runs in this process keep no features at home."""


def values(log: str) -> dict[str, list[float]]:
    """Every metric of a log in order, read with the expressions that SageMaker gets."""
    found: dict[str, list[float]] = {}
    for line in log.splitlines():
        parsed = metrics.parse(line)
        for name, value in (parsed.values if parsed else {}).items():
            found.setdefault(name, []).append(value)
    return found


@pytest.fixture(scope="module")
def trained(small_dataset: Path, run_module: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """One run from the command line: its model folder and its log."""
    folder = tmp_path_factory.mktemp("trained") / "model"
    done = run_module("training.train", "--data", small_dataset, "--model-dir", folder, "--epochs", "8", "--seed", "3")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder, done.stdout


def test_a_run_writes_a_complete_model(trained: tuple[Path, str]) -> None:
    folder, _ = trained
    assert json.loads((folder / "labels.json").read_text()) == {
        "labels": ["Dalmatian", "Pembroke welsh corgi", "Poodle"]
    }
    card = json.loads((folder / "card.json").read_text())
    assert {"name", "created", "data", "metrics", "versions", "is_dog"} <= set(card)
    assert card["data"]["photos"] == {"train": 42, "valid": 9, "test": 9}
    assert card["data"]["unreadable"] == {"count": 0, "files": []}
    assert card["versions"]["torch"] != "not installed"
    with tarfile.open(folder / "model.tar.gz") as packed:
        assert sorted(packed.getnames()) == sorted(MODEL_FILES), "9 photos are too few for INT8"
    assert [path.name for path in folder.rglob("*.partial")] == []


def test_the_log_tells_the_run_from_start_to_end(trained: tuple[Path, str]) -> None:
    _, log = trained
    found = values(log)
    assert found["progress"][0] == 0.0
    assert found["progress"][-1] == 1.0
    assert found["progress"] == sorted(found["progress"])
    assert len(found["train:loss"]) == len(found["valid:accuracy"]) == 8
    assert found["train:loss"][-1] < found["train:loss"][0]
    assert len(found["test:loss"]) == 1
    stages = [parsed.stage for line in log.splitlines() if (parsed := metrics.parse(line)) and parsed.stage]
    assert list(dict.fromkeys(stages)) == ["scan", "features", "head", "test", "export"]
    assert f"Testing Loss: {found['test:loss'][0]:.4f}" in log.splitlines()


def test_the_model_has_learnt_the_drawn_breeds(trained: tuple[Path, str], small_dataset: Path) -> None:
    folder, log = trained
    model = load_model(folder)
    files = sorted((small_dataset / "test").rglob("*.jpg"))
    right = 0
    for file, result in zip(files, predict_files(model, [str(f) for f in files]), strict=True):
        assert result.prediction is not None
        right += result.prediction.breeds[0][0] == file.parent.name[4:].replace("_", " ")
    assert right / len(files) == pytest.approx(values(log)["test:accuracy"][0], abs=1e-4)
    assert right >= 8


def test_drawn_dogs_do_not_get_a_dog_threshold_that_they_would_fail(trained: tuple[Path, str]) -> None:
    card = json.loads((trained[0] / "card.json").read_text())
    assert card["is_dog"]["threshold"] is None
    assert "look like dogs to the backbone" in card["is_dog"]["reason"]


def test_real_dogs_get_the_threshold(
    photos: list[tuple[Path, str, bool]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path, label, is_dog in photos:
        if is_dog and label in ("Golden retriever", "Beagle", "Dalmatian"):
            folder = tmp_path / "data" / "train" / label
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder)
    assert (
        main(["--data", str(tmp_path / "data"), "--model-dir", str(tmp_path / "model"), "--epochs", "2"], UNCACHED) == 0
    )
    card = json.loads((tmp_path / "model" / "card.json").read_text())
    assert card["is_dog"]["threshold"] == 0.5
    assert "note: no test photos" in capsys.readouterr().out


def test_the_same_seed_gives_the_same_model(trained: tuple[Path, str], small_dataset: Path, tmp_path: Path) -> None:
    flags = ["--data", str(small_dataset), "--epochs", "8", "--num-workers", "3"]
    assert main([*flags, "--seed", "3", "--model-dir", str(tmp_path / "same")], UNCACHED) == 0
    assert (tmp_path / "same" / "model.onnx").read_bytes() == (trained[0] / "model.onnx").read_bytes()
    assert main([*flags, "--seed", "4", "--model-dir", str(tmp_path / "other")], UNCACHED) == 0
    assert (tmp_path / "other" / "model.onnx").read_bytes() != (trained[0] / "model.onnx").read_bytes()


def test_the_torch_engine_trains_the_same_model(trained: tuple[Path, str], small_dataset: Path, tmp_path: Path) -> None:
    flags = ["--data", str(small_dataset), "--epochs", "8", "--seed", "3", "--engine", "torch"]
    assert main([*flags, "--model-dir", str(tmp_path)], UNCACHED) == 0
    pixels = np.stack([load_model(tmp_path).preprocessing.load(f) for f in sorted(small_dataset.rglob("*.jpg"))[:4]])
    ours, theirs = (load_model(folder).run(pixels).scores for folder in (trained[0], tmp_path))
    assert np.abs(ours - theirs).max() < 0.02


def test_every_part_of_the_head_and_the_features_can_be_chosen(
    small_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--data", str(small_dataset), "--model-dir", str(tmp_path), "--epochs", "60", "--precision", "int8"]
    flags += ["--views", "3", "--hidden", "5", "--label_smoothing", "0.1", "--class-weights", "balanced"]
    assert main([*flags, "--patience", "2", "--name", "hunde"], UNCACHED) == 0
    log = capsys.readouterr().out
    assert "no better for a while: ended after epoch" in log
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["name"] == "hunde"
    assert card["head"]["hidden_units"] == 5
    assert card["warm_start"]["matched"] == 0, "fewer than two units for each of three classes"
    assert card["backbone"]["precision"] == "int8"
    assert card["int8"]["photos"] == 9
    assert card["hyperparameters"]["views"] == 3
    assert values(log)["test:accuracy"][0] >= 0.7
    assert len(load_model(tmp_path).labels) == 3


def test_a_hidden_layer_of_two_units_for_each_class_starts_warm(small_dataset: Path, tmp_path: Path) -> None:
    flags = ["--data", str(small_dataset), "--model-dir", str(tmp_path), "--epochs", "1", "--hidden", "6"]
    assert main(flags, UNCACHED) == 0
    assert json.loads((tmp_path / "card.json").read_text())["warm_start"]["matched"] > 0


def test_fine_tuning_that_only_made_it_worse_is_no_fine_tuned_model(small_dataset: Path, tmp_path: Path) -> None:
    flags = ["--data", str(small_dataset), "--model-dir", str(tmp_path), "--epochs", "8", "--seed", "3"]
    flags += ["--unfreeze", "1", "--fine-tune-epochs", "1", "--fine-tune-learning-rate", "0.1"]
    assert main(flags, UNCACHED) == 0
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["backbone"]["frozen"] is True
    assert "fine-tuned" not in card["summary"][0]
    assert "fine-tuning never lowered the validation loss: the backbone is what it was" in card["data"]["notes"]
    assert card["int8"]["photos"] > 0, "a backbone that is what it was has its INT8"
    assert card["metrics"]["valid:loss"] == card["evaluation"]["valid"]["loss"]


def test_a_checkpoint_after_every_epoch_is_no_file_for_every_photo(small_dataset: Path, tmp_path: Path) -> None:
    flags = ["--data", str(small_dataset), "--model-dir", str(tmp_path / "model"), "--epochs", "1", "--int8", "off"]
    assert main([*flags, "--checkpoint-seconds", "0", "--cache", str(tmp_path / "cache")], UNCACHED) == 0
    photos = len(list(small_dataset.rglob("*.jpg")))
    assert 0 < len(list((tmp_path / "cache").rglob("*.features"))) < photos / 3


def test_a_process_without_one_readable_photo_still_exports_a_model(small_dataset: Path, tmp_path: Path) -> None:
    for name in ("057.Dalmatian", "124.Poodle"):
        folder = tmp_path / "data" / "train" / name
        folder.mkdir(parents=True)
        (folder / "0.jpg").write_text("every second photo is that of the first process")
        shutil.copy(next((small_dataset / "train" / name).glob("*.jpg")), folder / "1.jpg")
    flags = ["--data", str(tmp_path / "data"), "--model-dir", str(tmp_path / "model"), "--epochs", "1"]
    assert main([*flags, "--processes", "2"], {**os.environ, **UNCACHED}) == 0
    assert (tmp_path / "model" / "model.onnx").exists()


def test_int8_that_agrees_on_enough_photos_is_carried(small_dataset: Path, tmp_path: Path) -> None:
    for split, source in (("train", "train"), ("valid", "train"), ("test", "test")):
        shutil.copytree(small_dataset / source, tmp_path / "data" / split)
    assert main(["--data", str(tmp_path / "data"), "--model-dir", str(tmp_path / "model")], UNCACHED) == 0
    found = json.loads((tmp_path / "model" / "card.json").read_text())["int8"]
    assert (found["default"], found["photos"]) == (True, 42)
    assert (tmp_path / "model" / "model.int8.onnx").exists()


def test_int8_can_be_switched_off(small_dataset: Path, tmp_path: Path) -> None:
    flags = ["--data", str(small_dataset), "--model-dir", str(tmp_path), "--epochs", "1", "--int8", "off"]
    assert main(flags, UNCACHED) == 0
    assert not (tmp_path / "model.int8.onnx").exists()
    assert json.loads((tmp_path / "card.json").read_text())["int8"] == {"default": False, "reason": "int8 is off"}


def test_a_zip_is_data_too(trained: tuple[Path, str], small_dataset: Path, tmp_path: Path) -> None:
    archived = shutil.make_archive(str(tmp_path / "dogs"), "zip", small_dataset.parent, small_dataset.name)
    environ = UNCACHED | {"KENNEL_HOME": str(tmp_path / "home")}
    flags = ["--epochs", "8", "--seed", "3", "--model-dir", str(tmp_path / "model")]
    assert main(["--data", archived, *flags], environ) == 0
    assert (tmp_path / "model" / "model.onnx").read_bytes() == (trained[0] / "model.onnx").read_bytes()


def test_a_second_run_on_the_same_photos_starts_at_the_head(
    small_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--data", str(small_dataset), "--model-dir", str(tmp_path / "model"), "--epochs", "2"]
    flags += ["--cache", str(tmp_path / "features")]
    assert main(flags, {}) == 0
    log = capsys.readouterr().out
    assert "came from the cache" not in log
    assert values(log)[metrics.FROM_CACHE] == [0.0]
    first = (tmp_path / "model" / "model.onnx").read_bytes()
    assert main([*flags, "--num-workers", "1"], {}) == 0
    log = capsys.readouterr().out
    assert "60 of 60 photos' features came from the cache" in log
    assert values(log)[metrics.FROM_CACHE] == [1.0], "whoever judges its time has to be told"
    assert (tmp_path / "model" / "model.onnx").read_bytes() == first
    # A tuning trial: other hyperparameters of the head.
    assert main([*flags, "--learning-rate", "0.3"], {}) == 0
    assert "60 of 60 photos' features came from the cache" in capsys.readouterr().out


def test_what_cannot_be_had_is_refused_before_any_photo_is_opened(
    small_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--data", str(small_dataset), "--model-dir", str(tmp_path / "model")]
    for more, words in [
        (["--backbone", "vgg"], "There is no backbone named 'vgg'"),
        (["--backbone", "resnet50"], "ResNet-50 brings no weights with it"),
        (["--weights", str(tmp_path / "nothing.pth")], "nothing.pth"),
        (["--unfreeze", "100"], "has 16 blocks: give fewer, or all"),
        (["--wheels", str(tmp_path)], "there is no .whl file"),
        (["--engine", "torch", "--precision", "int8"], "int8 runs in ONNX Runtime only"),
    ]:
        assert main([*flags, *more], UNCACHED) == 1
        said = capsys.readouterr()
        assert words in said.err
        assert said.err.count("\n") == 1
        assert said.out == ""
    assert main(["--data", str(tmp_path / "none"), "--model-dir", str(tmp_path / "model")], UNCACHED) == 1
    assert f"There is nothing at {tmp_path / 'none'}" in capsys.readouterr().err


# -- inside the container contract ------------------------------------------------------------------------------------


def container(base: Path, data: Path | None, **hyperparameters: str) -> Path:
    config = base / "input" / "config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    (config / "resourceconfig.json").write_text(json.dumps({"current_host": "algo-1", "hosts": ["algo-1"]}))
    (config / "inputdataconfig.json").write_text(json.dumps({"training": {"TrainingInputMode": "File"}}))
    if data:
        shutil.copytree(data, base / "input" / "data" / "training")
    return base


def test_everything_comes_from_the_containers_files(small_dataset: Path, tmp_path: Path, run_module: Run) -> None:
    base = container(tmp_path / "ml", small_dataset, epochs="2", **{"learning-rate": "0.05", "sagemaker_job": "x"})
    done = run_module("training.train", KENNEL_BASE=str(base), TRAINING_JOB_NAME="job-7")
    assert done.returncode == 0, done.stderr
    card = json.loads((base / "model" / "card.json").read_text())
    assert card["name"] == "job-7"
    assert card["hyperparameters"]["learning_rate"] == 0.05
    # The platform packs the model folder itself.
    assert not (base / "model" / "model.tar.gz").exists()
    written = sorted(p.relative_to(base / "model").as_posix() for p in (base / "model").rglob("*.*"))
    assert written == sorted(model_files(base / "model"))
    report = json.loads((base / "output" / "data" / "report.json").read_text())
    assert report["photos"] == {"train": 42, "valid": 9, "test": 9, "total": 60}
    history = json.loads((base / "output" / "data" / "metrics.json").read_text())
    assert len(history["epochs"]) == 2
    assert not (base / "output" / "failure").exists()
    assert load_model(base / "model").labels == ("Dalmatian", "Pembroke welsh corgi", "Poodle")


@pytest.mark.parametrize(
    ("breeds", "hyperparameters", "words"),
    [
        (1, {}, "one class only (Dalmatian)"),
        (0, {}, "no training photos"),
        (3, {"learning_rate": "7"}, "learning_rate is '7'"),
        (3, {"layers": "2"}, "no hyperparameter named layers"),
    ],
)
def test_a_refusal_is_one_sentence_before_anything_starts(
    small_dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    breeds: int,
    hyperparameters: dict[str, str],
    words: str,
) -> None:
    base = container(tmp_path / "ml", small_dataset, **hyperparameters)
    for folder in sorted((base / "input" / "data" / "training").glob("*/*")):
        if folder.name not in ("057.Dalmatian", "118.Pembroke_welsh_corgi", "124.Poodle")[:breeds]:
            shutil.rmtree(folder)
    assert main(["--base", str(base)], UNCACHED) == 1
    said = capsys.readouterr()
    assert words in said.err
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err
    assert "stage=features" not in said.out
    assert (base / "output" / "failure").read_text() == said.err.strip()
    assert not (base / "model" / "model.onnx").exists()


def test_a_missing_channel_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--base", str(container(tmp_path / "ml", None))], UNCACHED) == 1
    assert "no channel named training" in capsys.readouterr().err


def test_a_missing_base_is_named_and_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--base", str(tmp_path / "ml")], UNCACHED) == 1
    assert f"There is no folder {tmp_path / 'ml'}" in capsys.readouterr().err
    assert not (tmp_path / "ml").exists()


def test_the_reason_of_an_earlier_failure_goes(small_dataset: Path, tmp_path: Path) -> None:
    base = container(tmp_path / "ml", small_dataset)
    (base / "output").mkdir(exist_ok=True)
    (base / "output" / "failure").write_text("of the run before")
    assert main(["--base", str(base), "--epochs", "1"], UNCACHED) == 0
    assert not (base / "output" / "failure").exists()


def test_an_unexpected_failure_also_leaves_its_reason(
    small_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("the moon is full")

    monkeypatch.setattr("training.intake.scan", broken)
    base = container(tmp_path / "ml", small_dataset)
    assert main(["--base", str(base)], UNCACHED) == 1
    assert "ZeroDivisionError: the moon is full" in (base / "output" / "failure").read_text()
    assert "Traceback" in capsys.readouterr().err


def test_unreadable_photos_are_skipped_counted_and_named(
    small_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    shutil.copytree(small_dataset, data)
    whole = next((data / "train" / "124.Poodle").glob("*.jpg"))
    (data / "train" / "124.Poodle" / "cut.jpg").write_bytes(whole.read_bytes()[:1500])
    (data / "valid" / "057.Dalmatian" / "text.png").write_text("no photo")
    (data / "test" / "124.Poodle" / os.fsdecode(b"no text\xff\nprogress=1.png")).write_text("no photo")
    assert main(["--data", str(data), "--model-dir", str(tmp_path / "model"), "--epochs", "1"], UNCACHED) == 0
    log = capsys.readouterr().out
    assert "skipped train/124.Poodle/cut.jpg: This photo is cut short" in log
    assert "skipped test/124.Poodle/no text\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}progress=1.png: " in log
    unreadable = json.loads((tmp_path / "model" / "card.json").read_text())["data"]["unreadable"]
    assert unreadable["count"] == 3
    assert {entry["file"] for entry in unreadable["files"]} == {
        "test/124.Poodle/no text\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}progress=1.png",
        "train/124.Poodle/cut.jpg",
        "valid/057.Dalmatian/text.png",
    }


@pytest.mark.skipif(not Path("/bin/sh").exists(), reason="limits the size of files with a shell")
def test_a_full_disk_leaves_the_earlier_model_whole(
    trained: tuple[Path, str], small_dataset: Path, tmp_path: Path
) -> None:
    """Its labels must never stand beside another model's scores."""
    model, data = tmp_path / "model", tmp_path / "data"
    shutil.copytree(trained[0], model)
    shutil.copytree(small_dataset, data)
    for split in ("train", "valid", "test"):
        (data / split / "124.Poodle").rename(data / split / "016.Beagle")
    before = {path: path.read_bytes() for path in model.rglob("*") if path.is_file()}
    command = f"ulimit -f 4000; exec {sys.executable} -m training.train --data {data} --model-dir {model} --epochs 1"
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Errno" not in done.stderr
    assert {path: path.read_bytes() for path in model.rglob("*") if path.is_file()} == before


def test_a_model_folder_that_cannot_be_written_is_found_before_the_work(
    small_dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not Path("/proc/self").exists():
        pytest.skip("needs a folder that nobody can write to")
    assert main(["--data", str(small_dataset), "--model-dir", "/proc/self"], UNCACHED) == 1
    said = capsys.readouterr()
    assert "stage=features" not in said.out
    assert "/proc/" in said.err


# -- stopping ----------------------------------------------------------------------------------------------------------


def test_sigterm_before_there_is_a_model_ends_without_one(small_dataset: Path, tmp_path: Path) -> None:
    with start(small_dataset, tmp_path / "model") as process:
        read_until(process, "stage=features done=0")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 143
    assert err.strip() == "The run was stopped before there was a model to keep."
    assert "Traceback" not in err
    assert not (tmp_path / "model" / "model.onnx").exists()


def test_sigterm_while_the_head_trains_keeps_the_best_so_far(small_dataset: Path, tmp_path: Path) -> None:
    with start(small_dataset, tmp_path / "model", "--epochs", "1000", "--batch-size", "1") as process:
        read_until(process, "epoch=2/1000")
        process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert time.monotonic() - started < 30
    assert "the best so far, is kept" in out
    card = json.loads((tmp_path / "model" / "card.json").read_text())
    assert any("stopped on request" in note for note in card["data"]["notes"])
    assert load_model(tmp_path / "model").labels[0] == "Dalmatian"


def test_help_explains_every_flag_and_code(run_module: Run) -> None:
    done = run_module("training.train", "--help")
    assert done.returncode == 0
    for words in ("--learning-rate", "--batch-size", "--epochs", "--engine", "143", "SM_CHANNEL_TRAINING"):
        assert words in done.stdout


def test_the_packed_model_unpacks_to_the_same_model(trained: tuple[Path, str], tmp_path: Path) -> None:
    archive.unpack(trained[0] / "model.tar.gz", tmp_path / "again")
    for name in MODEL_FILES:
        assert (tmp_path / "again" / name).read_bytes() == (trained[0] / name).read_bytes()
