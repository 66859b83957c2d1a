"""The figures of the Security page."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboard.core.format import short
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.judge.risks import Point
from dashboard.ui import figures_security as figures

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def point(score: int, days: float, **counts: int) -> Point:
    return Point(NOW - timedelta(days=days), score, {Severity(name): number for name, number in counts.items()}, 3)


def finding(role: str, severity: Severity) -> Finding:
    return Finding(role, Kind.TRUST, severity, "it trusts *", "", "")


FOUND = {
    "DogProject": (finding("DogProject", Severity.CRITICAL), finding("DogProject", Severity.LOW)),
    "DogPartner": (finding("DogPartner", Severity.HIGH),),
}


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ([], "No score yet"),
        ([point(40, 9), point(52, 0)], "Score 52 of 100, up 12 since 13 Nov"),
        ([point(52, 9), point(40, 0)], "Score 40 of 100, down 12 since 13 Nov"),
        ([point(52, 0.25), point(52, 0)], "Score 52 of 100, as it was since 06:00 UTC"),
        (
            [point(40, 9), point(52, 8), point(43, 7), point(40, 0)],
            "Score 40 of 100, as it was on 13 Nov; 43 to 52 in between",
        ),
    ],
)
def test_the_trend_says_its_finding(points: list[Point], says: str) -> None:
    assert figures.trend_finding(points) == says


def test_the_trend_is_a_line_from_0_to_100_once_there_are_two_points() -> None:
    assert figures.trend([point(40, 0)]) is None
    figure = figures.trend([point(40, 9, critical=1), point(52, 0, high=2)], is_dark=True)
    assert figure is not None
    (line,) = figure.data
    assert list(line.y) == [40, 52]
    assert line.customdata[1][0] == "2 high"
    assert figure.layout.yaxis.range == (0, 105)


def test_the_bars_have_the_worst_on_top_and_tell_severities_apart_without_colour() -> None:
    figure = figures.subjects(FOUND)
    assert figure is not None
    assert [bar.name for bar in figure.data] == ["critical", "high", "low"]
    assert list(figure.data[0].y) == ["DogPartner", "DogProject"]  # drawn from the bottom up
    assert list(figure.data[0].x) == [0, 1]
    assert len({bar.marker.pattern.shape for bar in figure.data}) == 3
    assert figures.subjects({}) is None


def test_only_the_worst_are_drawn_and_all_are_in_the_table() -> None:
    many = {f"role-{number}": (finding(f"role-{number}", Severity.HIGH),) for number in range(20)}
    figure = figures.subjects(many)
    assert figure is not None
    assert len(figure.data[0].y) == figures.MOST
    assert len(figures.subject_rows(many)) == 20


def test_the_finding_names_the_worst() -> None:
    assert figures.subjects_finding(FOUND) == "DogProject is the worst: 1 critical, 1 low; 1 other has findings too"
    assert figures.subjects_finding({}) == "No role has a finding"


def test_the_numbers_behind_the_line() -> None:
    (row,) = figures.trend_rows([point(40, 0, critical=2)])
    assert (row["Score"], row["critical"], row["low"]) == (40, 2, 0)


def test_long_names_leave_room_for_the_bars_and_stay_apart() -> None:
    names = [f"{'TeamOfMachineLearning' * 2}-{number:03}" for number in range(3)]
    told = [short(name, figures.LONGEST) for name in names]
    assert len(set(told)) == 3 and all(len(one) <= figures.LONGEST for one in told)
    assert short("DogProject", figures.LONGEST) == "DogProject"
