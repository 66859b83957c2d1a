"""Measurements on disk."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dashboard.core.serving.measure.kept import MOST, keep, measurements
from dashboard.core.serving.measure.result import Level, Measurement

AT = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
ONE = Measurement(
    "dogs", "main", AT, "dogs-1", "ml.m5.large", 1, 2, (Level(1, 10, 1.0, 0.1, None, 0.3, {"throttled": 2}),), "it was"
)


def test_what_was_measured_is_there_again(tmp_path: Path) -> None:
    keep(tmp_path, ONE)
    assert measurements(tmp_path, "dogs", "main") == (ONE,)
    assert measurements(tmp_path, "cats", "main") == ()


def test_the_newest_come_first_and_the_oldest_go(tmp_path: Path) -> None:
    for number in range(MOST + 3):
        keep(tmp_path, replace(ONE, at=AT + timedelta(minutes=number)))
    found = measurements(tmp_path, "dogs", "main")
    assert len(found) == MOST
    assert found[0].at == AT + timedelta(minutes=MOST + 2)


@pytest.mark.parametrize("text", ["", "[]", '{"version": 2}', '{"version": 1, "levels": 7}'])
def test_a_file_that_makes_no_sense_is_set_aside(tmp_path: Path, text: str) -> None:
    keep(tmp_path, ONE)
    (tmp_path / "dogs" / "main" / "20990101T000000.json").write_text(text)
    assert measurements(tmp_path, "dogs", "main") == (ONE,)
    assert len(list((tmp_path / "dogs" / "main").glob("*.broken"))) == 1


def test_a_name_is_no_way_out_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no names"):
        keep(tmp_path, replace(ONE, endpoint="../../etc"))
