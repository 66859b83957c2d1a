"""Work on data sets in the background: begun once, told of, stopped, and gone on with after the server ended."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashboard import data_jobs
from dashboard.core.aws import Aws
from dashboard.core.data import contents
from dashboard.core.data.contents import Contents
from dashboard.core.data.layout import Placed
from dashboard.core.data.work import Kind, Progress, Stage, Teller, Work
from dashboard.core.errors import AlreadyExists, NotFound, Refused
from dashboard.data_jobs import Jobs
from dashboard.data_report import inspect
from tests.conftest import Embedded
from tests.core.data.conftest import connect_to, empty, fill, picture

PHOTOS = {"train/a/1.jpg": picture(1), "train/b/1.jpg": picture(2)}


@pytest.fixture
def aws(embedded: Embedded) -> Aws:
    made = connect_to(embedded, "eu-west-2")
    where = {"LocationConstraint": "eu-west-2"}
    try:
        made.call("s3", "CreateBucket", Bucket=made.account.bucket, CreateBucketConfiguration=where)
    except AlreadyExists:
        empty(made)
    return made


class Gate:
    """A report that waits until it is let go on."""

    def __init__(self) -> None:
        self.began, self.open = threading.Event(), threading.Event()

    def __call__(self, folder: Path, found: Contents, teller: Teller) -> None:
        self.began.set()
        while not self.open.wait(0.02):
            teller.check()


def until(happened: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (told := happened()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return told


def over(jobs: Jobs, token: str) -> Progress:
    return until(lambda: next((one for one in jobs.all() if one.work.token == token and one.stage.is_over), None))


def upload() -> tuple[Work, list[tuple[Placed, bytes]]]:
    photos = [(Placed(key, key, len(data)), data) for key, data in PHOTOS.items()]
    return Work("t1", Kind.UPLOAD, "new", source="dogs"), photos


def test_an_upload_goes_on_without_the_tab_and_leaves_nothing_here(aws: Aws, tmp_path: Path) -> None:
    done = threading.Event()
    jobs = Jobs(tmp_path / "work", done.set, Gate())
    jobs.start(aws, *upload())
    jobs.start(aws, *upload())  # the same token: a second click
    assert over(jobs, "t1").stage is Stage.DONE
    assert done.wait(30)
    assert len(jobs.all()) == 1
    assert len(contents.read(aws, "new").photos) == 2
    assert list((tmp_path / "work").iterdir()) == []


def test_what_a_server_left_is_found_by_the_next_one_and_goes_on(
    aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as ended:
        ended.setattr(data_jobs.threading.Thread, "start", lambda self: None)  # killed before the first photo was sent
        Jobs(tmp_path / "work", lambda: None, Gate()).start(aws, *upload())
    jobs = Jobs(tmp_path / "work", lambda: None, Gate())
    (left,) = jobs.all()
    assert (left.stage, left.work.name) == (Stage.BROKEN_OFF, "new")
    jobs.go_on(aws, "t1")
    assert over(jobs, "t1").stage is Stage.DONE
    assert len(contents.read(aws, "new").photos) == 2
    assert Jobs(tmp_path / "work", lambda: None, Gate()).all() == ()


def test_an_upload_that_was_never_whole_here_is_not_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "work" / "t1" / "photos").mkdir(parents=True)
    assert Jobs(tmp_path / "work", lambda: None, Gate()).all() == ()
    assert list((tmp_path / "work").iterdir()) == []


def test_it_is_stopped_gone_on_with_and_dismissed(aws: Aws, tmp_path: Path) -> None:
    fill(aws)
    gate = Gate()
    jobs = Jobs(tmp_path / "work", lambda: None, gate)
    jobs.start(aws, Work("t2", Kind.REPORT, "dogs"))
    assert gate.began.wait(60)
    assert jobs.on("dogs") is not None
    jobs.dismiss("t2")  # it goes on: nothing happens
    jobs.stop("t2")
    assert over(jobs, "t2").stage is Stage.STOPPED
    gate.open.set()
    jobs.go_on(aws, "t2")
    assert over(jobs, "t2").stage is Stage.DONE
    jobs.dismiss("t2")
    assert jobs.all() == ()
    with pytest.raises(NotFound):
        jobs.go_on(aws, "t2")


def test_what_waits_for_its_turn_is_stopped_at_once(aws: Aws, tmp_path: Path) -> None:
    gate = Gate()
    jobs = Jobs(tmp_path / "work", lambda: None, gate)
    names = [f"dogs-{number}" for number in range(data_jobs.AT_ONCE + 1)]
    for name in names:
        fill(aws, name, photos=1)
        jobs.start(aws, Work(name, Kind.REPORT, name))
    until(lambda: [one.stage for one in jobs.all()].count(Stage.LOOKING) == data_jobs.AT_ONCE)
    (waiting,) = (one.work.token for one in jobs.all() if one.stage is Stage.WAITING)
    jobs.stop(waiting)
    assert over(jobs, waiting).stage is Stage.STOPPED
    gate.open.set()
    jobs.go_on(aws, waiting)
    assert {over(jobs, name).stage for name in names} == {Stage.DONE}


def test_two_do_not_change_one_data_set_at_once(aws: Aws, tmp_path: Path) -> None:
    fill(aws)
    gate = Gate()
    jobs = Jobs(tmp_path / "work", lambda: None, gate)
    jobs.start(aws, Work("t3", Kind.REPORT, "dogs"))
    assert gate.began.wait(60)
    with pytest.raises(Refused, match="look through dogs"):
        jobs.start(aws, Work("t4", Kind.DELETE, "dogs"))
    gate.open.set()
    over(jobs, "t3")
    jobs.start(aws, Work("t4", Kind.DELETE, "dogs"))
    assert over(jobs, "t4").stage is Stage.DONE


def test_a_fault_of_ours_is_told_and_does_not_go_on_for_ever(aws: Aws, tmp_path: Path) -> None:
    fill(aws)

    def breaks(folder: Path, found: Contents, teller: Teller) -> None:
        raise ZeroDivisionError

    jobs = Jobs(tmp_path / "work", lambda: None, breaks)
    jobs.start(aws, Work("t5", Kind.REPORT, "dogs"))
    assert "does not know how to explain" in str(over(jobs, "t5").problem)


def test_the_report_is_made_by_a_process_of_its_own(aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dashboard.core.data.report import kept

    monkeypatch.setenv("KENNEL_HOME", str(tmp_path / "home"))
    fill(aws)
    jobs = Jobs(tmp_path / "work", lambda: None, inspect)
    jobs.start(aws, Work("t6", Kind.REPORT, "dogs"))
    last = over(jobs, "t6")
    assert (last.stage, last.problem) == (Stage.DONE, None)
    found = kept(tmp_path / "home", contents.read(aws, "dogs").fingerprint)
    assert found is not None
    assert (found.photos, found.classes) == (12, 2)


def test_photos_that_cannot_train_say_why_in_the_reports_own_words(
    aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KENNEL_HOME", str(tmp_path / "home"))
    empty(aws)
    jobs = Jobs(tmp_path / "work", lambda: None, inspect)
    work, photos = upload()
    jobs.start(aws, work, photos[:1])
    over(jobs, "t1")
    jobs.start(aws, Work("t7", Kind.REPORT, "new"))
    assert "one class only" in str(over(jobs, "t7").problem)
