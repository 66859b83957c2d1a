"""Each charge against AWS's published rule, worked out by hand, and what must hold for any of them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.costs import charges
from dashboard.core.costs.prices import Extra, Kind, Price, PriceBook
from dashboard.core.costs.receipt import Line, accrued

BOOK = PriceBook.load()
START = datetime(2026, 10, 1, tzinfo=UTC)
HOME = "us-east-1"


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def total(lines: tuple[Line, ...]) -> Decimal:
    return sum((line.amount for line in lines if line.amount is not None), Decimal(0))


def is_near(amount: Decimal | None, by_hand: Fraction) -> bool:
    assert isinstance(amount, Decimal)
    return abs(Fraction(amount) - by_hand) < Fraction(1, 10**20)


def test_a_training_of_eleven_minutes_and_three_seconds():
    (line,) = charges.training(BOOK, "ml.c5.2xlarge", HOME, billable_seconds=663, started=START, ended=after(663))
    assert line.amount == Decimal("0.07514")
    assert line.how == "663 s billable × 1 instance"
    assert line.price is not None
    assert (line.price.amount, line.unit, line.price.per) == (Decimal("0.408"), "instance-hours", "h")
    assert is_near(line.quantity, Fraction(663, 3600))


def test_managed_spot_bills_fewer_seconds_at_the_same_price():
    (line,) = charges.training(BOOK, "ml.m5.large", HOME, billable_seconds=91, count=2, started=START, ended=after(300))
    assert is_near(line.amount, Fraction("0.115") * 2 * 91 / 3600)


def test_the_storage_of_a_training_is_said_to_be_missing_where_nobody_knows_its_price():
    known, missing = charges.training(
        BOOK, "ml.m5.xlarge", HOME, billable_seconds=60, started=START, ended=after(60), volume_gb=30
    )
    assert known.amount is not None
    assert missing.amount is None
    assert not missing.essential
    assert missing.why_unknown == "no price for storage of SageMaker instances in us-east-1 in the price book"
    _, there = charges.training(
        BOOK, "ml.m5.xlarge", "eu-west-1", billable_seconds=60, count=2, started=START, ended=after(3600), volume_gb=30
    )
    assert is_near(there.amount, Fraction("0.154") * 60 / 730)


@pytest.mark.parametrize(("ran", "billed"), [(0, 0), (0.5, 60), (59.999, 60), (60, 60), (61.5, Fraction("61.5"))])
def test_ec2_bills_a_minute_at_least_for_what_ran(ran: float, billed: Fraction):
    lines = charges.ec2(BOOK, "m5.large", HOME, started=START, ended=after(ran), volume_gb=73, public_address=True)
    # 0.096 for the instance, 73 GB × 0.08 / 730 h for the volume, 0.005 for the address
    assert is_near(total(lines), (Fraction("0.096") + Fraction("0.008") + Fraction("0.005")) * billed / 3600)
    assert [line.what for line in lines] == ["m5.large, on demand", "73 GB gp3", "a public address"]


def test_spot_is_counted_at_the_price_it_had():
    spot = Price(Decimal("0.14"), "USD", "EC2's spot price in us-east-1a", date(2026, 10, 1))
    (line,) = charges.ec2(BOOK, "c5.2xlarge", HOME, started=START, ended=after(3600), spot=spot)
    assert line.amount == Decimal("0.14")
    assert line.what == "c5.2xlarge, spot"


def test_an_endpoint_by_the_second_and_its_data():
    lines = charges.endpoint(BOOK, "ml.m5.large", HOME, started=START, ended=after(5400), count=2, data_gb=10)
    assert [line.amount for line in lines] == [Decimal("0.345"), Decimal("0.160")]


def test_a_serverless_endpoint_has_a_known_price_at_3_gb_only():
    (known,) = charges.serverless(BOOK, HOME, memory_mb=3072, duration_ms=1_500_000, started=START, ended=after(60))
    assert known.amount == Decimal("0.09")
    (unknown,) = charges.serverless(BOOK, HOME, memory_mb=2048, duration_ms=1, started=START, ended=after(60))
    assert unknown.amount is None
    assert "2,048 MB" in unknown.why_unknown


def test_a_function_pays_for_requests_duration_and_storage_over_the_free_one():
    lines = charges.function(
        BOOK, HOME, requests=3_000_000, duration_ms=360_000_000, memory_mb=1536, ephemeral_mb=1536,
        started=START, ended=after(60),
    )  # fmt: skip
    requests, duration, storage = (line.amount for line in lines)
    assert requests == Decimal("0.6")
    assert duration == Decimal("360000") * Decimal("1.5") * Decimal("0.0000166667")
    assert storage == Decimal("360000") * Decimal("3.09E-8")
    arm = charges.function(
        BOOK, HOME, requests=1, duration_ms=1000, memory_mb=1024, arm=True, started=START, ended=after(60)
    )
    assert arm[1].amount == Decimal("0.0000133334")


@pytest.mark.parametrize(
    ("region", "count", "hours", "dollars"),
    [("ap-northeast-1", 3, 744, "5.41"), ("us-east-1", 3, 744, "4.19"), ("us-east-1", 2, 744, "2.79")],
)
def test_provisioned_concurrency_of_a_month(region: str, count: int, hours: int, dollars: str):
    (ready,) = charges.provisioned(BOOK, region, memory_mb=128, count=count, started=START, ended=after(hours * 3600))
    assert ready.amount is not None
    assert str(round(ready.amount, 2)) == dollars


@pytest.mark.parametrize(("kept", "billed"), [(0, 0), (1, 300), (300, 300), (300.001, 600)])
def test_provisioned_concurrency_is_billed_in_whole_five_minutes(kept: float, billed: int):
    (ready,) = charges.provisioned(BOOK, HOME, memory_mb=1024, count=1, started=START, ended=after(kept))
    assert ready.amount == billed * Decimal("0.0000041667")


@given(st.lists(st.integers(0, 2_000), min_size=1, max_size=6))
def test_concurrency_whose_number_is_set_again_costs_what_it_would_without(parts: list[int]):
    begun, amount = 0, Decimal(0)
    for place, seconds in enumerate(parts):
        (line,) = charges.provisioned(
            BOOK, HOME, memory_mb=1024, count=2, started=after(begun), ended=after(begun + seconds), before=begun,
            goes_on=place < len(parts) - 1,
        )  # fmt: skip
        begun += seconds
        amount += line.amount or 0
    (whole,) = charges.provisioned(BOOK, HOME, memory_mb=1024, count=2, started=START, ended=after(begun))
    assert amount == whole.amount


def test_what_runs_in_provisioned_concurrency_has_a_rate_of_its_own():
    ready, executed, requests = charges.provisioned(
        BOOK, HOME, memory_mb=1024, count=1, started=START, ended=after(300), requests=10, duration_ms=2000
    )
    assert ready.what.endswith("kept ready")
    assert executed.amount == 2 * Decimal("0.0000097222")
    assert requests.amount == Decimal("0.000002")


def test_what_ran_in_environments_on_arm_is_unknown_and_not_left_out():
    lines = charges.provisioned(
        BOOK, HOME, memory_mb=128, count=0, requests=5, duration_ms=900, started=START, ended=after(1), arm=True
    )
    assert [(line.quantity is not None, line.amount) for line in lines[1:]] == [
        (True, None),
        (True, Decimal("0.000001")),
    ]
    assert lines[1].essential
    assert "ARM" in lines[1].why_unknown


def test_provisioned_concurrency_on_arm_is_unknown():
    (ready,) = charges.provisioned(BOOK, HOME, memory_mb=128, count=1, started=START, ended=after(1), arm=True)
    assert ready.amount is None
    assert "ARM" in ready.why_unknown


def test_a_notebook_with_its_volume():
    instance, volume = charges.notebook(BOOK, "ml.t3.medium", HOME, started=START, ended=after(7200), volume_gb=5)
    assert instance.amount == Decimal("0.1")
    assert volume.amount is None
    assert not volume.essential


def test_months_have_the_hours_that_are_told():
    def month(hours: int) -> Decimal | None:
        (line,) = charges.storage(BOOK, HOME, gb=100, started=START, ended=after(744 * 3600), month_hours=hours)
        return line.amount

    assert month(744) == Decimal("2.3")
    assert is_near(month(730), Fraction("2.3") * 744 / 730)
    with pytest.raises(ValueError, match="0 hours"):
        month(0)


def test_volumes_and_addresses_by_themselves():
    day = {"started": START, "ended": after(86400)}
    assert is_near(charges.volume(BOOK, HOME, gb=8, **day)[0].amount, Fraction("0.08") * 8 * 24 / 730)
    assert is_near(charges.volume(BOOK, HOME, gb=8, kind="gp2", **day)[0].amount, Fraction("0.10") * 8 * 24 / 730)
    assert charges.address(BOOK, HOME, **day)[0].amount == Decimal("0.12")
    (strange,) = charges.volume(BOOK, HOME, gb=8, kind="io2", **day)
    assert strange.amount is None
    assert strange.why_unknown == "no price for io2 in the price book"


def test_what_has_no_price_is_unknown_and_essential():
    for lines in (
        charges.training(BOOK, "ml.inf1.xlarge", HOME, billable_seconds=1, started=START, ended=after(1)),
        charges.ec2(BOOK, "p3.2xlarge", "eu-west-1", started=START, ended=after(1)),
        charges.endpoint(BOOK, "ml.m5.large", "mars-north-1", started=START, ended=after(1)),
        charges.function(BOOK, "mars-north-1", requests=1, duration_ms=1, memory_mb=128, started=START, ended=START),
    ):
        assert lines[0].amount is None
        assert lines[0].essential
        assert lines[0].why_unknown


def test_the_price_of_the_day_is_counted():
    """A price that was collected later does not change what was used before it."""
    dearer = Price(Decimal("0.2"), "USD", "AWS Pricing API", date(2026, 10, 10))
    book = BOOK.with_prices([((Kind.ENDPOINT, "ml.m5.large", HOME), dearer)])
    assert charges.endpoint(book, "ml.m5.large", HOME, started=START, ended=after(3600))[0].amount == Decimal("0.115")
    later = {"started": datetime(2026, 10, 10, tzinfo=UTC), "ended": datetime(2026, 10, 10, 1, tzinfo=UTC)}
    assert charges.endpoint(book, "ml.m5.large", HOME, **later)[0].amount == Decimal("0.2")


def test_what_lasts_over_a_change_has_a_line_for_each_price():
    """An endpoint, its address and its volume over four days, the price changing at the third's UTC midnight."""
    day = date(2026, 10, 3)
    book = BOOK.with_prices(
        [((Kind.ENDPOINT, "ml.m5.large", HOME), Price(Decimal("0.2"), "USD", "AWS Pricing API", day))],
        [((Extra.PUBLIC_IPV4, HOME), Price(Decimal("0.006"), "USD", "AWS Pricing API", day))],
    )
    over = {"started": START, "ended": after(4 * 86400)}
    before, later = charges.endpoint(book, "ml.m5.large", HOME, count=2, **over)
    assert (before.amount, later.amount) == (2 * 48 * Decimal("0.115"), 2 * 48 * Decimal("0.2"))
    assert (before.started, before.ended) == (START, after(2 * 86400))
    assert (later.started, later.ended) == (after(2 * 86400), after(4 * 86400))
    assert total(charges.address(book, HOME, **over)) == 48 * Decimal("0.005") + 48 * Decimal("0.006")
    assert len(charges.volume(book, HOME, gb=8, **over)) == 1  # its price did not change


def test_provisioned_concurrency_is_rounded_once_whatever_its_price_did():
    newer = Price(Decimal("0.000005"), "USD", "AWS Pricing API", date(2026, 10, 2), per="GB-s")
    book = BOOK.with_prices([], [((Extra.LAMBDA_PROVISIONED, HOME), newer)])
    ended = after(86400 + 301)
    before, later = charges.provisioned(book, HOME, memory_mb=1024, count=1, started=START, ended=ended)
    assert before.amount == 86400 * Decimal("0.0000041667")
    assert later.amount == 600 * Decimal("0.000005")


def test_a_figure_that_was_only_confirmed_cuts_nothing():
    again = Price(Decimal("0.115"), "USD", "AWS Pricing API", date(2026, 10, 3))
    book = BOOK.with_prices([((Kind.ENDPOINT, "ml.m5.large", HOME), again)])
    assert len(charges.endpoint(book, "ml.m5.large", HOME, started=START, ended=after(4 * 86400))) == 1


Charge = Callable[[float, int], tuple[Line, ...]]
SPREAD: dict[str, Charge] = {
    "training": lambda s, n: charges.training(
        BOOK, "ml.m5.xlarge", "eu-west-1", billable_seconds=s, count=n, started=START, ended=after(s), volume_gb=30
    ),
    "endpoint": lambda s, n: charges.endpoint(BOOK, "ml.g5.xlarge", HOME, started=START, ended=after(s), count=n),
    "notebook": lambda s, _: charges.notebook(BOOK, "ml.t3.medium", HOME, started=START, ended=after(s), volume_gb=5),
    "storage": lambda s, n: charges.storage(BOOK, HOME, gb=n, started=START, ended=after(s)),
    "volume": lambda s, n: charges.volume(BOOK, HOME, gb=n, started=START, ended=after(s), month_hours=744),
    "address": lambda s, _: charges.address(BOOK, HOME, started=START, ended=after(s)),
    "serverless": lambda s, _: charges.serverless(
        BOOK, HOME, memory_mb=3072, duration_ms=round(s * 1000), started=START, ended=after(s)
    ),
    "function": lambda s, n: charges.function(
        BOOK, HOME, requests=n, duration_ms=round(s * 1000), memory_mb=128, ephemeral_mb=900, started=START,
        ended=after(s),
    ),
}  # fmt: skip
STEPPED: dict[str, Charge] = {
    "ec2": lambda s, n: charges.ec2(
        BOOK, "c5.large", HOME, started=START, ended=after(s), volume_gb=n, public_address=True
    ),
    "provisioned": lambda s, n: charges.provisioned(
        BOOK, "ap-south-1", memory_mb=128, count=n, started=START, ended=after(s)
    ),
}
SECONDS = st.integers(0, 10**8).map(lambda ms: ms / 1000)  # to 28 hours, by the millisecond
COUNTS = st.integers(0, 400)


@pytest.mark.parametrize("charge", [*SPREAD, *STEPPED])
@given(one=SECONDS, other=SECONDS, few=COUNTS, many=COUNTS)
def test_no_charge_is_negative_and_more_never_costs_less(charge, one, other, few, many):
    cost = (SPREAD | STEPPED)[charge]
    (short, long), (few, many) = sorted((one, other)), sorted((few, many))
    assert 0 <= total(cost(short, few)) <= total(cost(long, few)) <= total(cost(long, many))
    assert all(line.amount is None or line.amount >= 0 for line in cost(long, many))


@pytest.mark.parametrize("charge", list(SPREAD))
@given(parts=st.lists(SECONDS, min_size=1, max_size=5))
def test_what_is_used_in_parts_costs_what_it_costs_at_once(charge, parts):
    cost = SPREAD[charge]
    whole = total(cost(round(sum(parts), 3), 0 if charge == "function" else 2))
    apart = sum((total(cost(part, 0 if charge == "function" else 2)) for part in parts), Decimal(0))
    assert abs(whole - apart) < Decimal("1e-18")


@pytest.mark.parametrize("charge", list(STEPPED))
@given(parts=st.lists(SECONDS, min_size=1, max_size=5))
def test_each_start_has_its_least_amount_so_parts_never_cost_less(charge, parts):
    cost = STEPPED[charge]
    whole, apart = total(cost(round(sum(parts), 3), 2)), sum((total(cost(part, 2)) for part in parts), Decimal(0))
    assert apart >= whole - Decimal("1e-18")


@pytest.mark.parametrize("charge", list(SPREAD))
@given(seconds=SECONDS)
def test_twice_as_many_cost_twice_as_much(charge, seconds):
    if charge in ("notebook", "address", "serverless", "function"):
        return  # they come one by one
    one, two = (total(SPREAD[charge](seconds, n)) for n in (1, 2))
    assert abs(two - 2 * one) < Decimal("1e-18")


@pytest.mark.parametrize("charge", [*SPREAD, *STEPPED])
def test_no_time_costs_nothing(charge):
    assert total((SPREAD | STEPPED)[charge](0, 0)) == 0


@pytest.mark.parametrize("charge", [*SPREAD, *STEPPED])
def test_what_ended_before_it_started_is_refused(charge):
    with pytest.raises(ValueError, match="negative"):
        (SPREAD | STEPPED)[charge](-1, 1)


@pytest.mark.parametrize("absurd", [-1, float("nan"), float("inf"), Decimal("-0.001"), Decimal("NaN")])
def test_absurd_quantities_are_refused(absurd):
    over = {"started": START, "ended": after(60)}
    for attempt in (
        lambda: charges.training(BOOK, "ml.m5.large", HOME, billable_seconds=absurd, **over),
        lambda: charges.training(BOOK, "ml.m5.large", HOME, billable_seconds=1, count=absurd, **over),
        lambda: charges.ec2(BOOK, "m5.large", HOME, seconds=absurd, **over),
        lambda: charges.ec2(BOOK, "m5.large", HOME, volume_gb=absurd, **over),
        lambda: charges.endpoint(BOOK, "ml.m5.large", HOME, data_gb=absurd, **over),
        lambda: charges.function(BOOK, HOME, requests=1, duration_ms=absurd, memory_mb=128, **over),
        lambda: charges.storage(BOOK, HOME, gb=absurd, **over),
        lambda: charges.volume(BOOK, HOME, gb=1, month_hours=absurd, **over),
    ):
        with pytest.raises(ValueError, match=r"negative|no quantity"):
            attempt()


def test_a_line_is_its_quantity_times_its_price():
    for lines in ((SPREAD | STEPPED)[name](12345.678, 3) for name in (*SPREAD, *STEPPED)):
        for line in lines:
            if line.price is not None and line.quantity is not None:
                assert abs(line.quantity * line.price.amount - (line.amount or 0)) < Decimal("1e-20")


def test_the_extras_of_the_book_have_the_unit_that_they_are_counted_in():
    units = {"h", "GB-month", "GB", "GB-s", "request", "s"}
    assert {price.per for known in BOOK.extras.values() for price in known} == units
    assert {what for what, _ in BOOK.extras} == set(Extra)
    for known in BOOK.extras.values():
        assert all(earlier.date < later.date for earlier, later in pairwise(known))


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 11, 1), 25), (date(2026, 3, 8), 23), (date(2028, 2, 29), 24)])
def test_a_day_on_which_clocks_are_set_is_as_long_as_it_was(day: date, hours: int):
    zone = ZoneInfo("America/New_York")
    started = datetime(day.year, day.month, day.day, tzinfo=zone)
    ended = started + timedelta(days=1)  # midnight by the clock on the wall
    (line,) = charges.endpoint(BOOK, "ml.m5.large", HOME, started=started, ended=ended)
    assert line.amount == Decimal("0.115") * hours
    assert sum(amount for _, amount in accrued(line)) == line.amount
