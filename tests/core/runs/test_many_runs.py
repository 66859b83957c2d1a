"""An account with many runs, on a real embedded AWS: all are found, once, and later looks cost little."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dashboard.core.aws import Aws, connect
from dashboard.core.runs.listing import RunBook, Window
from tests.conftest import start_embedded, stop_embedded
from tests.local_aws.many_runs import fill

COUNT, DAYS = 800, 30.0
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def names() -> list[str]:
    return []


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> Iterator[Aws]:
    home: Path = tmp_path_factory.mktemp("many")
    state = home / "aws"
    state.mkdir()
    names += fill(state, COUNT, until=NOW.timestamp(), days=DAYS)
    running = start_embedded(state)
    yield connect({"KENNEL_HOME": str(home)})
    stop_embedded(running)


def test_every_run_of_all_time_is_found_once(many: Aws, names: list[str]) -> None:
    listing = RunBook(lambda: NOW).look(many, Window.ALL, patience=60)
    assert [run.name for run in listing.runs] == names[::-1]
    assert listing.is_complete
    assert not listing.problems
    assert not listing.is_cut


def test_a_week_holds_the_runs_of_a_week(many: Aws, names: list[str]) -> None:
    listing = RunBook(lambda: NOW).look(many, Window.WEEK, patience=60)
    assert [run.name for run in listing.runs] == names[::-1][: len(listing.runs)]
    assert abs(len(listing.runs) - COUNT * 7 / DAYS) <= 2
    assert all(run.created >= NOW - timedelta(days=7) for run in listing.runs)


def test_what_arrives_first_is_the_newest_and_how_many_there_will_be_is_known(many: Aws, names: list[str]) -> None:
    book = RunBook(lambda: NOW)
    while not (listing := book.look(many, Window.ALL, patience=0)).runs:
        time.sleep(0.005)
    assert listing.runs[0].name == names[-1]
    assert listing.expected == COUNT
    book.look(many, Window.ALL, patience=60)


def test_a_run_that_somebody_deletes_is_gone_after_the_next_full_reading(many: Aws, names: list[str]) -> None:
    moment = [NOW]
    book = RunBook(lambda: moment[0])
    book.look(many, Window.ALL, patience=60)
    many.call("sagemaker", "DeleteTrainingJob", TrainingJobName=names[7])
    moment[0] += timedelta(minutes=16)
    left = {run.name for run in book.look(many, Window.ALL, patience=60).runs}
    assert left == set(names) - {names[7]}
