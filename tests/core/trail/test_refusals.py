"""What was tried and refused is in the trail, however often somebody tries."""

from pathlib import Path

from dashboard.core.errors import AccessDenied, KennelError, NotFound, ReadOnly, Refused
from dashboard.core.trail import refusals, scribe
from dashboard.core.trail.book import Book
from dashboard.core.trail.model import Result
from dashboard.core.trail.read import deeds
from dashboard.core.trail.refusals import Refusals

WHY = Refused('"Stop run" is for engineers', "you are signed in as max, a manager", "ask ann")


def test_who_tried_what_and_why_it_was_refused_is_written_down(tmp_path: Path) -> None:
    book = Book(tmp_path / "activity.sqlite")
    Refusals(lambda: 0.0).write(book, "Stop run", "max", None, WHY, key="8", plan=["Stop run dogs-9"])
    (tried,) = deeds(book)
    assert (tried.what, tried.who, tried.key, tried.result) == ("Stop run", "max", "8", Result.REFUSED)
    assert (tried.said, tried.why, tried.next_step) == (WHY.what, WHY.why, WHY.next_step)
    assert tried.plan == ("Stop run dogs-9",)
    assert tried.result.is_over


def test_the_same_attempt_is_written_once_a_minute_and_the_rest_is_counted(tmp_path: Path) -> None:
    book, now = Book(tmp_path / "activity.sqlite"), [0.0]
    one = Refusals(lambda: now[0])
    for _ in range(50):
        one.write(book, "Stop run", "max", None, WHY, key="8")
    one.write(book, "Delete endpoint", "max", None, WHY, key="8")
    one.write(book, "Stop run", "eve", None, WHY, key="9")
    now[0] = refusals.AGAIN
    one.write(book, "Stop run", "max", None, WHY, key="8")
    found = [(one.who, one.what, one.plan) for one in deeds(book)]
    assert [told[:2] for told in found] == [
        ("max", "Stop run"),
        ("eve", "Stop run"),
        ("max", "Delete endpoint"),
        ("max", "Stop run"),
    ]
    assert found[2][2] == ("Before it, 49 attempts were refused and not written down",)


def test_nobody_fills_the_trail_with_attempts(tmp_path: Path) -> None:
    book, now = Book(tmp_path / "activity.sqlite"), [0.0]
    one = Refusals(lambda: now[0])
    for number in range(refusals.MOST + 20):
        one.write(book, f"Stop run {number}", "a visitor", None, WHY)
    assert book.last() == 2 * refusals.MOST
    now[0] = refusals.HOUR
    one.write(book, "Stop run", "a visitor", None, WHY)
    assert deeds(book, 1)[0].plan == ("Before it, 20 attempts were refused and not written down",)


def test_what_aws_or_a_read_only_account_does_not_allow_is_refused_and_what_goes_wrong_failed(tmp_path: Path) -> None:
    book = Book(tmp_path / "activity.sqlite")
    problems: tuple[KennelError, ...] = (ReadOnly("only reads"), AccessDenied("not allowed"), NotFound("not there"))
    for problem in problems:
        scribe.begin(book, problem.what, "ann", None).release(problem)
    assert [one.result for one in deeds(book)] == [Result.FAILED, Result.REFUSED, Result.REFUSED]
