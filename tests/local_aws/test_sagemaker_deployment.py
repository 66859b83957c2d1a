"""What a DeploymentConfig means, step by step."""

from typing import Any

import pytest

from local_aws.engine.deployment import Deployment, Step
from local_aws.engine.endpoint import Serverless, Variant
from local_aws.errors import ServiceError
from local_aws.services.sagemaker_deployment import plan

THREE = [Variant("a", None, {}, 2, 1.0), Variant("b", None, {}, 1, 1.0)]
SERVERLESS = [Variant("a", None, {}, 0, 1.0, serverless=Serverless(1024, 5))]


def size(value: int, kind: str = "CAPACITY_PERCENT") -> dict[str, Any]:
    return {"Type": kind, "Value": value}


def traffic(kind: str, wait: int = 300, **sizes: Any) -> dict[str, Any]:
    return {"TrafficRoutingConfiguration": {"Type": kind, "WaitIntervalInSeconds": wait, **sizes}}


def test_without_a_policy_everything_goes_over_at_once() -> None:
    assert plan({}, THREE) == Deployment()
    watched = plan({"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "5xx"}]}}, THREE)
    assert (watched.steps, watched.alarms) == ((Step(1.0, 0.0),), ("5xx",))


def test_at_once_the_termination_wait_is_the_only_one() -> None:
    policy = traffic("ALL_AT_ONCE") | {"TerminationWaitInSeconds": 120, "MaximumExecutionTimeoutInSeconds": 600}
    found = plan({"BlueGreenUpdatePolicy": policy}, THREE)
    assert (found.steps, found.longest) == ((Step(1.0, 120),), 600)


def test_linear_steps_wait_between_them_and_the_last_before_the_old_fleet_ends() -> None:
    policy = traffic("LINEAR", LinearStepSize=size(25)) | {"TerminationWaitInSeconds": 60}
    found = plan({"BlueGreenUpdatePolicy": policy}, THREE)
    assert found.steps == (Step(0.25, 300), Step(0.5, 300), Step(0.75, 300), Step(1.0, 60))


def test_a_canary_of_one_instance_is_its_share_of_all_variants() -> None:
    found = plan({"BlueGreenUpdatePolicy": traffic("CANARY", CanarySize=size(1, "INSTANCE_COUNT"))}, THREE)
    assert found.steps == (Step(pytest.approx(1 / 3), 300), Step(1.0, 0))


def test_rolling_replaces_batches_and_is_taken_back_at_once_unless_it_says_otherwise() -> None:
    policy = {"MaximumBatchSize": size(1, "INSTANCE_COUNT"), "WaitIntervalInSeconds": 60}
    found = plan({"RollingUpdatePolicy": policy}, THREE)
    assert found.rolling
    assert [(round(step.share, 3), step.wait) for step in found.steps] == [(0.333, 60), (0.667, 60), (1.0, 60)]
    assert found.back == 1.0
    assert plan({"RollingUpdatePolicy": policy | {"RollbackMaximumBatchSize": size(40)}}, THREE).back == 0.4


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"RollingUpdatePolicy": {"MaximumBatchSize": size(50), "WaitIntervalInSeconds": 0}}, "has none"),
        ({"BlueGreenUpdatePolicy": traffic("CANARY", CanarySize=size(1, "INSTANCE_COUNT"))}, "serverless variant"),
    ],
)
def test_a_serverless_variant_has_no_instances_to_count(config: dict[str, Any], words: str) -> None:
    with pytest.raises(ServiceError, match=words):
        plan(config, SERVERLESS)


@pytest.mark.parametrize(("value", "kind"), [(4, "CAPACITY_PERCENT"), (51, "CAPACITY_PERCENT"), (2, "INSTANCE_COUNT")])
def test_a_batch_is_5_to_50_percent(value: int, kind: str) -> None:
    policy = {"MaximumBatchSize": size(value, kind), "WaitIntervalInSeconds": 0}
    with pytest.raises(ServiceError, match="5 to 50 percent"):
        plan({"RollingUpdatePolicy": policy}, THREE)
