"""A load test before it begins: its bounds and what it costs."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from dashboard.core.aws import Account
from dashboard.core.costs.prices import Kind as Price
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.quote import hourly, unknown
from dashboard.core.errors import InvalidInput, ReadOnly, Refused
from dashboard.core.serving.measure.plan import Plan, plan
from dashboard.core.serving.model import EndpointStatus
from dashboard.core.serving.scaling.policy import Settings, reference
from dashboard.core.serving.scaling.scaling import Scaling
from dashboard.core.serving.scaling.variant import Kind, Variant

ACCOUNT = Account("work", "us-east-1", "123456789012", is_embedded=False, writable=True)
VARIANT = Variant("dogs", "main", Kind.REAL_TIME, EndpointStatus.IN_SERVICE, "ml.m5.large", 1, 1)
BOOK = PriceBook.load()


def made(scaling: Scaling | None = None, account: Account = ACCOUNT, **asked: Any) -> Plan:
    price = hourly(BOOK, Price.ENDPOINT, "ml.m5.large", "us-east-1")
    now = datetime(2026, 11, 21, tzinfo=UTC)
    return plan(scaling or Scaling(VARIANT, None), price, BOOK, account=account, now=now, **asked)


def test_it_says_how_much_it_asks_at_most() -> None:
    found = made(most_clients=8, hold=5, most_requests=1000)
    assert found.levels == (1, 2, 4, 8)
    assert found.seconds == 20
    assert "1, 2, 4, 8 clients" in found.summary and "1,000 photos" in found.summary


def test_instances_that_are_there_cost_nothing_more_and_those_that_may_come_are_counted() -> None:
    assert made().cost == 0
    scaled = made(Scaling(VARIANT, reference(10)), hold=4, most_clients=8)
    # two more at $0.115 for 16 s and the quarter of an hour that the low alarm looks at
    assert scaled.cost == Decimal("0.115") * 2 * 916 / 3600
    assert "auto scaling adds 2 instances" in scaled.words
    assert made(Scaling(VARIANT, Settings(1, 3))).cost == 0  # without a policy nothing is added


def test_an_unknown_price_is_unknown() -> None:
    found = plan(
        Scaling(VARIANT, reference()),
        unknown("no price"),
        BOOK,
        account=ACCOUNT,
        now=datetime(2026, 11, 21, tzinfo=UTC),
    )
    assert found.cost is None


def test_a_serverless_endpoint_costs_while_it_answers() -> None:
    serverless = replace(VARIANT, kind=Kind.SERVERLESS, instance_type="", memory_mb=3072, most=5)
    found = made(Scaling(serverless, None), hold=10, most_clients=4)
    assert found.cost == Decimal("0.00006") * 70
    assert made(Scaling(replace(serverless, memory_mb=2048), None)).cost is None


@pytest.mark.parametrize("asked", [{"most_clients": 3}, {"most_clients": 64}, {"hold": 0}, {"most_requests": 10**9}])
def test_it_has_bounds(asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        made(**asked)


def test_only_what_serves_is_measured_and_only_by_who_may_change_something() -> None:
    with pytest.raises(Refused, match="starting"):
        made(Scaling(replace(VARIANT, status=EndpointStatus.CREATING), None))
    with pytest.raises(ReadOnly):
        made(account=replace(ACCOUNT, writable=False))


def test_the_code_is_python() -> None:
    compile(made().code, "measure.py", "exec")
