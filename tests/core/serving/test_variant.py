from decimal import Decimal

import pytest

from dashboard.core.serving import variant
from dashboard.core.serving.variant import Serverless
from tests.core.serving.made import BOOK, asked, endpoint, variants


def test_what_runs_counts_more_than_what_was_asked_for():
    running = {"VariantName": "main", "CurrentInstanceCount": 3, "DesiredInstanceCount": 4, "CurrentWeight": 0.5}
    (one,) = variant.read([asked(count=1)], [running], BOOK, "us-east-1")
    assert (one.count, one.desired, one.weight, one.desired_weight) == (3, 4, 0.5, 0.5)
    assert one.hourly.amount == Decimal("0.345")
    assert one.machine == "3 × ml.m5.large"


def test_a_serverless_variant_costs_nothing_by_the_hour_and_says_why():
    (one,) = variants(asked(kind=""))
    assert one.serverless == Serverless(3072, 5)
    assert (one.count, one.hourly.amount) == (0, None)
    assert "billed for the time that it answers" in one.hourly.why_unknown
    assert one.machine == "serverless, 3.0 GiB, 5 at once"
    assert endpoint(asked(kind="")).is_serverless


def test_a_configuration_that_is_gone_leaves_what_runs():
    (one,) = variant.read([], [{"VariantName": "main", "CurrentInstanceCount": 2}], BOOK, "us-east-1")
    assert (one.name, one.count, one.machine) == ("main", 2, "")
    assert "names no instance type" in one.hourly.why_unknown


def test_several_variants_cost_what_they_cost_together():
    both = variants(asked("main", count=2), asked("other", "cats", kind="ml.m5.xlarge"))
    quote = variant.together(both)
    assert quote.amount == Decimal("0.230") + Decimal("0.230")
    assert (quote.count, quote.unit_price) == (3, None)


def test_a_sum_with_a_part_unknown_is_at_least_the_rest():
    quote = variant.together(variants(asked("main"), asked("other", kind="ml.inf1.xlarge")))
    assert (quote.amount, quote.least) == (None, Decimal("0.115"))
    assert quote.why_unknown.startswith("other: ")


@pytest.mark.parametrize(("memory", "amount"), [(3072, Decimal("0.06")), (1024, None)])
def test_seconds_of_a_serverless_endpoint_are_priced_where_the_book_has_it(memory, amount):
    assert variant.answering(Serverless(memory, 1), BOOK, "us-east-1").amount == amount


def test_weights_are_shares_of_all_of_them():
    assert variant.shares(variants(asked("a", weight=3), asked("b", weight=1))) == {"a": 0.75, "b": 0.25}
    assert variant.shares(variants(asked("a", weight=0))) == {"a": 0.0}
