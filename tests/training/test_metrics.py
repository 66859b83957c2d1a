"""The log's grammar: what is printed is what SageMaker's expressions and the dashboard read."""

import math
import re

import pytest

from training import metrics
from training.metrics import METRIC_DEFINITIONS, Stage, parse


def test_an_epoch_line_is_read_back() -> None:
    line = metrics.epoch_line(3, 20, (0.53124, 0.90123), (0.6, 0.88))
    assert line == "epoch=3/20 train_loss=0.5312 train_accuracy=0.9012 valid_loss=0.6000 valid_accuracy=0.8800"
    found = parse(line)
    assert found is not None
    assert (found.epoch, found.epochs) == (3, 20)
    assert found.values == {
        "train:loss": 0.5312, "train:accuracy": 0.9012, "valid:loss": 0.6, "valid:accuracy": 0.88,
    }  # fmt: skip


def test_an_epoch_without_validation_has_no_validation_metrics() -> None:
    found = parse(metrics.epoch_line(1, 2, (0.5, 0.9)))
    assert found is not None
    assert set(found.values) == {"train:loss", "train:accuracy"}


def test_a_progress_line_is_read_back() -> None:
    line = metrics.progress_line(0.42, Stage.FEATURES, 120, 500, "photos", 3.14)
    assert line == "progress=0.420 stage=features done=120 total=500 unit=photos eta_seconds=3.1"
    found = parse(line)
    assert found is not None
    assert found.values == {"progress": 0.42}
    assert (found.stage, found.done, found.total, found.unit, found.eta_seconds) == (
        "features", 120, 500, "photos", 3.1,
    )  # fmt: skip


def test_progress_stays_between_none_and_all() -> None:
    assert metrics.progress_line(1.2, Stage.EXPORT, 1, 1, "models").startswith("progress=1.000")
    assert metrics.progress_line(-1, Stage.SCAN, 0, 1, "folders", -2.0).endswith("eta_seconds=0.0")


def test_the_final_lines_also_have_the_form_that_tuning_jobs_look_for() -> None:
    lines = metrics.test_lines(0.43, 0.91)
    assert lines[1:] == ("Testing Loss: 0.4300", "Testing Accuracy: 0.9100")
    found = parse(lines[0])
    assert found is not None
    assert found.values == {"test:loss": 0.43, "test:accuracy": 0.91}
    assert parse(lines[1]) is None


def test_what_came_from_a_cache_is_read_back() -> None:
    for known, total, share in ((0, 60, 0.0), (20, 60, 0.3333), (60, 60, 1.0), (0, 0, 0.0)):
        found = parse(metrics.from_cache_line(known, total))
        assert found is not None
        assert found.values == {metrics.FROM_CACHE: share}


@pytest.mark.parametrize("line", ["", "hello", "lossy=3", "Downloading 3 of 5", "train_loss=", "epoch=3/20"])
def test_other_lines_hold_no_metric(line: str) -> None:
    assert parse(line) is None


def test_a_timestamp_before_the_line_does_not_matter() -> None:
    found = parse("2026-01-01T00:00:00Z algo-1 | epoch=1/2 train_loss=1e-05 train_accuracy=1.0")
    assert found is not None
    assert found.values["train:loss"] == 1e-5


def test_the_definitions_are_what_sagemaker_takes() -> None:
    assert len(METRIC_DEFINITIONS) <= 40
    for definition in METRIC_DEFINITIONS:
        assert set(definition) == {"Name", "Regex"}
        assert re.compile(definition["Regex"]).groups == 1
        assert len(definition["Regex"]) <= 500


def test_a_log_by_somebody_else_is_read_without_harm() -> None:
    digits = "9" * 5000
    for line in (f"epoch={digits}/3 train_loss=0.5", f"train_loss=0.5 done={digits} total=1 unit=photos"):
        found = metrics.parse(line)
        assert found is not None
        assert (found.epoch, found.done) == (None, None)
    assert metrics.parse("progress=nan stage=head") is None
    found = metrics.parse("progress=0.5 eta_seconds=inf")
    assert found is not None
    assert found.eta_seconds is None
    lost = metrics.parse("epoch=1/2 train_loss=nan")
    assert lost is not None
    assert math.isnan(lost.values["train:loss"])
