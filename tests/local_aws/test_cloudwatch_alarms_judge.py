"""What state an alarm's data puts it into: M of N, missing data, and the words for it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from local_aws.services.cloudwatch_alarms_judge import MISSING, Point, Rule, State, judge

ABOVE = "GreaterThanThreshold"


def periods(text: str) -> list[Point | None]:
    """ "0 X - X" from the oldest to the newest, as AWS's own tables show them, newest first. X breaches."""
    signs = text.split()
    return [
        None if sign == "-" else Point(60 * number, 20.0 if sign == "X" else 1.0) for number, sign in enumerate(signs)
    ][::-1]


def state(text: str, missing: str, *, needed: int = 3, before: State = State.OK) -> State:
    return judge(Rule(ABOVE, 10.0, 3, needed, missing), periods(text), before).state


KEPT = "kept"
MISSING_IN_TABLES = ("missing", "ignore", "breaching", "notBreaching")


@pytest.mark.parametrize(
    ("text", "needed", "expected"),
    [  # the tables of "Configuring how CloudWatch alarms treat missing data": missing, ignore, breaching, notBreaching
        ("0 - X - X", 3, "OK OK OK OK"),
        ("- - - - 0", 3, "OK OK OK OK"),
        ("- - - - -", 3, "INSUFFICIENT_DATA kept ALARM OK"),
        ("0 X X - X", 3, "ALARM ALARM ALARM ALARM"),
        ("- - X - -", 3, "ALARM kept ALARM OK"),
        ("0 - X - X", 2, "ALARM ALARM ALARM ALARM"),
        ("0 0 X 0 X", 2, "ALARM ALARM ALARM ALARM"),
        ("0 - X - -", 2, "OK OK ALARM OK"),
        ("- - - - 0", 2, "OK OK ALARM OK"),
        ("- - - X -", 2, "ALARM kept ALARM OK"),
    ],
)
def test_missing_data_as_awss_tables_have_it(text: str, needed: int, expected: str) -> None:
    for missing, wanted in zip(MISSING_IN_TABLES, expected.split(), strict=True):
        for before in State:
            found = state(text, missing, needed=needed, before=before)
            assert found == (before if wanted == KEPT else wanted), (missing, before)


def test_one_new_point_behind_a_gap_is_no_alarm_yet() -> None:
    assert state("- - - - X", "missing") is State.OK
    assert state("- - - X X", "missing") is State.OK
    assert state("- - X X X", "missing") is State.ALARM


def test_a_policy_learns_the_newest_value_and_that_it_is_missing() -> None:
    rule = Rule(ABOVE, 10.0, 3, 3)
    assert judge(rule, periods("0 0 X X X"), State.OK).newest == 20.0
    quiet = judge(rule, periods("X X X - -"), State.ALARM)
    assert (quiet.state, quiet.newest) == (State.ALARM, None)


def test_the_reason_is_told_in_awss_words() -> None:
    rule = Rule(ABOVE, 10.0, 3, 2)
    alarm = judge(rule, periods("0 0 X 0 X"), State.OK)
    assert alarm.reason == (
        "Threshold Crossed: 2 out of the last 3 datapoints [20.0 (01/01/70 00:04:00), 20.0 (01/01/70 00:02:00)] were "
        "greater than the threshold (10.0) (minimum 2 datapoints for OK -> ALARM transition)."
    )
    calm = judge(Rule(ABOVE, 10.0, 1, 1), periods("0 0 0"), State.ALARM)
    assert "[1.0 (01/01/70 00:02:00)] was not greater than the threshold (10.0)" in calm.reason
    assert judge(rule, periods("- - - - -"), State.OK).reason == "Insufficient Data: 3 datapoints were unknown."
    filled = judge(Rule(ABOVE, 10.0, 3, 3, "breaching"), periods("- - - - -"), State.OK)
    assert "no datapoints were received for 3 periods and 3 missing datapoints were treated as [Breaching]" in (
        filled.reason
    )


def test_a_reason_of_many_points_lists_the_newest() -> None:
    verdict = judge(Rule(ABOVE, 10.0, 90, 90), periods(" ".join(["X"] * 92)), State.OK)
    assert verdict.reason.startswith("Threshold Crossed: 90 out of the last 90 datapoints were greater than the")
    assert verdict.reason.count("20.0 (") == 5
    assert len(verdict.reason) <= 1023, "as long as CloudWatch takes"


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanThreshold", [11.0]),
        ("GreaterThanOrEqualToThreshold", [10.0, 11.0]),
        ("LessThanThreshold", [9.0]),
        ("LessThanOrEqualToThreshold", [9.0, 10.0]),
    ],
)
def test_each_comparison_breaches_on_its_own_side(comparison: str, breaching: list[float]) -> None:
    rule = Rule(comparison, 10.0, 1, 1)
    assert [value for value in (9.0, 10.0, 11.0) if rule.breaches(value)] == breaching


@settings(max_examples=200, deadline=None)
@given(
    signs=some.lists(some.sampled_from("0X-"), min_size=8, max_size=8),
    missing=some.sampled_from(MISSING),
    needed=some.integers(1, 6),
    before=some.sampled_from(list(State)),
)
def test_whatever_is_missing_a_full_range_decides_alone(
    signs: list[str], missing: str, needed: int, before: State
) -> None:
    rule = Rule(ABOVE, 10.0, 6, needed, missing)
    verdict = judge(rule, periods(" ".join(signs)), before)
    real = [sign for sign in reversed(signs) if sign != "-"]
    if len(real) >= 6:
        assert (verdict.state is State.ALARM) == (real[:6].count("X") >= needed)
    if real.count("X") >= needed and len(real) <= 6:
        assert verdict.state is State.ALARM, "as many as are needed breach, whatever is missing"
    if "0" in real and missing == "notBreaching" and real.count("X") < needed:
        assert verdict.state is State.OK


def test_where_periods_cannot_be_short_enough_fewer_of_them_take_the_time() -> None:
    rule = Rule(ABOVE, 10.0, 90, 90)
    assert (rule.shorter(1 / 3).periods, rule.shorter(1 / 3).needed) == (30, 30)
    assert (Rule(ABOVE, 10.0, 3, 2).shorter(1 / 3).periods, Rule(ABOVE, 10.0, 3, 2).shorter(0.01).needed) == (1, 1)
    assert rule.shorter(1.0) is rule
    assert rule.shorter(60 / 7 / 9) is rule, "a width that was only rounded to whole seconds"
