"""The score of an account: its bounds, its arithmetic, and that more of what is wrong never makes it better."""

from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.judge.score import CEILINGS, WEIGHTS, score


def finding(severity: Severity, role: str = "a", reason: str = "") -> Finding:
    return Finding(role, Kind.FULL_ACCESS, severity, reason, "", "", arn="" if role else "arn:policy")


some = st.lists(st.builds(finding, st.sampled_from(Severity), st.sampled_from(["a", "b", "c", ""])), max_size=30)


def test_nothing_wrong_is_a_hundred_and_nothing_else_is() -> None:
    assert score([], 12).value == 100
    assert score([], 0).value == 100 and score([], 0).arithmetic == "there is nothing to judge"
    assert score([finding(Severity.LOW)], 1_000_000).value == 99


def test_the_arithmetic_is_the_mean_of_what_roles_have_left() -> None:
    found = [finding(Severity.HIGH), finding(Severity.MEDIUM), finding(Severity.MEDIUM, "b")]
    result = score(found, 4)
    assert result.value == 79 and float(result.mean) == 100 - (25 + 8 + 8) / 4
    assert result.arithmetic == "100 − (1 high × 25 + 2 medium × 8) ÷ 4 = 89.8, at most 79 with a high finding"


def test_a_role_loses_no_more_than_it_has() -> None:
    result = score([finding(Severity.CRITICAL, reason=str(n)) for n in range(5)], 2)
    assert (result.value, result.kept) == (50, 200)
    assert "− 200 of those that have no points left" in result.arithmetic


def test_one_administrator_among_many_good_roles_is_no_good_account() -> None:
    assert score([finding(Severity.CRITICAL)], 500).value == CEILINGS[Severity.CRITICAL]


@given(some, st.integers(min_value=0, max_value=20))
def test_it_is_between_nothing_and_a_hundred_and_its_lines_add_up(found: list[Finding], roles: int) -> None:
    result = score(found, roles)
    assert 0 <= result.value <= 100
    assert sum(line.points for line in result.lines) == sum(WEIGHTS[one.severity] for one in found)
    assert result.arithmetic


@given(some, st.sampled_from(Severity), st.sampled_from(["a", "b", "c"]))
def test_one_more_finding_of_a_role_never_makes_it_better(found: list[Finding], severity: Severity, role: str) -> None:
    assert score([*found, finding(severity, role)], 3).value <= score(found, 3).value
