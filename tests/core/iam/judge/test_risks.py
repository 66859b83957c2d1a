"""Accepted risks and the score's way, over restarts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dashboard.core.errors import InvalidInput, ServiceFault
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.judge.risks import KEPT_POINTS, Risks, held_at

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
OPEN = Finding("dogs", Kind.TRUST, Severity.HIGH, "it trusts *", "anybody", "name one", "trust", 0, {"Effect": "Allow"})
WHY = "The partner's contract runs out in March"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "risks.sqlite"


def accept(risks: Risks, **more: object) -> None:
    given = {"reason": WHY, "by": "Kim", "until": NOW + timedelta(days=30), "now": NOW, **more}
    risks.accept(OPEN, **given)  # type: ignore[arg-type]


def test_an_accepted_risk_is_kept_and_stops_counting_until_its_day(file: Path) -> None:
    accept(Risks("1", file))
    told = Risks("1", file).accepted()
    assert (told[OPEN.key].reason, told[OPEN.key].by, told[OPEN.key].subject) == (WHY, "Kim", "dogs")
    assert held_at(told, NOW) == (OPEN.key,)
    later = NOW + timedelta(days=30)
    assert held_at(told, later) == ()
    assert told[OPEN.key].is_over(later)


def test_a_risk_of_one_account_is_none_of_anothers(file: Path) -> None:
    accept(Risks("1", file))
    assert Risks("2", file).accepted() == {}


def test_what_was_widened_since_is_a_new_finding(file: Path) -> None:
    accept(Risks("1", file))
    wider = Finding("dogs", Kind.TRUST, Severity.HIGH, "it trusts *", "", "", "trust", 0, {"Effect": "Allow", "x": 1})
    assert wider.key not in held_at(Risks("1", file).accepted(), NOW)


def test_it_can_be_taken_back_twice(file: Path) -> None:
    risks = Risks("1", file)
    accept(risks)
    risks.take_back(OPEN.key)
    risks.take_back(OPEN.key)
    assert risks.accepted() == {}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"reason": " short  "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"by": " "}, "by"),
        ({"until": NOW}, "until"),
        ({"until": NOW + timedelta(days=366)}, "until"),
    ],
)
def test_what_nobody_could_answer_for_is_refused(file: Path, wrong: dict[str, object], field: str) -> None:
    risks = Risks("1", file)
    with pytest.raises(InvalidInput) as refused:
        accept(risks, **wrong)
    assert refused.value.field == field
    assert risks.accepted() == {}


def test_the_score_is_written_down_when_it_changes_and_once_a_day(file: Path) -> None:
    risks = Risks("1", file)
    for minutes, score in ((0, 60), (1, 60), (2, 72), (3, 72), (60 * 24, 72)):
        risks.note(score, {Severity.HIGH: 3}, 9, NOW + timedelta(minutes=minutes))
    assert [(one.score, one.at.day) for one in risks.trend()] == [(60, 22), (72, 22), (72, 23)]
    assert risks.trend()[0].counts == {Severity.CRITICAL: 0, Severity.HIGH: 3, Severity.MEDIUM: 0, Severity.LOW: 0}
    assert [one.at.day for one in risks.trend(since=NOW + timedelta(hours=1))] == [23]


def test_only_the_newest_scores_are_kept(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.core.iam.judge.risks.KEPT_POINTS", 5)
    assert KEPT_POINTS > 365
    risks = Risks("1", file)
    for score in range(9):
        risks.note(score, {}, 1, NOW + timedelta(minutes=score))
    assert [one.score for one in risks.trend()] == [4, 5, 6, 7, 8]


def test_a_file_that_is_none_is_told(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("no database at all, only some text that is long enough to be looked at")
    with pytest.raises(ServiceFault, match=r"risks\.sqlite"):
        Risks("1", file).accepted()
