from dashboard.core.format import money
from dashboard.core.runs.cost import run_cost
from dashboard.core.runs.model import RunStatus
from tests.core.runs.made import NOW, run


def test_a_completed_run_costs_its_billable_seconds(prices):
    cost = run_cost(run(), prices, "us-east-1", NOW)
    assert money(cost.amount) == "$0.0751"
    assert cost.basis == "whole seconds, as AWS bills"


def test_every_instance_is_billed(prices):
    assert (
        run_cost(run(instance_count=2), prices, "us-east-1", NOW).amount
        == 2 * run_cost(run(), prices, "us-east-1", NOW).amount
    )


def test_a_running_one_costs_what_it_has_used(prices):
    cost = run_cost(run(status=RunStatus.TRAINING), prices, "us-east-1", NOW)
    assert cost.seconds == 3580
    assert cost.basis == "so far"


def test_one_that_has_not_started_has_cost_nothing(prices):
    assert run_cost(run(status=RunStatus.STARTING, started=None), prices, "us-east-1", NOW).amount == 0


def test_one_without_billable_seconds_is_unknown(prices):
    cost = run_cost(run(status=RunStatus.FAILED, billable_seconds=None, started=None), prices, "us-east-1", NOW)
    assert cost.amount is None
    assert "no billable seconds" in cost.why_unknown
