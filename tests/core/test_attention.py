"""Budgets, endpoints past their time and waste are among what needs attention, the dearest first."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from dashboard.core.attention import MOST, with_money
from dashboard.core.costs.budgets.budgets import Budget, Scope
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.waste.expiry import mark
from dashboard.core.costs.waste.waste import Evidence, Finding, Kind, Sweep, Thing, ordered
from dashboard.core.overview import Severity, assemble
from tests.core.costs.receipts import HOUR, NOW, ledger, line, run
from tests.core.costs.receipts import endpoint as cost_of
from tests.core.test_overview import endpoint

PAST = mark(NOW - HOUR)
SAMPLE = {"kennel:sample": "true"}
OWN = run("mine", NOW - timedelta(hours=3), each="2")


def look(prices, *, endpoints=(), receipts=(OWN,), budgets=(), findings=None):
    seen = assemble([], endpoints, prices=prices, region="us-east-1", now=NOW)
    sweep = None if findings is None else Sweep(ordered(findings), NOW)
    return with_money(seen, ledger(*receipts), budgets, sweep, NOW, is_embedded=True).attention


def unused(name, each="0.01", kind=Kind.LOOSE_VOLUME, thing=Thing.VOLUME, nature=Nature.SIMULATED, **more):
    lines = (line(NOW - 24 * HOUR, NOW, each),)
    return Finding(
        kind, thing, name, nature, (Evidence("it is attached to nothing", "DescribeVolumes"),), lines, **more
    )


def test_a_budget_that_burst_is_critical_and_leads_to_spend(prices):
    (item,) = look(prices, budgets=[Budget("kennel-month", Decimal("0.5")), Budget("wide", Decimal(500))])
    assert (item.severity, item.page, item.nature) == (Severity.CRITICAL, "spend", Nature.SIMULATED)
    assert item.what == "budget of the whole account: over the limit"
    assert item.why == "$1.50 over the limit of $0.50"
    assert item.query == {"of": "simulated", "period": "2026-11", "by": "service"}


def test_a_budget_that_is_about_to_burst_is_a_warning_also_where_only_what_stands_is_known(prices):
    stands = cost_of("e", NOW - HOUR, each="1")
    (item,) = look(prices, receipts=(stands,), budgets=[Budget("kennel-month", Decimal(100))])
    assert (item.severity, item.page) == (Severity.WARNING, "spend")
    assert item.why.startswith("the month is heading for at least $229.00, $129.00 over")


def test_a_budget_of_one_project_is_held_against_its_own_receipts(prices):
    mine = replace(OWN, project="dogs")
    budgets = [Budget("a", Decimal(1), Scope.PROJECT, "dogs"), Budget("b", Decimal(1), Scope.PROJECT, "cats")]
    (item,) = look(prices, receipts=(mine,), budgets=budgets)
    assert item.what == "budget of project dogs: over the limit"
    assert item.query["project"] == "dogs"


def test_an_endpoint_past_its_time_is_named_with_its_dollars_a_day_before_any_sweep(prices):
    (item,) = look(prices, endpoints=[endpoint(prices, tags=PAST), endpoint(prices, "young")])
    assert item.what == "endpoint dogs is past its time, $2.76 a day"
    assert item.why == "it was to be gone on 21 Nov 2026, 11:00 UTC"
    assert (item.page, item.severity, item.query) == ("waste", Severity.WARNING, {"of": "simulated"})


def test_the_dearest_comes_first_and_a_thing_is_named_once(prices):
    old = endpoint(prices, "old", hours=30, tags=PAST)
    idle = unused("old", "0.115", Kind.IDLE_ENDPOINT, Thing.ENDPOINT)
    items = look(prices, endpoints=[old], findings=[unused("small"), unused("large", "1"), idle])
    assert [(item.name, item.dollars) for item in items] == [
        ("large", Decimal(24)),
        ("old", Decimal("2.76")),
        ("small", Decimal("0.24")),
    ]


def test_what_is_many_is_told_together(prices):
    items = look(prices, findings=[unused(f"v{number}", f"0.0{number + 1}") for number in range(MOST + 2)])
    assert len(items) == MOST + 1
    last = next(item for item in items if not item.name)
    assert last.what == "2 more things that cost for nothing, $0.72 a day"


@pytest.mark.parametrize("tags", [PAST, {}])
def test_what_a_schedule_deletes_needs_nobody(prices, tags):
    there = endpoint(prices, tags=tags, hours=30)
    idle = unused("dogs", "0.115", Kind.IDLE_ENDPOINT, Thing.ENDPOINT)
    told = replace(cost_of("dogs", NOW - 30 * HOUR), ends=NOW + HOUR)
    assert look(prices, endpoints=[there], receipts=(OWN, told), findings=[idle]) == ()
    assert look(prices, endpoints=[there], findings=[replace(idle, scheduled=NOW + HOUR)]) == ()


def test_what_is_gone_since_the_sweep_is_not_named(prices):
    assert look(prices, findings=[unused("gone", "1", Kind.IDLE_ENDPOINT, Thing.ENDPOINT)]) == ()


def test_the_samples_waste_is_told_only_while_the_account_has_no_money_of_its_own(prices):
    there = endpoint(prices, tags=PAST | SAMPLE)
    sample = replace(OWN, nature=Nature.SAMPLE)
    wasted = unused("v", nature=Nature.SAMPLE)
    assert look(prices, endpoints=[there], receipts=(OWN, sample), findings=[wasted]) == ()
    items = look(prices, endpoints=[there], receipts=(sample,), findings=[wasted])
    assert {item.nature for item in items} == {Nature.SAMPLE}
    assert len(items) == 2
