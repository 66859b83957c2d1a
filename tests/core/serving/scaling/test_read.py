import json
from datetime import timedelta

import pytest

from dashboard.core.errors import AccessDenied, NotFound, ServiceFault, Unreachable
from dashboard.core.serving.scaling.plan import plan
from dashboard.core.serving.scaling.policy import Tracked, reference
from dashboard.core.serving.scaling.read import read
from dashboard.core.serving.scaling.scaling import AlarmState
from dashboard.core.serving.scaling.variant import Kind
from tests.core.serving.scaling.scaling_aws import INSTANCES, NOW, RESOURCE, ScalingAws


@pytest.fixture
def aws():
    return ScalingAws(count=2)


def register(aws, **more):
    aws.targets[INSTANCES] = {
        "ResourceId": RESOURCE,
        "ScalableDimension": INSTANCES,
        "MinCapacity": 1,
        "MaxCapacity": 3,
        "CreationTime": NOW,
    } | more


def put(aws, name, **configuration):
    aws.policies[name] = {
        "PolicyName": name,
        "ResourceId": RESOURCE,
        "ScalableDimension": INSTANCES,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": configuration,
        "Alarms": [{"AlarmName": f"{name}-high"}, {"AlarmName": f"{name}-low"}],
    }


def test_a_variant_that_is_not_registered_has_no_settings_and_its_instances(aws):
    scaling = read(aws, "dogs")
    assert scaling.settings is None
    assert scaling.is_known
    assert (scaling.variant.current, scaling.variant.desired, scaling.variant.kind) == (2, 2, Kind.REAL_TIME)
    assert scaling.variant.instance_type == "ml.m5.large"
    assert scaling.siblings == ("AllTraffic",)


def test_settings_made_by_the_plan_are_read_back_as_they_were_meant(aws, prices):
    for call in plan(read(aws, "dogs"), reference(20), aws.account, prices).calls:
        aws.call(call.service, call.operation, **call.parameters)
    settings = read(aws, "dogs").settings
    assert (settings.minimum, settings.maximum) == (1, 3)
    [policy] = settings.tracking
    assert (policy.tracked, policy.target) == (Tracked.INVOCATIONS, 20)
    assert (policy.scale_in_cooldown, policy.scale_out_cooldown, policy.can_scale_in) == (30, 30, True)


def test_without_cooldowns_aws_takes_five_minutes_and_scales_in(aws):
    register(aws)
    put(aws, "p", TargetValue=7.5, PredefinedMetricSpecification={"PredefinedMetricType": Tracked.INVOCATIONS.value})
    [policy] = read(aws, "dogs").settings.tracking
    assert (policy.scale_in_cooldown, policy.scale_out_cooldown, policy.can_scale_in) == (300, 300, True)


def test_a_custom_metric_and_metric_math_are_told_apart(aws):
    register(aws)
    metric = {"MetricName": "CPUUtilization", "Namespace": "/aws/sagemaker/Endpoints", "Statistic": "Average"}
    named = {"Dimensions": [{"Name": "EndpointName", "Value": "dogs"}]}
    put(aws, "cpu", TargetValue=60, DisableScaleIn=True, CustomizedMetricSpecification=metric | named)
    put(aws, "math", TargetValue=1, CustomizedMetricSpecification={"Metrics": [{"Id": "e1", "Expression": "m1"}]})
    cpu, math = read(aws, "dogs").settings.tracking
    assert cpu.custom.dimensions == (("EndpointName", "dogs"),)
    assert not cpu.can_scale_in
    assert math.tracked is Tracked.CUSTOM
    assert math.custom is None


def test_step_policies_and_scheduled_actions_are_read(aws):
    register(aws)
    steps = [
        {"ScalingAdjustment": 1, "MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 10.0},
        {"ScalingAdjustment": 3, "MetricIntervalLowerBound": 10.0},
    ]
    aws.policies["step"] = {
        "PolicyName": "step",
        "ScalableDimension": INSTANCES,
        "PolicyType": "StepScaling",
        "StepScalingPolicyConfiguration": {
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": steps,
            "Cooldown": 60,
        },
    }
    aws.scheduled["night"] = {
        "ScheduledActionName": "night",
        "ScalableDimension": INSTANCES,
        "Schedule": "cron(0 22 * * ? *)",
        "ScalableTargetAction": {"MaxCapacity": 1},
    }
    settings = read(aws, "dogs").settings
    [step] = settings.steps
    assert (step.kind, step.cooldown, step.steps[1].adjustment, step.steps[1].below) == (
        "ChangeInCapacity",
        60,
        3,
        None,
    )
    [night] = settings.scheduled
    assert (night.minimum, night.maximum, night.timezone) == (None, 1, "UTC")


def test_alarms_are_told_with_their_state_and_the_value_that_brought_them_there(aws):
    register(aws)
    put(aws, "p", TargetValue=10, PredefinedMetricSpecification={"PredefinedMetricType": Tracked.INVOCATIONS.value})
    reason = json.dumps({"recentDatapoints": [11.0, 14.0, 23.5]})
    aws.alarm("p-high", "ALARM", "GreaterThanThreshold", StateReasonData=reason)
    aws.alarm("p-low", "INSUFFICIENT_DATA", "LessThanThreshold", StateReasonData="no JSON")
    high, low = read(aws, "dogs").alarms
    assert (high.state, high.is_high, high.value, high.policy) == (AlarmState.ALARM, True, 23.5, "p")
    assert (low.state, low.is_high, low.value) == (AlarmState.NO_DATA, False, None)
    assert high.datapoints == 3, "where AWS names none it is all of the periods"


def test_activities_come_newest_first_with_what_they_asked_for(aws):
    aws.did(3, age=60)
    aws.did(1, age=600)
    aws.did(3, "Failed", age=30, NotScaledReasons=[{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 3}])
    nothing, out, back = read(aws, "dogs").activities
    assert [one.capacity for one in (nothing, out, back)] == [3, 3, 1]
    assert (nothing.tone, nothing.word) == ("stopped", "nothing done"), "that nothing had to be done is no failure"
    assert out.status.is_done
    assert out.ended - out.started == timedelta(seconds=5)


def test_moving_the_two_ends_asks_for_no_number_of_instances(aws):
    aws.did(0, Description="Setting min capacity to 2 and max capacity to 4")
    assert read(aws, "dogs").activities[0].capacity is None


def test_what_is_switched_off_is_said(aws):
    register(aws, SuspendedState={"DynamicScalingInSuspended": True})
    assert read(aws, "dogs").suspended.words == ("scaling in",)


def test_a_part_that_may_not_be_read_is_named_and_the_rest_is_told(aws):
    register(aws)
    aws.errors["DescribeScalingActivities"] = AccessDenied("not allowed", action="application-autoscaling:Describe…")
    scaling = read(aws, "dogs")
    assert [one.what for one in scaling.unread] == ["activities"]
    assert scaling.is_known
    assert scaling.settings is not None


def test_settings_that_cannot_be_read_are_unknown_and_not_taken_for_none(aws):
    register(aws)
    aws.errors["DescribeScalingPolicies"] = ServiceFault("not available here")
    scaling = read(aws, "dogs")
    assert not scaling.is_known
    assert scaling.settings is None


def test_an_account_that_cannot_be_reached_is_an_error_of_the_whole(aws):
    aws.errors["DescribeScalableTargets"] = Unreachable("nobody answers")
    with pytest.raises(Unreachable):
        read(aws, "dogs")


def test_a_serverless_variant_is_read_by_its_provisioned_concurrency(aws):
    [variant] = aws.endpoint["ProductionVariants"]
    variant |= {"CurrentServerlessConfig": {"MemorySizeInMB": 3072, "MaxConcurrency": 10, "ProvisionedConcurrency": 2}}
    register(aws)  # of instances: another dimension than the one it has
    scaling = read(aws, "dogs")
    assert (scaling.variant.kind, scaling.variant.current, scaling.variant.most) == (Kind.SERVERLESS, 2, 10)
    assert scaling.settings is None
    assert scaling.variant.key["ScalableDimension"] == "sagemaker:variant:DesiredProvisionedConcurrency"


def test_asynchronous_endpoints_and_inference_components_are_known_by_their_configuration(aws):
    aws.endpoint["AsyncInferenceConfig"] = {"OutputConfig": {}}
    assert read(aws, "dogs").variant.kind is Kind.ASYNCHRONOUS
    del aws.endpoint["AsyncInferenceConfig"], aws.config["ModelName"]
    assert read(aws, "dogs").variant.kind is Kind.COMPONENTS


def test_an_endpoint_or_variant_that_is_not_there_is_not_found(aws):
    with pytest.raises(NotFound):
        read(aws, "cats")
    with pytest.raises(NotFound, match="no variant green"):
        read(aws, "dogs", "green")
