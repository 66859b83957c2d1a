"""The month so far, recomputed by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.quote import unknown
from dashboard.core.costs.spend import this_month
from dashboard.core.runs.model import Run, RunKind, RunStatus
from dashboard.core.serving.model import Endpoint, EndpointStatus
from tests.core.runs.made import NOW as THEN
from tests.core.runs.made import run

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
PRICES = PriceBook.load()


def trained(seconds: float, created: datetime, instance: str = "ml.m5.large") -> Run:
    return Run("dogs", RunStatus.COMPLETED, instance, 1, created, billable_seconds=seconds, ended=created)


def serving(created: datetime, status: EndpointStatus = EndpointStatus.IN_SERVICE) -> Endpoint:
    return Endpoint("dogs", status, "ml.m5.large", 1, "dogs", created, unknown("not needed"))


def test_runs_and_endpoints_are_summed_since_the_first() -> None:
    runs = [trained(3600, NOW), trained(3600, NOW - timedelta(days=5))]  # the second one began in October
    seen = this_month(runs, [serving(NOW - timedelta(days=40))], PRICES, "us-east-1", NOW)
    assert seen.training == Decimal("0.115")
    assert seen.serving == Decimal("0.115") * 60  # from the 1st, 00:00 to the 3rd, 12:00
    assert seen.amount == Decimal("0.115") * 61
    assert seen.note == "without deleted endpoints · 1 run and 1 endpoint since the 1st"


def test_an_endpoint_that_serves_nothing_costs_nothing() -> None:
    starting = serving(NOW - timedelta(hours=1), EndpointStatus.CREATING)
    assert this_month([], [starting], PRICES, "us-east-1", NOW).amount == 0


def test_what_has_no_price_is_named_and_not_counted_as_nothing() -> None:
    seen = this_month([trained(3600, NOW, "ml.inf1.xlarge")], [], PRICES, "us-east-1", NOW)
    assert seen.amount == 0
    assert seen.note.endswith("1 run and 0 endpoints since the 1st, 1 without a price")


def test_a_tuning_job_costs_what_its_trials_cost_and_nothing_twice(prices):
    search = run("search", kind=RunKind.TUNING)
    trial = run("search-1", parent="search")
    alone = this_month([trial], [], prices, "us-east-1", THEN)
    both = this_month([search, trial], [], prices, "us-east-1", THEN)
    assert (both.training, both.unpriced) == (alone.training, 0)
