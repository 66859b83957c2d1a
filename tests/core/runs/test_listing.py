"""The run book: all kinds together, read once, then only what has changed."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from dashboard.core.errors import AccessDenied, Unreachable
from dashboard.core.runs.describe import run_from
from dashboard.core.runs.listing import Listing, RunBook, Window
from dashboard.core.runs.model import RunStatus
from tests.views.scripted import ARN, NOW, ScriptedAws

WAIT = 10.0


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> Any:
        return self.now

    def pass_by(self, **length: float) -> None:
        self.now += timedelta(**length)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def aws() -> ScriptedAws:
    account = ScriptedAws()
    account.add_job("dogs-1", age=300)
    account.add_tuning("search", [0.5, 0.3], age=900)
    account.add_ec2("cats-1", age=100)
    return account


@pytest.fixture
def look(aws: ScriptedAws, clock: Clock) -> Callable[..., Listing]:
    book = RunBook(clock)

    def again(window: Window = Window.WEEK) -> Listing:
        clock.pass_by(seconds=3)
        return book.look(aws, window, patience=WAIT)

    again.book = book  # type: ignore[attr-defined]
    return again


def modified(aws: ScriptedAws, name: str, clock: Clock, **changes: Any) -> None:
    aws.jobs[name] |= {"LastModifiedTime": clock.now, **changes}


def test_all_kinds_are_one_list_newest_first(look: Callable[..., Listing]) -> None:
    listing = look()
    assert {run.key for run in listing.runs} == {
        "dogs-1",
        "ec2:cats-1",
        "tuning:search",
        "search-001-00000001",
        "search-002-00000002",
    }
    assert listing.runs == tuple(sorted(listing.runs, key=lambda run: run.created, reverse=True))
    assert listing.is_complete
    assert not listing.problems


def test_a_second_look_describes_nothing_that_has_not_changed(
    look: Callable[..., Listing], aws: ScriptedAws, clock: Clock
) -> None:
    clock.pass_by(minutes=6)
    look()
    aws.calls.clear()
    look()
    assert not aws.asked("Search")
    assert not aws.asked("DescribeTrainingJob")
    assert not aws.asked("DescribeHyperParameterTuningJob")
    assert not aws.asked("GetObject")
    assert not aws.asked("DescribeInstances")
    assert aws.asked("ListTrainingJobs")[0]["LastModifiedTimeAfter"] < clock.now


def test_what_was_modified_is_described_again(look: Callable[..., Listing], aws: ScriptedAws, clock: Clock) -> None:
    aws.add_job("dogs-2", "InProgress", age=20)
    look()
    clock.pass_by(minutes=6)
    look()
    aws.calls.clear()
    modified(aws, "dogs-2", clock, TrainingJobStatus="Stopping", SecondaryStatus="Stopping")
    found = {run.key: run for run in look().runs}
    assert found["dogs-2"].status is RunStatus.STOPPING
    assert [one["TrainingJobName"] for one in aws.asked("DescribeTrainingJob")] == ["dogs-2"]


def test_a_new_run_of_each_kind_appears(look: Callable[..., Listing], aws: ScriptedAws, clock: Clock) -> None:
    before = {run.key for run in look().runs}
    aws.add_job("dogs-9", "InProgress", age=-1)
    modified(aws, "dogs-9", clock)
    aws.add_tuning("later", [], "InProgress", age=-1)
    aws.tunings["later"]["LastModifiedTime"] = clock.now
    aws.add_ec2("cats-9", "InProgress", age=-1)
    assert {run.key for run in look().runs} - before == {"dogs-9", "tuning:later", "ec2:cats-9"}


def test_the_counters_of_a_tuning_job_that_goes_on_are_read_again(
    look: Callable[..., Listing], aws: ScriptedAws
) -> None:
    aws.add_tuning("live", [0.5], "InProgress", age=60)
    look()
    aws.tunings["live"]["TrainingJobStatusCounters"] |= {"Completed": 2}
    found = next(run for run in look().runs if run.key == "tuning:live")
    assert found.tuning is not None
    assert found.tuning.counts["Completed"] == 2


def test_only_ec2_trainings_that_go_on_are_read_again(look: Callable[..., Listing], aws: ScriptedAws) -> None:
    aws.add_ec2("cats-2", "InProgress", age=60)
    look()
    aws.calls.clear()
    look()
    assert {one["Key"].split("/")[1] for one in aws.asked("GetObject")} == {"cats-2"}
    assert len(aws.asked("DescribeInstances")) == 1


def test_without_the_right_to_one_kind_the_rest_stands_and_it_is_said(
    look: Callable[..., Listing], aws: ScriptedAws
) -> None:
    aws.add_ec2("cats-2", "InProgress", age=60)
    aws.errors["DescribeInstances"] = AccessDenied("not allowed to ec2:DescribeInstances")
    listing = look()
    assert listing.problems["EC2 trainings"].what == "not allowed to ec2:DescribeInstances"
    found = {run.key: run.status for run in listing.runs}
    assert found["ec2:cats-2"] is RunStatus.TRAINING  # what it reports itself counts
    assert "dogs-1" in found
    aws.errors.clear()
    assert not look().problems


def test_an_account_that_cannot_be_reached_is_an_error_and_the_next_look_tries_again(
    look: Callable[..., Listing], aws: ScriptedAws
) -> None:
    aws.errors["*"] = Unreachable("nothing answers")
    with pytest.raises(Unreachable):
        look()
    aws.errors.clear()
    assert len(look().runs) == 5


def test_without_any_right_the_first_refusal_is_raised(look: Callable[..., Listing], aws: ScriptedAws) -> None:
    aws.errors["*"] = AccessDenied("not allowed")
    with pytest.raises(AccessDenied):
        look()


def test_a_window_leaves_older_runs_out_and_a_longer_one_reads_them(
    look: Callable[..., Listing], aws: ScriptedAws
) -> None:
    aws.add_job("old", age=20 * 86400)
    aws.add_ec2("old", age=20 * 86400)
    assert not {"old", "ec2:old"} & {run.key for run in look(Window.WEEK).runs}
    assert {"old", "ec2:old"} <= {run.key for run in look(Window.MONTH).runs}
    assert not {"old", "ec2:old"} & {run.key for run in look(Window.WEEK).runs}
    assert {"old", "ec2:old"} <= {run.key for run in look(Window.ALL).runs}


def test_a_run_leaves_the_window_as_time_passes(look: Callable[..., Listing], clock: Clock) -> None:
    assert "tuning:search" in {run.key for run in look(Window.DAY).runs}
    clock.pass_by(hours=24, minutes=-10)
    assert {run.key for run in look(Window.DAY).runs} == {"dogs-1", "ec2:cats-1"}


def test_what_others_deleted_is_gone_after_a_quarter_of_an_hour(
    look: Callable[..., Listing], aws: ScriptedAws, clock: Clock
) -> None:
    look()
    clock.pass_by(minutes=10)
    del aws.jobs["dogs-1"]
    for key in [key for key in aws.bodies if key.startswith("ec2-index/")]:
        del aws.bodies[key]
    assert {"dogs-1", "ec2:cats-1"} <= {run.key for run in look().runs}
    clock.pass_by(minutes=10)
    assert not {"dogs-1", "ec2:cats-1"} & {run.key for run in look().runs}


def test_a_name_that_was_deleted_and_used_again_is_a_new_run(
    look: Callable[..., Listing], aws: ScriptedAws, clock: Clock
) -> None:
    look()
    del aws.jobs["dogs-1"]
    aws.add_job("dogs-1", "InProgress", age=-2)
    modified(aws, "dogs-1", clock)
    aws.tags[f"{ARN}:training-job/dogs-1"] = {"owner": "ada"}
    found = next(run for run in look().runs if run.key == "dogs-1")
    assert (found.status, found.owner) == (RunStatus.TRAINING, "ada")


def test_a_slow_reading_does_not_undo_a_newer_one(look: Callable[..., Listing], aws: ScriptedAws, clock: Clock) -> None:
    look()
    ended = run_from(aws.jobs["dogs-1"] | {"LastModifiedTime": clock.now}, {})
    older = run_from(aws.jobs["dogs-1"] | {"TrainingJobStatus": "InProgress", "SecondaryStatus": "Training"}, {})
    book: RunBook = look.book  # type: ignore[attr-defined]
    book.keep([ended])
    book.keep([older])
    found = book.get("dogs-1")
    assert found is not None
    assert found.status is RunStatus.COMPLETED


def test_a_deleted_run_is_dropped_at_once(look: Callable[..., Listing]) -> None:
    look()
    book: RunBook = look.book  # type: ignore[attr-defined]
    book.drop("ec2:cats-1")
    assert "ec2:cats-1" not in {run.key for run in look().runs}


def test_many_who_look_at_once_are_one_reading(aws: ScriptedAws, clock: Clock) -> None:
    book = RunBook(clock)
    seen: list[Listing] = []
    lookers = [
        threading.Thread(target=lambda: seen.append(book.look(aws, Window.WEEK, patience=WAIT))) for _ in range(12)
    ]
    for one in lookers:
        one.start()
    for one in lookers:
        one.join()
    assert {len(one.runs) for one in seen} == {5}
    assert len([one for one in aws.asked("Search") if one["Resource"] == "TrainingJob"]) == 1


def test_nobody_waits_longer_than_asked_and_what_has_arrived_is_shown(aws: ScriptedAws, clock: Clock) -> None:
    """The EC2 part hangs; the other two are there meanwhile."""
    arrived, go = threading.Event(), threading.Event()
    listed = aws._ListObjectsV2

    def slow(asked: dict[str, Any]) -> dict[str, Any]:
        arrived.set()
        assert go.wait(WAIT)
        return listed(asked)

    aws._ListObjectsV2 = slow  # type: ignore[method-assign]
    book = RunBook(clock)
    book.look(aws, Window.WEEK, patience=0)
    assert arrived.wait(WAIT)
    while len((first := book.look(aws, Window.WEEK, patience=0)).runs) < 4:
        pass
    assert not first.is_complete
    assert first.is_busy
    assert first.fraction < 1
    go.set()
    assert book.look(aws, Window.WEEK, patience=WAIT).is_complete


def test_one_broken_document_hides_no_other_run_and_is_said(look: Callable[..., Listing], aws: ScriptedAws) -> None:
    aws.add_ec2("cats-2", age=50)
    aws.add_ec2("cats-3", "InProgress", age=40)
    aws.bodies["ec2-runs/cats-2/request.json"] = b"{half"
    listing = look()
    assert {"ec2:cats-1", "ec2:cats-3"} <= {run.key for run in listing.runs}
    assert "cats-2" in listing.problems["EC2 trainings"].what
    aws.bodies["ec2-runs/cats-3/status.json"] = b"[]"  # as it is being written over
    assert "ec2:cats-3" in {run.key for run in look().runs}


def test_a_reading_that_was_under_way_when_something_changed_is_not_enough(aws: ScriptedAws, clock: Clock) -> None:
    arrived, go = threading.Event(), threading.Event()
    listed = aws._ListObjectsV2

    def slow(asked: dict[str, Any]) -> dict[str, Any]:
        arrived.set()
        assert go.wait(WAIT)
        return listed(asked)

    book = RunBook(clock)
    book.look(aws, Window.WEEK, patience=WAIT)
    aws._ListObjectsV2 = slow  # type: ignore[method-assign]
    clock.pass_by(seconds=3)
    book.look(aws, Window.WEEK, patience=0)
    assert arrived.wait(WAIT)
    aws.add_job("dogs-9", "InProgress", age=-3)  # launched while the reading waits for the index of EC2
    modified(aws, "dogs-9", clock)
    book.stale()
    go.set()
    assert "dogs-9" in {run.key for run in book.look(aws, Window.WEEK, patience=WAIT).runs}


def test_a_server_that_runs_for_months_keeps_the_newest(
    look: Callable[..., Listing], aws: ScriptedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.core.runs.listing.MOST", 20)
    monkeypatch.setattr("dashboard.core.runs.listing.SPARE", 5)
    for number in range(60):
        aws.add_job(f"many-{number:02}", age=1000 - number)
    listing = look()
    trainings = [run for run in listing.runs if run.key == run.name]
    assert 20 <= len(trainings) <= 25
    assert trainings[0].name == "dogs-1"
    assert "many-59" in {run.name for run in trainings}
    assert "many-00" not in {run.name for run in trainings}
    assert listing.is_cut
