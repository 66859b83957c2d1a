"""The score of an account: its bounds, its arithmetic, and that more of what is wrong never makes it better."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.judge.score import WEIGHTS, score


def finding(severity: Severity, role: str = "a", reason: str = "") -> Finding:
    return Finding(role, Kind.FULL_ACCESS, severity, reason, "", "", arn="" if role else "arn:policy")


somebody = st.sampled_from(["a", "b", "c", ""])
some = st.lists(st.builds(finding, st.sampled_from(Severity), somebody), max_size=30)


def test_nothing_wrong_is_a_hundred_and_nothing_else_is() -> None:
    assert score([], 12).value == 100
    assert score([], 0).value == 100 and score([], 0).arithmetic == "there is nothing to judge"
    assert score([finding(Severity.LOW)], 1_000_000).value == 97


@pytest.mark.parametrize(("severity", "value"), [("critical", 60), ("high", 80), ("medium", 90), ("low", 97)])
def test_one_finding_however_many_good_roles_there_are(severity: str, value: int) -> None:
    assert {score([finding(Severity(severity))], roles).value for roles in (1, 500)} == {value}


def test_twice_as_much_takes_ten_away() -> None:
    assert (
        score([finding(Severity.CRITICAL)] * 64, 70).value - score([finding(Severity.CRITICAL)] * 32, 70).value == -10
    )
    assert score([finding(Severity.CRITICAL)] * 1_000, 1_000).value == 0


def test_the_arithmetic_is_told() -> None:
    found = [finding(Severity.CRITICAL), *[finding(Severity.HIGH)] * 10, finding(Severity.LOW, "")]
    result = score(found, 9)
    assert (result.value, result.weight) == (44, 452)
    assert result.arithmetic == (
        "the findings weigh 1 critical × 150 + 10 high × 30 + 1 low × 2 = 452; "
        "100 − 10 × log₂(1 + 452 ÷ 10) = 44.7, which is 44 rounded down. Twice the weight takes 10 away"
    )


@given(some, st.integers(min_value=0, max_value=20))
def test_it_is_between_nothing_and_a_hundred_and_its_lines_add_up(found: list[Finding], roles: int) -> None:
    result = score(found, roles)
    assert 0 <= result.value <= 100
    assert result.weight == sum(WEIGHTS[one.severity] for one in found)
    assert result.arithmetic


@given(some, st.sampled_from(Severity), somebody, st.integers(min_value=0, max_value=9))
def test_neither_one_more_finding_nor_more_roles_make_it_better(
    found: list[Finding], severity: Severity, role: str, more: int
) -> None:
    before = score(found, 3)
    after = score([*found, finding(severity, role)], 3 + more)
    assert after.value <= before.value and after.weight > before.weight
