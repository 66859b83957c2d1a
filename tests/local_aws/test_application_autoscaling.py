"""Application Auto Scaling: what it takes and refuses, and how it scales by alarms, steps and schedules."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from local_aws.errors import ServiceError
from local_aws.pace import Pace
from tests.local_aws.scaling_clock import CALLER, RESOURCE, ClockWorld, PlayedFleet, clock_world

CONCURRENT = "SageMakerVariantConcurrentRequestsPerModelHighResolution"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ClockWorld]:
    with clock_world(tmp_path) as made:
        yield made


def why(world: ClockWorld, operation: str, **params: Any) -> tuple[str, str]:
    with pytest.raises(ServiceError) as caught:
        world.ask(operation, **params)
    return caught.value.code, caught.value.message


def target(world: ClockWorld) -> dict[str, Any]:
    (found,) = world.ask("describe_scalable_targets", ServiceNamespace="sagemaker")["ScalableTargets"]
    return dict(found)


def alarms(world: ClockWorld) -> dict[str, dict[str, Any]]:
    """By the end of their names: AlarmHigh, AlarmLow."""
    told = world.watching("describe_alarms")["MetricAlarms"]
    return {one["AlarmName"].split("-")[-6]: one for one in told}


def scaled(world: ClockWorld) -> list[tuple[str, str]]:
    """What was set, oldest first, and what became of it."""
    return [(one["Description"], one["StatusCode"]) for one in reversed(world.activities())]


# target tracking


def test_three_minutes_above_the_target_scale_out_and_fifteen_below_it_scale_in(world: ClockWorld) -> None:
    world.register(1, 3)
    world.track(10)
    world.pass_time(600, per_second=0.5)  # 30 a minute
    world.pass_time(1500, per_second=0.05)  # 3 a minute
    assert [number for _, number in world.history] == [1, 3, 1]
    (_, _), (out, _), (in_, _) = world.history
    assert 180 <= out < 245
    assert 600 + 900 <= in_ < 600 + 900 + 65
    assert scaled(world) == [
        ("Setting desired instance count to 3.", "Successful"),
        ("Setting desired instance count to 1.", "Successful"),
    ]
    cause = world.activities()[-1]["Cause"]
    assert cause.startswith("monitor alarm TargetTracking-endpoint/dogs/variant/AllTraffic-AlarmHigh-")
    assert cause.endswith(" in state ALARM triggered policy policy")


def test_concurrent_requests_are_looked_at_every_ten_seconds(world: ClockWorld) -> None:
    world.register(1, 4)
    world.track(5, CONCURRENT)
    made = alarms(world)
    assert {name: (one["Period"], one["EvaluationPeriods"], one["Statistic"]) for name, one in made.items()} == {
        "AlarmHigh": (10, 3, "Maximum"),
        "AlarmLow": (10, 90, "Maximum"),
    }
    world.pass_time(60, at_once=9)
    assert world.history[-1][1] == 2
    assert 30 <= world.history[-1][0] < 45
    world.pass_time(960, at_once=2)
    assert world.history[-1][1] == 1


def test_a_target_is_scaled_in_at_nine_tenths_and_never_to_too_few(world: ClockWorld) -> None:
    world.fleet.desired = world.fleet.running = 2
    world.register(1, 3)
    world.track(60)
    world.pass_time(1200, per_second=1.7)  # 51 a minute for each of two: below 54, and one could not take 102
    assert alarms(world)["AlarmLow"]["StateValue"] == "ALARM"
    assert world.fleet.desired == 2
    assert alarms(world)["AlarmLow"]["Threshold"] == pytest.approx(54)


def test_no_requests_at_all_are_no_data_and_scale_nothing(world: ClockWorld) -> None:
    world.fleet.desired = world.fleet.running = 3
    world.register(1, 3)
    world.track(10)
    world.pass_time(1800)
    assert alarms(world)["AlarmLow"]["StateValue"] == "INSUFFICIENT_DATA"
    assert world.fleet.asked == []


def test_an_alarm_that_lasts_over_silence_scales_no_further(world: ClockWorld) -> None:
    world.register(1, 9)
    world.track(10, cooldowns=(0, 0))
    world.pass_time(240, per_second=0.5)
    assert world.fleet.desired > 1
    asked = list(world.fleet.asked)
    world.pass_time(62)
    asked_once_more = list(world.fleet.asked)
    world.pass_time(120)
    assert alarms(world)["AlarmHigh"]["StateValue"] == "ALARM"
    assert world.fleet.asked == asked_once_more
    assert len(asked_once_more) <= len(asked) + 1


def test_while_the_cooldown_lasts_a_metric_that_has_not_fallen_adds_nothing(world: ClockWorld) -> None:
    world.fleet.starts = 90.0
    world.register(1, 20)
    world.track(10, cooldowns=(300, 1200))
    world.pass_time(240, per_second=0.5)
    assert world.fleet.asked == [3]
    world.pass_time(240, per_second=0.5)
    assert world.fleet.asked == [3], "30 a minute on one instance called for 3, and 3 there are"
    world.pass_time(300, per_second=3)  # 60 a minute for each of three
    assert world.fleet.asked[-1] == 6, "worked out from the one instance that the cooldown began with"


def test_a_cooldown_begins_when_the_new_instances_serve(world: ClockWorld) -> None:
    world.fleet.starts = 200.0
    world.register(1, 9)
    world.track(10, cooldowns=(60, 60))
    world.pass_time(200, per_second=0.5)
    (activity,) = world.activities()
    assert activity["StatusCode"] == "InProgress"
    assert "EndTime" not in activity
    world.pass_time(260, per_second=0.5)
    (activity,) = world.activities()
    assert activity["StatusCode"] == "Successful"
    assert 200 <= (activity["EndTime"] - activity["StartTime"]).total_seconds() < 205


def test_several_policies_scale_out_for_the_largest_and_in_when_all_agree(world: ClockWorld) -> None:
    world.register(1, 6)
    world.track(10)
    world.track(5, CONCURRENT, name="concurrent")
    world.pass_time(300, per_second=0.4, at_once=20)
    assert world.fleet.desired >= 4, "the requests at once call for more than those of a minute"
    there = world.fleet.desired
    world.pass_time(1300, per_second=0.05, at_once=4.8)  # few, but slow ones
    assert alarms_of(world, "policy")["Low"] == "ALARM"
    assert world.fleet.desired == there, "only one of them is ready to scale in"
    world.pass_time(1300, per_second=0.05, at_once=1)
    assert world.fleet.desired < there


def alarms_of(world: ClockWorld, policy: str) -> dict[str, str]:
    told = world.ask("describe_scaling_policies", ServiceNamespace="sagemaker", PolicyNames=[policy])
    names = [one["AlarmName"] for one in told["ScalingPolicies"][0]["Alarms"]]
    found = world.watching("describe_alarms", AlarmNames=names)["MetricAlarms"]
    return {"High" if "AlarmHigh" in one["AlarmName"] else "Low": one["StateValue"] for one in found}


def test_a_policy_that_may_not_scale_in_has_no_alarm_for_it(world: ClockWorld) -> None:
    world.register(1, 3)
    world.track(10)
    before = alarms(world)
    assert set(before) == {"AlarmHigh", "AlarmLow"}
    world.track(10, DisableScaleIn=True)
    after = alarms(world)
    assert set(after) == {"AlarmHigh"}
    assert after["AlarmHigh"]["AlarmName"] == before["AlarmHigh"]["AlarmName"]
    world.pass_time(300, per_second=0.5)
    world.pass_time(1500, per_second=0.05)
    assert world.fleet.desired == 3


def test_a_metric_of_ones_own_and_metric_math_are_tracked(world: ClockWorld) -> None:
    world.register(1, 5)
    stat = {"Metric": {"Namespace": "Mine", "MetricName": "queue"}, "Stat": "Maximum"}
    metrics = [
        {"Id": "m1", "MetricStat": stat, "ReturnData": False},
        {"Id": "e1", "Expression": "m1 / 2", "ReturnData": True},
    ]
    world.ask(
        "put_scaling_policy",
        PolicyName="queue",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 10.0,
            "CustomizedMetricSpecification": {"Metrics": metrics},
        },
    )
    for _ in range(5):
        world.put("queue", 50)
        world.pass_time(60)
    assert world.fleet.asked[0] == 3, "25 on one, and 10 are wanted"


def test_the_suspended_direction_stands_still(world: ClockWorld) -> None:
    world.register(1, 3)
    world.track(10)
    world.ask("register_scalable_target", SuspendedState={"DynamicScalingOutSuspended": True})
    world.pass_time(400, per_second=0.5)
    assert world.fleet.desired == 1
    assert target(world)["SuspendedState"] == {
        "DynamicScalingInSuspended": False,
        "DynamicScalingOutSuspended": True,
        "ScheduledScalingSuspended": False,
    }
    world.ask("register_scalable_target", SuspendedState={"DynamicScalingOutSuspended": False})
    world.pass_time(120, per_second=0.5)
    assert world.fleet.desired == 3


def test_what_was_not_done_is_told_on_request(world: ClockWorld) -> None:
    world.register(1, 2)
    world.track(10)
    world.pass_time(900, per_second=2)
    assert scaled(world) == [("Setting desired instance count to 2.", "Successful")]
    (first, *_) = world.activities(IncludeNotScaledActivities=True)
    assert first["NotScaledReasons"] == [{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 2, "CurrentCapacity": 2}]
    assert len(world.activities(IncludeNotScaledActivities=True)) == 2, "said once, not each minute"


def test_a_change_that_fails_says_why_and_is_tried_again_later(world: ClockWorld) -> None:
    world.register(1, 3)
    world.track(10)
    world.fleet.refusal = "This machine's limit is 1"
    world.pass_time(220, per_second=0.5)
    (first,) = world.activities()
    assert (first["StatusCode"], first["StatusMessage"]) == (
        "Failed",
        "Failed to set desired instance count to 3. Reason: This machine's limit is 1",
    )
    world.fleet.refusal = ""
    world.pass_time(180, per_second=0.5)
    assert scaled(world)[-1] == ("Setting desired instance count to 3.", "Successful")


def test_a_change_that_the_service_accepts_and_never_fulfils_ends_too(world: ClockWorld) -> None:
    world.fleet.starts = 1e9
    world.register(1, 3)
    world.track(10)
    world.pass_time(220, per_second=0.5)
    assert world.activities()[0]["StatusCode"] == "InProgress"
    world.fleet.failure = "no machine was found"
    world.pass_time(2)
    (activity,) = world.activities()
    assert activity["StatusCode"] == "Unfulfilled"
    assert activity["StatusMessage"].endswith("Reason: no machine was found")


def test_a_change_that_the_service_takes_back_ends_with_its_reason_and_is_tried_again_later(world: ClockWorld) -> None:
    world.fleet.starts = 1e9
    world.register(1, 3)
    world.track(10)
    world.pass_time(220, per_second=0.5)
    world.fleet.desired, world.fleet.due, world.fleet.undone = 1, None, "an instance could not be added"
    world.pass_time(30, per_second=0.5)
    (activity,) = world.activities()
    assert activity["StatusCode"] == "Unfulfilled"
    assert activity["StatusMessage"].endswith("Reason: an instance could not be added")
    world.fleet.starts, world.fleet.undone = 0.0, ""
    world.pass_time(120, per_second=0.5)
    assert scaled(world)[-1] == ("Setting desired instance count to 3.", "Successful")


# steps


def test_steps_scale_by_how_far_the_alarms_metric_is_from_its_threshold(world: ClockWorld) -> None:
    world.register(1, 9)
    steps = [
        {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 20, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 20, "ScalingAdjustment": 3},
    ]
    made = world.ask(
        "put_scaling_policy",
        PolicyName="steps",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": steps,
            "Cooldown": 300,
        },
    )
    assert made["Alarms"] == []
    world.watching(
        "put_metric_alarm",
        AlarmName="load",
        Namespace="Mine",
        MetricName="load",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=10.0,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[made["PolicyARN"]],
    )
    (told,) = world.ask("describe_scaling_policies", ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert [one["AlarmName"] for one in told["Alarms"]] == ["load"]
    for value in (15, 15, 40, 1):
        world.put("load", value)
        world.pass_time(60)
    assert world.fleet.asked == [2, 4], "one more, then three more of which one was there already"
    world.ask("delete_scaling_policy", PolicyName="steps")
    assert world.alarms.get("us-east-1", "load") is not None, "the alarm is somebody's own"


# schedules and ends


def test_a_schedule_moves_the_ends_and_the_capacity_with_them(world: ClockWorld) -> None:
    world.register(1, 2)
    world.ask(
        "put_scheduled_action",
        ScheduledActionName="morning",
        Schedule="cron(10 0 * * ? *)",
        ScalableTargetAction={"MinCapacity": 3, "MaxCapacity": 4},
    )
    (action,) = world.ask("describe_scheduled_actions", ServiceNamespace="sagemaker")["ScheduledActions"]
    assert (action["Schedule"], action["ScalableTargetAction"]) == (
        "cron(10 0 * * ? *)",
        {"MinCapacity": 3, "MaxCapacity": 4},
    )
    world.pass_time(590)
    assert world.fleet.desired == 1
    world.pass_time(20)
    assert world.fleet.desired == 3
    assert (target(world)["MinCapacity"], target(world)["MaxCapacity"]) == (3, 4)
    assert scaled(world) == [
        ("Setting min capacity to 3 and max capacity to 4", "Successful"),
        ("Setting desired instance count to 3.", "Successful"),
    ]
    assert world.activities()[0]["Cause"] == "minimum capacity was set to 3"
    world.ask("delete_scheduled_action", ScheduledActionName="morning")
    assert why(world, "delete_scheduled_action", ScheduledActionName="morning")[0] == "ObjectNotFoundException"


def test_an_action_whose_ends_do_not_fit_any_more_fails_and_says_so(world: ClockWorld) -> None:
    world.register(1, 2)
    at = datetime.fromtimestamp(world.now + 60, UTC).strftime("at(%Y-%m-%dT%H:%M:%S)")
    world.ask("put_scheduled_action", ScheduledActionName="up", Schedule=at, ScalableTargetAction={"MinCapacity": 5})
    world.pass_time(70)
    assert world.activities()[0]["StatusCode"] == "Failed"
    assert "less than minimum" in world.activities()[0]["StatusMessage"]
    assert target(world)["MinCapacity"] == 1


def test_other_ends_bring_the_capacity_within_them_once_it_stands_still(world: ClockWorld) -> None:
    world.fleet.starts = 30.0
    world.register(1, 3)
    world.fleet.set(None, 2)  # type: ignore[arg-type]  # somebody by hand, just now
    world.ask("register_scalable_target", MinCapacity=3)
    world.pass_time(5)
    assert world.fleet.desired == 2
    world.pass_time(70)
    assert world.fleet.running == 3
    world.ask("register_scalable_target", MinCapacity=1, MaxCapacity=1)
    world.pass_time(5)
    assert world.fleet.desired == 1
    assert world.activities()[0]["Cause"] == "maximum capacity was set to 1"


def test_what_is_kept_is_told_in_pages_of_what_was_asked_for(world: ClockWorld) -> None:
    world.register()
    for number in range(5):
        world.ask(
            "put_scheduled_action",
            ScheduledActionName=f"a{number}",
            Schedule="rate(1 hour)",
            ScalableTargetAction={"MinCapacity": 1},
        )
    asked = {"ServiceNamespace": "sagemaker", "ScheduledActionNames": ["a1", "a3", "a4"], "MaxResults": 2}
    first = world.ask("describe_scheduled_actions", **asked)
    rest = world.ask("describe_scheduled_actions", **asked, NextToken=first["NextToken"])
    names = [[one["ScheduledActionName"] for one in page["ScheduledActions"]] for page in (first, rest)]
    assert (names, "NextToken" in rest) == ([["a1", "a3"], ["a4"]], False)
    assert why(world, "describe_scaling_activities", ServiceNamespace="sagemaker", NextToken="!")[0] == (
        "InvalidNextTokenException"
    )


@settings(max_examples=6, deadline=None)
@given(
    traffic=some.lists(some.tuples(some.integers(60, 600), some.floats(0, 4)), min_size=1, max_size=6),
    starts=some.integers(0, 300),
    ends=some.tuples(some.integers(1, 3), some.integers(3, 8)),
)
def test_whatever_comes_the_capacity_stays_within_its_ends_and_changes_one_at_a_time(
    tmp_path_factory: pytest.TempPathFactory, traffic: list[tuple[int, float]], starts: int, ends: tuple[int, int]
) -> None:
    with clock_world(tmp_path_factory.mktemp("any"), fleet=PlayedFleet(starts=float(starts))) as world:
        world.register(*ends)
        world.track(20, cooldowns=(60, 60))
        for seconds, per_second in traffic:
            world.pass_time(seconds, per_second=per_second)
        assert all(ends[0] <= number <= ends[1] for number in world.fleet.asked)
        done = list(reversed(world.activities()))
        assert all(before["EndTime"] <= after["StartTime"] for before, after in pairwise(done))
        assert [one["StatusCode"] for one in done[:-1]] == ["Successful"] * len(done[:-1])


# refusals


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"MinCapacity": 3, "MaxCapacity": 1}, "Maximum capacity cannot be less than minimum capacity"),
        ({"MinCapacity": 0, "MaxCapacity": 1}, "scales to 0 only with inference components"),
        ({"MinCapacity": 1}, "MaxCapacity is required"),
        ({"MinCapacity": 1, "MaxCapacity": 2, "ServiceNamespace": "ecs"}, "cannot scale ecs yet"),
        ({"MinCapacity": 1, "MaxCapacity": 2, "ResourceId": "endpoint/dogs"}, "Unsupported service namespace"),
        (
            {
                "MinCapacity": 1,
                "MaxCapacity": 2,
                "ServiceNamespace": "lambda",
                "ResourceId": "function:classify",
                "ScalableDimension": "lambda:function:ProvisionedConcurrency",
            },
            "belongs to an alias or a version",
        ),
    ],
)
def test_a_target_that_cannot_be_is_refused(world: ClockWorld, params: dict[str, Any], said: str) -> None:
    code, message = why(world, "register_scalable_target", **params)
    assert code == "ValidationException"
    assert said in message
    assert world.ask("describe_scalable_targets", ServiceNamespace="sagemaker")["ScalableTargets"] == []


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"TargetValue": 0.0}, "greater than 0"),
        ({"ScaleInCooldown": -1}, "ScaleInCooldown"),
        ({"PredefinedMetricSpecification": {"PredefinedMetricType": "ALBRequestCountPerTarget"}}, "does not belong"),
        ({"PredefinedMetricSpecification": None}, "Exactly one of"),
        (
            {"PredefinedMetricSpecification": None, "CustomizedMetricSpecification": {"MetricName": "m"}},
            "needs Namespace",
        ),
    ],
)
def test_a_policy_that_tracks_nothing_is_refused(world: ClockWorld, config: dict[str, Any], said: str) -> None:
    world.register()
    with pytest.raises(ServiceError, match=said):
        world.track(10, **config)
    assert alarms(world) == {}


def test_two_policies_on_one_metric_are_refused_and_so_are_policies_without_a_target(world: ClockWorld) -> None:
    with pytest.raises(ServiceError, match="No scalable target registered for service namespace: sagemaker"):
        world.track(10)
    world.register()
    world.track(10)
    world.track(20)  # the same policy again, with another target
    assert alarms(world)["AlarmHigh"]["Threshold"] == 20
    with pytest.raises(ServiceError, match="Only one TargetTrackingScaling policy"):
        world.track(20, name="other")


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([], "at least one step"),
        ([{"MetricIntervalLowerBound": 5, "MetricIntervalUpperBound": 5, "ScalingAdjustment": 1}], "below its upper"),
        (
            [
                {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 1},
                {"MetricIntervalLowerBound": 5, "ScalingAdjustment": 1},
            ],
            "overlap",
        ),
        (
            [
                {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 1},
                {"MetricIntervalLowerBound": 15, "ScalingAdjustment": 1},
            ],
            "gap",
        ),
    ],
)
def test_steps_that_overlap_or_leave_gaps_are_refused(world: ClockWorld, steps: list[Any], said: str) -> None:
    world.register()
    config = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": steps}
    code, message = why(
        world, "put_scaling_policy", PolicyName="s", PolicyType="StepScaling", StepScalingPolicyConfiguration=config
    )
    assert code == "ValidationException"
    assert said in message


def test_a_schedule_that_never_comes_is_refused(world: ClockWorld) -> None:
    world.register()
    for schedule, said in (
        ("at(2001-01-01T00:00:00)", "has passed"),
        ("cron(0 9 * *)", "six fields"),
        ("soon", "Invalid Schedule Expression"),
    ):
        action = {"ScheduledActionName": "a", "Schedule": schedule, "ScalableTargetAction": {"MinCapacity": 1}}
        assert said in why(world, "put_scheduled_action", **action)[1]


# what goes, and what stays


def test_a_target_that_is_deregistered_takes_its_policies_alarms_and_schedules_with_it(world: ClockWorld) -> None:
    world.register()
    world.track(10)
    world.ask(
        "put_scheduled_action",
        ScheduledActionName="a",
        Schedule="rate(1 hour)",
        ScalableTargetAction={"MinCapacity": 1},
    )
    world.ask("deregister_scalable_target")
    assert alarms(world) == {}
    for operation, member in (
        ("describe_scaling_policies", "ScalingPolicies"),
        ("describe_scheduled_actions", "ScheduledActions"),
        ("describe_scalable_targets", "ScalableTargets"),
    ):
        assert world.ask(operation, ServiceNamespace="sagemaker")[member] == []
    assert why(world, "deregister_scalable_target")[0] == "ObjectNotFoundException"


def test_an_endpoint_that_is_deleted_is_no_target_any_more(world: ClockWorld) -> None:
    world.register()
    world.track(10)
    assert world.scaling.is_target("us-east-1", RESOURCE["ResourceId"])
    world.fleet.gone = True
    world.pass_time(5)
    assert not world.scaling.is_target("us-east-1", RESOURCE["ResourceId"])
    assert alarms(world) == {}


def test_tags_are_kept_with_a_target(world: ClockWorld) -> None:
    world.ask("register_scalable_target", MinCapacity=1, MaxCapacity=2, Tags={"made-by": "kennel"})
    arn = target(world)["ScalableTargetARN"]
    world.ask("tag_resource", ResourceARN=arn, Tags={"order": "1"})
    assert world.ask("list_tags_for_resource", ResourceARN=arn)["Tags"] == {"made-by": "kennel", "order": "1"}
    world.ask("untag_resource", ResourceARN=arn, TagKeys=["made-by"])
    assert world.scaling.list_tags_for_resource({"ResourceARN": arn}, CALLER)["Tags"] == {"order": "1"}
    assert why(world, "tag_resource", ResourceARN=arn + "0", Tags={"a": "b"})[0] == "ResourceNotFoundException"


def test_a_server_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    fleet = PlayedFleet(starts=100.0)
    with clock_world(tmp_path, fleet=fleet) as world:
        world.register(1, 3)
        world.track(10, cooldowns=(600, 600))
        world.pass_time(250, per_second=0.5)
        assert world.activities()[0]["StatusCode"] == "InProgress"
        now = world.now
    with clock_world(tmp_path, fleet=fleet, now=now) as world:
        assert target(world)["MaxCapacity"] == 3
        world.pass_time(60, per_second=0.05)
        (activity,) = world.activities()
        assert activity["StatusCode"] == "Successful"
        world.pass_time(1600, per_second=0.05)
        assert fleet.desired == 1


def test_a_change_that_was_only_begun_when_the_server_was_killed_is_not_taken_as_done(tmp_path: Path) -> None:
    fleet = PlayedFleet()

    class KilledError(Exception):
        pass

    def killed(*_: Any) -> None:
        raise KilledError

    with clock_world(tmp_path, fleet=fleet) as world:
        world.register(1, 3)
        world.track(10)
        world.pass_time(170, per_second=0.5)
        kept, fleet.set = fleet.set, killed  # type: ignore[method-assign]
        world.pass_time(30, per_second=0.5)
        assert world.activities()[0]["StatusCode"] == "Overridden"
        fleet.set = kept  # type: ignore[method-assign]
        now = world.now
    with clock_world(tmp_path, fleet=fleet, now=now) as world:
        world.pass_time(150, per_second=0.5)
        assert fleet.desired == 3


def test_a_cooldown_does_not_last_for_ever_when_the_server_was_killed_as_it_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(Exception):
        pass

    def killed(*_: Any) -> None:
        raise KilledError

    fleet = PlayedFleet(starts=30)
    with clock_world(tmp_path, fleet=fleet) as world:
        world.register(1, 3)
        world.track(10)
        world.pass_time(210, per_second=0.5)
        assert world.activities()[0]["StatusCode"] == "InProgress"
        monkeypatch.setattr(world.scaling._store.policies, "put", killed)
        with pytest.raises(KilledError):
            world.pass_time(60)
        now = world.now
    with clock_world(tmp_path, fleet=fleet, now=now) as world:
        world.pass_time(2)
        (policy,) = world.scaling._store.policies.all()
        assert world.activities()[0]["StatusCode"] == "Successful"
        assert policy["Out"]["Ended"] is not None


def test_high_resolution_takes_its_share_of_the_time_too_where_seconds_are_the_finest(tmp_path: Path) -> None:
    with clock_world(tmp_path, pace=Pace(30)) as world:
        world.register(1, 2)
        world.track(5, CONCURRENT)
        world.pass_time(10, at_once=9)
        world.pass_time(50, at_once=1)
        assert [number for _, number in world.history] == [1, 2, 1]
        assert world.history[1][0] <= 4, "30 prescribed seconds are one"
        assert 38 <= world.history[2][0] <= 43, "and 15 minutes are 30"


def test_a_time_scale_divides_periods_and_cooldowns(tmp_path: Path) -> None:
    with clock_world(tmp_path, pace=Pace(60)) as world:
        world.register(1, 3)
        world.track(10)
        world.pass_time(10, per_second=30)
        world.pass_time(30, per_second=3)
        assert [number for _, number in world.history] == [1, 3, 1]
        assert 3 <= world.history[1][0] <= 6
        assert 25 <= world.history[2][0] <= 29
