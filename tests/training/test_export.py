"""The card and what else a run leaves behind: complete, readable, for any labels, never half-written."""

import dataclasses
import json
import os
import resource
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training import backbones, report
from training.card import Results, describe
from training.container import Paths
from training.data import Dataset, Split, Unreadable, scan
from training.errors import TrainingError
from training.evaluate import agreement, judge
from training.export import export
from training.feature_table import empty_table
from training.graph import Head
from training.head import Epoch, Score, Trained
from training.inference import load_model, onnx_session
from training.network import head_scores
from training.quantise import quantised
from training.settings import Settings
from training.weights import Weights

LITE = backbones.get("efficientnet_lite0")
CLASSES = ("001.Affenpinscher", "057.Dalmatian", "124.Poodle")
COUNTS = {Split.TRAIN: 30, Split.VALID: 12, Split.TEST: 9}


@pytest.fixture(scope="module")
def weights() -> Weights:
    return backbones.load_weights(LITE, "", Path())


def folder_of(classes: tuple[str, ...], root: Path) -> Dataset:
    """A data set of empty files: nothing here opens a photo."""
    for split, count in COUNTS.items():
        for name in classes:
            (root / split / name).mkdir(parents=True)
            for number in range(count // len(classes)):
                (root / split / name / f"{number}.jpg").touch()
    return scan(root)


Make = Callable[..., Results]


@pytest.fixture
def make(tmp_path: Path, weights: Weights) -> Make:
    """Results of a run that is right about five photos in six, and far too sure of it."""

    def made(classes: tuple[str, ...] = CLASSES, dog: float = 0.9, **changed: Any) -> Results:
        dataset = folder_of(classes, tmp_path / f"my dogs {len(list(tmp_path.iterdir()))}")
        chance = np.random.default_rng(0)
        count, width = len(dataset.files), len(classes)
        table = empty_table(count, 1, LITE.features)
        table.dog[:], table.sizes[:], table.readable[:] = dog, 300, True
        table.digests[:] = chance.integers(256, size=(count, 32))
        table.hashes[:] = chance.integers(256, size=(count, 32))
        table.unreadable = (Unreadable("train/057.Dalmatian/cut.jpg", "This photo is cut short"),)
        head = Head(
            chance.normal(size=(width, LITE.features)).astype(np.float32) / np.float32(30), np.zeros(width, np.float32)
        )
        scores = (12 * np.eye(width)[dataset.targets] + chance.normal(size=(count, width))).astype(np.float32)
        scores[::6] = np.roll(scores[::6], 1, axis=1)
        rows = {split: dataset.rows(split) for split in Split}
        valid, test = ((scores[rows[split]], dataset.targets[rows[split]]) for split in (Split.VALID, Split.TEST))
        epochs = tuple(Epoch(n, Score(1 / n, 0.5), Score(1.5 / n, 0.4)) for n in (1, 2))
        start = Epoch(0, Score(2.0, 0.2), Score(2.1, 0.1))
        results = Results(
            dataset=dataset,
            table=table,
            report=report.build(dataset, table.digests, table.hashes, table.sizes, table.unreadable),
            backbone=LITE,
            weights=weights,
            chosen=Settings(name="my model"),
            trained=Trained(head, epochs, epochs[1], start),
            judged=judge(valid, test, dataset.labels),
            warm=3,
            agreement=agreement(*(np.tile(one, (2, 1)) for one in (valid[0], valid[0])), np.tile(valid[1], 2)),
            int8_reason="",
            processes={"processes": 2, "hosts": 1, "photos_per_second": [100.0, 90.0], "efficiency": 0.95},
            stopped=False,
        )
        return dataclasses.replace(results, **changed)

    return made


def card_of(results: Results) -> dict[str, Any]:
    card = describe(results, lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    again: dict[str, Any] = json.loads(json.dumps(card))
    assert again == json.loads(json.dumps(again))
    return again


# -- the card ----------------------------------------------------------------------------------------------------------


def test_the_card_holds_everything_that_a_page_shows(make: Make) -> None:
    card = card_of(make())
    assert list(card)[:3] == ["summary", "name", "created"]
    assert (card["name"], card["created"]) == ("my model", "2026-01-02T03:04:05+00:00")
    assert card["backbone"]["title"] == "EfficientNet-Lite0"
    assert card["backbone"]["frozen"] is True
    assert len(card["backbone"]["sha256"]) == 64
    assert card["head"] == {"kind": "linear", "hidden_units": 0, "parameters": 3 * 1281, "maps": True}
    assert card["data"]["photos"] == {"train": 30, "valid": 12, "test": 9}
    assert card["data"]["classes"] == 3
    assert card["data"]["unreadable"]["files"] == [
        {"file": "train/057.Dalmatian/cut.jpg", "reason": "This photo is cut short"}
    ]
    assert {"leakage", "duplicates", "imbalance", "tiny", "warnings", "photos_by_class"} <= set(card["data"])
    assert {"train:loss", "valid:accuracy", "test:loss", "test:accuracy", "test:macro_f1"} <= set(card["metrics"])
    assert card["metrics"]["test:loss"] == card["evaluation"]["test"]["loss"]
    for split in ("test", "valid"):
        found = card["evaluation"][split]
        assert sum(count for _, _, count in found["confusion"]) == found["photos"] == card["data"]["photos"][split]
        assert [row["label"] for row in found["classes"]] == ["Affenpinscher", "Dalmatian", "Poodle"]
    assert card["calibration"]["fitted_on"] == "valid"
    assert card["calibration"]["photos"] == 12
    assert card["calibration"]["ece_before"] == card["evaluation"]["valid"]["ece_before"]
    assert card["int8"]["default"] is True
    assert card["warm_start"]["matched"] == card["warm_start"]["labels"] == 3
    assert card["warm_start"]["before_training"]["valid"] == {"loss": 2.1, "accuracy": 0.1}
    assert card["distributed"]["processes"] == 2
    assert card["hyperparameters"]["best_epoch"] == 2
    assert card["versions"]["numpy"] == np.__version__


def test_the_summary_says_it_in_sentences(make: Make) -> None:
    said = " ".join(card_of(make())["summary"])
    assert "Tells 3 classes apart, learnt from 30 photos of my dogs 0 on EfficientNet-Lite0." in said
    assert "of 9 test photos (95% interval: " in said
    assert "It most often took " in said
    assert "(fitted on 12 validation photos)" in said
    assert "3 of 3 labels started from what ImageNet's own weights know." in said
    assert "A photo counts as a dog from a probability of 0.5; photos that pass: 100.0% of train" in said
    assert "It is served in INT8: 24 of 24 photos have the same first class" in said


def test_a_temperature_that_did_not_help_is_said(make: Make) -> None:
    sure = np.eye(3, dtype=np.float32)[np.arange(12) % 3] * 12, np.arange(12, dtype=np.int64) % 3
    card = card_of(make(judged=judge(sure, sure, ["a", "b", "c"])))
    assert card["calibration"]["temperature"] == 1.0
    assert any("no temperature made them better (measured on 12 validation photos)" in line for line in card["summary"])


def test_a_model_that_nobody_judged_says_so(make: Make) -> None:
    empty = np.zeros((0, 3), np.float32), np.zeros(0, np.int64)
    unjudged = judge(empty, empty, ["a", "b", "c"])
    epoch = Epoch(4, Score(0.5, 0.8), None)
    head = make().trained.head
    card = card_of(
        make(judged=unjudged, trained=Trained(head, (epoch,), epoch), warm=None, agreement=None, int8_reason="off")
    )
    said = " ".join(card["summary"])
    assert "Nobody knows how good it is" in said
    assert "uncalibrated" in said
    assert card["evaluation"] == {"precision": "fp32", "test": None, "valid": None}
    assert set(card["metrics"]) == {"train:loss", "train:accuracy"}
    assert card["calibration"]["temperature"] == 1.0
    assert card["int8"] == {"default": False, "reason": "off"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (Settings(warm_start=False), "warm_start is off"),
        (
            Settings(hidden=5),
            "its hidden layer starts from random weights, because it has fewer than 6 units",
        ),
        (Settings(hidden=6), "these weights have no ImageNet classes"),
        (Settings(), "these weights have no ImageNet classes"),
    ],
)
def test_a_cold_start_says_why(make: Make, settings: Settings, words: str) -> None:
    found = card_of(make(chosen=settings, warm=None))["warm_start"]
    assert (found["matched"], found["reason"]) == (0, f"cold start: {words}")


def test_a_stop_on_request_is_noted(make: Make) -> None:
    card = card_of(make(stopped=True, chosen=Settings(epochs=20)))
    assert card["data"]["notes"][-1] == "stopped on request after 2 of 20 epochs"
    assert card["hyperparameters"]["epochs_run"] == 2
    assert card["hyperparameters"]["ended_early"] == "head: 2 of 20 epochs, stopped on request"
    assert any("2 of 20 epochs, stopped on request); epoch 2, the best, was kept." in said for said in card["summary"])


def test_patience_is_noted_and_a_fine_tuned_model_names_its_own_best_epoch(make: Make) -> None:
    epochs = tuple(Epoch(n, Score(1 / n, 0.5), Score(1.5 / n, 0.4)) for n in (1, 2, 3))
    settings = Settings(epochs=2, unfreeze="1", fine_tune_epochs=9, patience=2)
    tuned = {"tuned": epochs, "tuned_best": epochs[0], "agreement": None, "int8_reason": "it was fine-tuned"}
    card = card_of(make(chosen=settings, **tuned))
    assert card["hyperparameters"]["best_fine_tune_epoch"] == 1
    assert card["hyperparameters"]["best_epoch"] == 2
    said = " ".join(card["summary"])
    assert "fine-tuning: 3 of 9 epochs, no better for 2 epochs (patience)); fine-tuning's epoch 1" in said
    assert "It is served in fp32 only: it was fine-tuned." in said


def test_a_run_of_all_its_epochs_did_not_end_early(make: Make) -> None:
    card = card_of(make(chosen=Settings(epochs=2)))
    assert card["hyperparameters"]["ended_early"] == ""
    assert "ended early" not in " ".join(card["summary"])


@pytest.mark.parametrize(("measured", "served"), [("fp32", "int8"), ("int8", "int8"), ("int8", "fp32")])
def test_figures_say_in_which_numbers_they_were_measured(make: Make, measured: str, served: str) -> None:
    changed = {} if served == "int8" else {"agreement": None, "int8_reason": "int8 is off"}
    card = card_of(make(chosen=Settings(precision=measured), **changed))
    assert card["evaluation"]["precision"] == measured
    said = [line for line in card["summary"] if line.startswith("Its accuracy and probabilities were measured in ")]
    numbers = f"{measured}, and it is served in {served}.".replace("int8", "INT8")
    assert said == ([] if measured == served else [f"Its accuracy and probabilities were measured in {numbers}"])


# -- the dog threshold -------------------------------------------------------------------------------------------------


def test_dogs_get_a_threshold_with_its_measured_rates(make: Make) -> None:
    results = make()
    results.table.dog[[0, 31, 32]] = 0.1
    found = card_of(results)["is_dog"]
    assert found["threshold"] == 0.5
    assert found["rates"] == {
        "train": {"photos": 30, "passed": 29, "share": 0.9667},
        "valid": {"photos": 12, "passed": 10, "share": 0.8333},
        "test": {"photos": 9, "passed": 9, "share": 1.0},
    }
    assert "97% of the training photos pass" in found["reason"]


@pytest.mark.parametrize(
    ("dog", "settings", "words"),
    [
        (0.3, Settings(), "only 0% of the training photos look like dogs"),
        (float("nan"), Settings(), "have no ImageNet classes"),
        (0.9, Settings(unfreeze="2"), "the backbone was fine-tuned"),
    ],
)
def test_where_it_cannot_tell_dogs_there_is_no_threshold(
    make: Make, dog: float, settings: Settings, words: str
) -> None:
    tuned = Epoch(3, Score(0.1, 0.9), None)
    card = card_of(make(dog=dog, chosen=settings, tuned_best=None if settings.is_frozen else tuned))
    assert card["backbone"]["frozen"] is settings.is_frozen
    assert card["is_dog"]["threshold"] is None
    assert words in card["is_dog"]["reason"]
    assert any("It cannot tell whether a photo shows a dog" in sentence for sentence in card["summary"])


def test_a_run_that_was_stopped_before_fine_tuning_still_tells_dogs(make: Make) -> None:
    card = card_of(make(chosen=Settings(unfreeze="all"), stopped=True))
    assert card["is_dog"]["threshold"] == 0.5
    assert card["backbone"]["frozen"] is True


# -- files -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample() -> Any:
    return np.random.default_rng(0).normal(size=(2, 3, 224, 224)).astype(np.float32)


def paths_in(folder: Path, container: bool = True) -> Paths:
    return Paths(
        "data", folder / "model", folder / "output", folder / "failure" if container else None, None, (), folder
    )


def leave(results: Results, paths: Paths, sample: Any, off_by: float = 0.0) -> None:
    """Export with what the trained head says of the graph's own features."""
    graph = backbones.build_model(LITE, results.weights, results.trained.head).SerializeToString()
    int8 = quantised(graph)
    checked = int8 if results.chosen.precision == "int8" else graph
    features = onnx_session(checked).run(["features"], {"pixels": sample})[0]
    results.table.sample = sample
    expected = head_scores(results.trained.head, features) + np.float32(off_by)
    export(results, describe(results), paths, graph=graph, int8=int8, expected=expected)


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


STRANGE = (
    "001.St._Bernard v1.2",
    "x..%2f..%2fetc",
    "-rf $HOME",
    "C:\\dogs\\pug",
    "Löwchen",
    "a'b\"c`d;e|f",
    "label.with.dots.",
    "犬 🐕",
    "<b>bold",
)


def test_any_label_travels_with_the_model(make: Make, sample: Any, tmp_path: Path) -> None:
    results = make(classes=STRANGE)
    paths = paths_in(tmp_path / "out", container=False)
    leave(results, paths, sample)
    model = load_model(paths.model)
    assert model.labels == tuple(results.dataset.labels)
    shown = set(model.labels)
    assert {
        "St. Bernard v1.2",
        "x..%2f..%2fetc",
        "-rf $HOME",
        "C:\\dogs\\pug",
        "Löwchen",
        "犬 🐕",
        "<b>bold",
    } <= shown
    with tarfile.open(paths.model / "model.tar.gz") as packed:
        names = packed.getnames()
        assert json.load(packed.extractfile("labels.json"))["labels"] == list(model.labels)  # type: ignore[arg-type]
    assert not any(".." in name or name.startswith("/") for name in names)
    assert model.predict(sample)[0].breeds[0][0] in shown


def test_a_folder_name_that_is_no_text_does_not_end_the_export(make: Make, sample: Any, tmp_path: Path) -> None:
    broken = os.fsdecode(b"pug\xff\xfe")
    paths = paths_in(tmp_path / "out")
    leave(make(classes=("001.Boxer", broken)), paths, sample)
    labels = load_model(paths.model).labels
    assert labels[0] == "Boxer"
    assert labels[1].isprintable()
    assert "pug" in labels[1]


def test_the_page_gets_figures_and_report_as_json(make: Make, sample: Any, tmp_path: Path) -> None:
    results = make()
    paths = paths_in(tmp_path / "out")
    leave(results, paths, sample)
    assert not (paths.model / "model.tar.gz").exists()  # the platform packs it
    assert paths.output is not None
    assert sorted(content(paths.output)) == ["metrics.json", "report.json"]
    found = json.loads((paths.output / "metrics.json").read_text(encoding="utf-8"))
    card = json.loads((paths.model / "card.json").read_text(encoding="utf-8"))
    assert found["epochs"][1] == {
        "number": 2, "train": {"loss": 0.5, "accuracy": 0.5}, "valid": {"loss": 0.75, "accuracy": 0.4},
    }  # fmt: skip
    assert found["start"]["number"] == 0
    assert found["labels"] == ["Affenpinscher", "Dalmatian", "Poodle"]
    for key in ("metrics", "evaluation", "calibration", "is_dog", "int8", "warm_start"):
        assert found[key] == card[key]
    assert json.loads((paths.output / "report.json").read_text(encoding="utf-8")) == results.report.as_dict()


def test_a_head_that_learnt_on_int8_is_checked_in_int8(make: Make, sample: Any, tmp_path: Path) -> None:
    leave(make(chosen=Settings(precision="int8")), paths_in(tmp_path / "out"), sample)
    with pytest.raises(TrainingError, match="does not give the trained scores"):
        leave(make(chosen=Settings(precision="int8")), paths_in(tmp_path / "other"), sample, off_by=0.5)


def test_what_a_gpu_rounds_is_no_other_score(make: Make, sample: Any, tmp_path: Path) -> None:
    # Half precision moves the scores of a trained head by up to a six-hundredth of the largest.
    leave(make(chosen=Settings(engine="torch")), paths_in(tmp_path / "out"), sample, off_by=0.003)
    assert (tmp_path / "out" / "model" / "model.onnx").exists()
    with pytest.raises(TrainingError, match="does not give the trained scores"):
        leave(make(chosen=Settings(engine="torch")), paths_in(tmp_path / "other"), sample, off_by=0.5)


def test_a_graph_that_gives_other_scores_is_not_written(make: Make, sample: Any, tmp_path: Path) -> None:
    paths = paths_in(tmp_path / "out")
    with pytest.raises(TrainingError, match="does not give the trained scores"):
        leave(make(), paths, sample, off_by=0.1)
    assert not paths.model.exists()


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """As on a full disk, a write beyond that fails; Python ignores the signal that comes with it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_what_was_there_and_nothing_half_written(make: Make, sample: Any, tmp_path: Path) -> None:
    paths = paths_in(tmp_path / "out")
    leave(make(), paths, sample)
    before = content(tmp_path / "out")
    other = make(classes=("a", "b", "c"))
    with files_no_larger_than(4_000_000), pytest.raises(OSError, match="too large"):
        leave(other, paths, sample)
    assert content(tmp_path / "out") == before
