"""Getting hold of the photos, and how the work on them is shared."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.surroundings import surroundings
from training.errors import Stopped
from training.intake import Shares, find_photos
from training.metrics import parse
from training.stopping import Stop


def test_efficiency_is_the_share_of_the_time_that_processes_worked() -> None:
    found = Shares(np.array([100.0, 100.0]), np.array([10.0, 5.0]), hosts=2).as_dict()
    assert found == {"processes": 2, "hosts": 2, "photos_per_second": [10.0, 20.0], "efficiency": 0.75}
    assert Shares(np.array([7.0]), np.array([0.0]), hosts=1).as_dict()["processes"] == 1


def test_a_download_is_followed_in_megabytes(
    small_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes would be more digits than a progress line has room for."""

    def resolve(source: str, cache: Path, on_progress: object) -> Path:
        assert source == "dogImages"
        assert callable(on_progress)
        on_progress(1_132_023_110, 1_132_023_110, "bytes")
        return small_dataset

    monkeypatch.setattr("training.sources.resolve", resolve)
    said: list[str] = []
    dataset = find_photos(surroundings(tmp_path, said, source="dogImages"))
    assert len(dataset.files) == 60
    lines = [found for line in said if (found := parse(line)) is not None]
    assert [(line.done, line.total, line.unit) for line in lines][1:] == [(1132, 1132, "megabytes")]


def test_a_stop_ends_a_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = Stop()

    def resolve(source: str, cache: Path, on_progress: object) -> Path:
        assert callable(on_progress)
        on_progress(1, 10, "bytes")
        stop.request()
        on_progress(2, 10, "bytes")
        raise AssertionError("it went on")

    monkeypatch.setattr("training.sources.resolve", resolve)
    with pytest.raises(Stopped):
        find_photos(surroundings(tmp_path, [], source="dogImages", stop=stop))
