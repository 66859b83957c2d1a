"""Reserved and provisioned concurrency: what Lambda would refuse is refused before it is sent; the rest is set."""

import ast
from dataclasses import replace
from decimal import Decimal

import pytest

from dashboard.core.costs.prices import PriceBook
from dashboard.core.errors import InvalidInput, Refused
from dashboard.core.serving.functions.act import act
from dashboard.core.serving.functions.concurrency import Concurrency, of
from dashboard.core.serving.functions.concurrency_plan import plan
from dashboard.core.serving.functions.concurrency_refusals import most_reserved, refuse
from dashboard.core.serving.functions.functions import read
from dashboard.core.serving.functions.plan import Plan
from dashboard.core.serving.functions.scaled import Scaling
from tests.core.costs.shaped_aws import ShapedAws
from tests.core.serving.functions.lambdas import Lambdas, shaped

BOOK = PriceBook.load()


@pytest.fixture
def lambdas() -> Lambdas:
    found = Lambdas()
    found.add("dogs")
    return found


@pytest.fixture
def aws(lambdas: Lambdas) -> ShapedAws:
    return shaped(lambdas)


def planned(aws: ShapedAws, wanted: Concurrency) -> Plan:
    return plan(read(aws, "dogs"), wanted, account=aws.account, prices=BOOK)


def set_to(aws: ShapedAws, wanted: Concurrency) -> Plan:
    made = planned(aws, wanted)
    act(aws, made, sleep=lambda _: None)
    return made


def why(aws: ShapedAws, wanted: Concurrency) -> str:
    problems = refuse(read(aws, "dogs"), wanted)
    with pytest.raises(InvalidInput):
        planned(aws, wanted)
    return str(problems[0])


def test_the_reference_setting_reserved_5_and_provisioned_2(lambdas: Lambdas, aws: ShapedAws) -> None:
    made = set_to(aws, Concurrency("live", 5, 2))
    assert (lambdas.functions["dogs"]["reserved"], lambdas.functions["dogs"]["provisioned"]) == (5, {"live": 2})
    assert [(one.what, one.before, one.after) for one in made.changes] == [
        ("reserved", "none", "5"),
        ("kept ready", "0", "2"),
    ]
    assert made.hourly == Decimal(2) * 256 / 1024 * 3600 * Decimal("0.0000041667")  # 2 × 256 MB for an hour
    assert of(read(aws, "dogs"), "live") == Concurrency("live", 5, 2)
    assert planned(aws, Concurrency("live", 5, 2)).is_empty


def test_both_ways_every_step_is_one_that_lambda_takes(lambdas: Lambdas, aws: ShapedAws) -> None:
    for reserved, provisioned in ((5, 5), (20, 15), (3, 2), (None, 0), (4, 4), (None, 30), (30, 30)):
        set_to(aws, Concurrency("live", reserved, provisioned))  # the account refuses a step in the wrong order
        assert lambdas.functions["dogs"]["reserved"] == reserved
        assert lambdas.functions["dogs"]["provisioned"].get("live", 0) == provisioned


def test_a_hundred_must_stay_unreserved(lambdas: Lambdas, aws: ShapedAws) -> None:
    lambdas.add("other")
    lambdas.functions["other"]["reserved"] = 700
    assert most_reserved(read(aws, "dogs")) == 200
    said = why(aws, Concurrency("live", 201))
    assert "700 are reserved by other functions and 100 must stay unreserved: 200 can be reserved" in said
    assert "L-B99A9384" in said
    lambdas.functions["dogs"]["reserved"] = 50
    assert most_reserved(read(aws, "dogs")) == 200  # its own counts as free for it
    set_to(aws, Concurrency("live", 200))


def test_a_reserved_5_in_a_small_account_is_explained(lambdas: Lambdas, aws: ShapedAws) -> None:
    lambdas.limit = 10
    said = why(aws, Concurrency("live", 5))
    assert "this account may run 10 at once in all, and 100 must stay unreserved" in said


def test_more_cannot_be_kept_ready_than_may_run(aws: ShapedAws) -> None:
    assert "only 5 may run at once" in why(aws, Concurrency("live", 5, 6))
    assert "900 are left" in why(aws, Concurrency("live", None, 901))


@pytest.mark.parametrize("qualifier", ["", "$LATEST"])
def test_an_alias_or_version_is_needed_to_keep_something_ready(aws: ShapedAws, qualifier: str) -> None:
    assert "published versions and aliases" in why(aws, Concurrency(qualifier, 5, 2))
    assert refuse(read(aws, "dogs"), Concurrency(qualifier, 5, 0)) == ()


def test_an_alias_of_the_latest_cannot_be_kept_ready(lambdas: Lambdas, aws: ShapedAws) -> None:
    lambdas._CreateAlias({"FunctionName": "dogs", "Name": "beta", "FunctionVersion": "$LATEST"})
    assert "points at $LATEST" in why(aws, Concurrency("beta", None, 1))
    assert "beta" not in read(aws, "dogs").qualifiers


def test_what_is_kept_ready_for_an_alias_that_shares_its_calls_cannot_be_changed_meanwhile(aws: ShapedAws) -> None:
    """Lambda: "Alias with weights can not be used with Provisioned Concurrency"."""
    details = read(aws, "dogs")
    shared = replace(details, aliases=tuple(replace(one, second="2", share=0.1) for one in details.aliases))
    (refused,) = refuse(shared, Concurrency("live", None, 2))
    assert "sends a share of its calls to version 2" in refused.why
    assert refuse(shared, Concurrency("live", 5, 0)) == ()


def test_an_alias_and_its_version_are_not_both_kept_ready(aws: ShapedAws) -> None:
    set_to(aws, Concurrency("live", None, 1))
    assert "same version" in why(aws, Concurrency("1", None, 1))


def test_reserved_0_stops_the_function_and_says_so(aws: ShapedAws) -> None:
    made = planned(aws, Concurrency("live", 0))
    assert any("every invocation is refused" in one for one in made.warnings)


def test_auto_scaling_watches_the_maximum_and_not_the_average(lambdas: Lambdas, aws: ShapedAws) -> None:
    made = set_to(aws, Concurrency("live", None, 0, Scaling(1, 10, 0.7)))
    policy = lambdas.policies["function:dogs:live"]["TargetTrackingScalingPolicyConfiguration"]
    assert policy["CustomizedMetricSpecification"]["Statistic"] == "Maximum"
    assert "PredefinedMetricSpecification" not in policy
    assert made.hourly == BOOK_HOUR  # at least its minimum
    scaled = read(aws, "dogs").scaled_of("live")
    assert scaled and scaled.settings == Scaling(1, 10, 0.7) and not scaled.is_by_average
    assert planned(aws, Concurrency("live", None, 0, Scaling(1, 10, 0.7))).is_empty
    set_to(aws, Concurrency("live", None, 0, None))
    assert (lambdas.targets, lambdas.policies) == ({}, {})


def test_what_auto_scaling_moved_meanwhile_stops_no_plan(lambdas: Lambdas, aws: ShapedAws) -> None:
    set_to(aws, Concurrency("live", None, 0, Scaling(1, 10, 0.7)))
    lambdas.functions["dogs"]["provisioned"]["live"] = 1
    made = planned(aws, Concurrency("live", None, 1, Scaling(2, 20, 0.5)))
    assert [one.what for one in made.changes] == ["auto scaling"]
    lambdas.functions["dogs"]["provisioned"]["live"] = 4
    act(aws, made, sleep=lambda _: None)
    act(aws, made, sleep=lambda _: None)
    scaled = read(aws, "dogs").scaled_of("live")
    assert scaled and scaled.settings == Scaling(2, 20, 0.5)


BOOK_HOUR = Decimal(256) / 1024 * 3600 * Decimal("0.0000041667")


def test_one_that_watches_the_average_is_recognised(lambdas: Lambdas, aws: ShapedAws) -> None:
    set_to(aws, Concurrency("live", None, 0, Scaling(1, 10, 0.7)))
    lambdas.policies["function:dogs:live"]["TargetTrackingScalingPolicyConfiguration"] = {
        "TargetValue": 0.7,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "LambdaProvisionedConcurrencyUtilization"},
    }
    scaled = read(aws, "dogs").scaled_of("live")
    assert scaled and scaled.is_by_average


@pytest.mark.parametrize(
    ("scaling", "said"),
    [(Scaling(5, 2, 0.7), "5 to 2"), (Scaling(0, 2, 0.7), "0 to 2"), (Scaling(1, 2, 0.95), "95 %")],
)
def test_scaling_that_aws_would_refuse(aws: ShapedAws, scaling: Scaling, said: str) -> None:
    assert said in why(aws, Concurrency("live", None, 0, scaling))


def test_another_setting_meanwhile_stops_the_plan(lambdas: Lambdas, aws: ShapedAws) -> None:
    made = planned(aws, Concurrency("live", 5, 2))
    lambdas.functions["dogs"]["reserved"] = 50
    with pytest.raises(Refused, match="has changed since"):
        act(aws, made, sleep=lambda _: None)
    assert lambdas.functions["dogs"]["reserved"] == 50


def test_the_plan_is_shown_as_a_program(aws: ShapedAws) -> None:
    shown = planned(aws, Concurrency("live", 5, 2, Scaling(1, 3, 0.5))).code(aws.account)
    ast.parse(shown)
    assert "lambda_.put_function_concurrency(" in shown and "register_scalable_target(" in shown
