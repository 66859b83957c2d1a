"""A forecast says what goes on, how sure that is, and when it cannot say."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.core.costs.receipt import Receipt
from dashboard.core.costs.selection import Period
from dashboard.core.costs.spend.forecast import Forecast, forecast, per_hour
from tests.core.costs.receipts import HOUR, NOW, endpoint, run

NOVEMBER = Period(date(2026, 11, 1), date(2026, 11, 30))
MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)


def of(*receipts: Receipt, at: datetime = NOW) -> Forecast:
    return forecast([(one, one.by_day()) for one in receipts], NOVEMBER, at)


def daily(costs: list[str], until: datetime = MIDNIGHT) -> list[Receipt]:
    """One run of one hour on each day before `until`."""
    first = until - timedelta(days=len(costs))
    return [run(f"r{place}", first + timedelta(days=place, hours=9), 1, each) for place, each in enumerate(costs)]


def test_equal_days_go_on_and_leave_no_doubt():
    made = of(*daily(["0.50"] * 20), at=MIDNIGHT)
    assert made.so_far == 10
    assert made.left == 10
    assert made.amount == made.low == made.high == 15
    assert "mean of the last 20 full days" in made.method


def test_an_endpoint_that_serves_goes_on_at_its_hourly_rate_and_its_past_is_not_counted_twice():
    serving = endpoint("e", MIDNIGHT - 24 * HOUR, each="0.24")
    made = of(*daily(["0"] * 20), serving)
    assert made.hourly == Decimal("0.24")
    assert made.standing == 1
    assert made.mean == 0
    assert made.amount == made.so_far + Decimal("0.24") * 24 * made.left
    assert "1 thing that stands at $0.24/h" in made.method


def test_an_endpoint_that_was_deleted_and_a_run_that_goes_on_do_not_stand():
    gone = endpoint("e", NOW - 48 * HOUR, NOW - HOUR)
    assert per_hour(gone) == 0
    assert per_hour(run("r", NOW - HOUR)) == 0


def test_days_that_differ_give_a_range_around_the_mean_that_grows_with_the_days_to_come():
    made = of(*daily(["0.10", "0.90"] * 10), at=MIDNIGHT)
    assert made.mean == Decimal("0.5")
    assert made.low < made.amount < made.high
    widths = [point.high - point.low for point in made.path()]
    assert widths == sorted(widths)
    assert made.path()[-1].high == made.high
    assert made.path()[-1].day == NOVEMBER.last


@pytest.mark.parametrize(
    ("costs", "spread", "student"),
    [
        (["1", "2", "3"], "1", "1.886"),
        (["1", "2", "3", "4"], "1.2909944487", "1.638"),
        (["1", "3"] * 14, "1.0183501545", "1.314"),
    ],
)
def test_the_range_is_that_of_a_sum_of_days_to_come_done_by_hand(costs, spread, student):
    """mean × 10 ± t × s × √(10 + 10² / n): the prediction interval of the sum of ten more such days."""
    made = of(*daily(costs), at=MIDNIGHT)
    reach = float(student) * float(spread) * (10 + 100 / len(costs)) ** 0.5
    mean = sum(map(float, costs)) / len(costs)
    assert float(made.high) == pytest.approx(float(made.so_far) + 10 * mean + reach)
    assert float(made.low) == pytest.approx(float(made.so_far) + max(0, 10 * mean - reach))


@pytest.mark.parametrize(
    ("at", "left"),
    [
        (datetime(2026, 11, 1, tzinfo=UTC), 30),
        (datetime(2026, 11, 30, tzinfo=UTC), 1),
        (datetime(2026, 11, 30, 18, tzinfo=UTC), Decimal("0.25")),
        (datetime(2026, 11, 30, 23, 59, 59, 999_999, tzinfo=UTC), Decimal(1) / 86_400_000_000),
    ],
)
def test_on_its_first_day_and_on_its_last_a_month_has_a_forecast(at, left):
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    serving = replace(endpoint("e", at - 24 * HOUR, at, "0.24"), ended=None)
    made = of(*daily(["0.50"] * 20, midnight), serving, at=at)
    assert made.left == left
    spent = sum((one for day, one in serving.by_day().items() if day in NOVEMBER), Decimal(0))
    assert made.so_far == spent + Decimal("0.50") * (midnight.day - 1 if midnight.day < 21 else 20)
    assert made.low <= made.amount <= made.high
    assert abs(made.amount - made.so_far - (Decimal("0.50") + Decimal("0.24") * 24) * left) < Decimal("1E-9")
    assert made.path()[-1].day == NOVEMBER.last


def test_the_range_never_goes_below_what_is_spent_already():
    made = of(*daily(["0", "0", "0", "90"]), at=MIDNIGHT)
    assert made.low >= made.so_far


@pytest.mark.parametrize(("days", "said"), [(0, "there is none yet"), (1, "there is 1"), (2, "there are 2")])
def test_too_few_full_days_are_said(days, said):
    made = of(*daily(["0.5"] * days), run("today", NOW - HOUR))
    assert made.amount is made.low is made.high is None
    assert made.path() == ()
    assert said in made.why
    assert made.method == made.why


def test_what_stands_is_said_even_where_there_are_too_few_days():
    made = of(endpoint("e", MIDNIGHT, each="0.5"), at=MIDNIGHT)
    assert made.amount is None
    assert "adds $120.00 unless stopped" in made.method


def test_what_stands_alone_tells_the_least_where_there_are_too_few_days():
    made = of(endpoint("e", MIDNIGHT, each="0.5"), run("r", MIDNIGHT, 1, "0.25"), at=MIDNIGHT + HOUR)
    assert made.so_far == made.things[0].receipt.amount + Decimal("0.25")
    assert made.least == made.expected == made.so_far + Decimal("0.5") * 239
    assert of(run("r", MIDNIGHT), at=MIDNIGHT + HOUR).expected is None  # nothing stands: nothing can be said


def test_with_days_enough_what_is_expected_is_the_forecast():
    made = of(*daily(["0.50"] * 20), endpoint("e", MIDNIGHT), at=MIDNIGHT)
    assert made.expected == made.amount > made.least


def test_a_schedule_ends_what_stands():
    ending = replace(endpoint("e", MIDNIGHT - HOUR, each="0.24"), ends=MIDNIGHT + 5 * HOUR)
    made = of(*daily(["0"] * 20), ending, at=MIDNIGHT)
    assert made.amount == made.so_far + Decimal("0.24") * 5
    assert made.path()[0].amount == made.path()[-1].amount  # it is gone before the first day ends
    assert "1 thing that stands at $0.24/h adds $1.20 until a schedule deletes it" in made.method
    both = of(*daily(["0"] * 20), ending, endpoint("f", MIDNIGHT - HOUR, each="0.01"), at=MIDNIGHT)
    assert "unless stopped, 1 of them until a schedule deletes it" in both.method
    late = replace(ending, ends=datetime(2026, 12, 2, tzinfo=UTC))
    assert of(*daily(["0"] * 20), late, at=MIDNIGHT).amount == late.amount + Decimal("0.24") * 240


def test_what_it_is_made_of_adds_up_to_it():
    small, dear = endpoint("small", MIDNIGHT, each="0.01"), endpoint("dear", MIDNIGHT, each="0.5")
    made = of(*daily(["0.50", "0.10"] * 10), small, dear, at=MIDNIGHT)
    assert [one.receipt.name for one in made.things] == ["dear", "small"]
    assert [amount for _, amount in made.past] == [Decimal("0.50"), Decimal("0.10")] * 10
    assert made.past[-1][0] == date(2026, 11, 20)
    adds = sum(one.adds(made.at, made.end) for one in made.things)
    assert made.amount == made.so_far + adds + made.mean * made.left


def test_days_without_any_spending_count_too():
    first = run("first", MIDNIGHT - timedelta(days=10), 1, "1.00")
    made = of(first, at=MIDNIGHT)
    assert made.days == 10
    assert made.mean == Decimal("0.1")


def test_only_the_last_four_weeks_are_looked_at():
    made = of(*daily(["9"] * 30 + ["1"] * 28), at=MIDNIGHT)
    assert made.days == 28
    assert made.mean == 1


def test_the_range_holds_about_eight_of_ten_months_when_days_are_drawn_alike():
    draw = random.Random(11)
    held = 0
    for _ in range(300):
        days = [f"{max(0.0, draw.gauss(2, 0.5)):.4f}" for _ in range(30)]
        past, to_come = days[:20], days[20:]
        made = of(*daily(past), at=MIDNIGHT)
        actual = made.so_far + sum(Decimal(one) for one in to_come)
        held += made.low <= actual <= made.high
    assert 0.74 < held / 300 < 0.88


@settings(max_examples=60, deadline=None)
@given(st.lists(st.decimals("0", "50", places=2), min_size=3, max_size=40), st.decimals("0", "3", places=3))
def test_low_amount_and_high_are_in_order_and_not_below_what_is_spent(costs, hourly):
    serving = endpoint("e", MIDNIGHT - HOUR, each=str(hourly))
    made = of(*daily([str(one) for one in costs]), serving)
    assert made.so_far <= made.low <= made.amount <= made.high


def test_a_standing_thing_s_rate_has_no_digits_of_its_amount_s_rounding() -> None:
    begun = NOW - timedelta(hours=7, minutes=13, seconds=11)
    hours = Decimal((NOW - begun) // timedelta(seconds=1)) / 3600
    amount = (Decimal("0.115") * hours).quantize(Decimal("1E-12"))
    standing = replace(endpoint("e", begun), lines=(replace(endpoint("e", begun).lines[0], amount=amount),))
    assert format(per_hour(standing).normalize(), "f") == "0.115"
