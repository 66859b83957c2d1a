from dataclasses import replace
from decimal import Decimal

import pytest

from dashboard.core.errors import NotFound, Refused, Throttled
from dashboard.core.serving.scaling.apply import apply
from dashboard.core.serving.scaling.plan import Cost, plan, plan_suspend, same, steps, told
from dashboard.core.serving.scaling.policy import (
    CustomMetric,
    Scheduled,
    Settings,
    Step,
    StepPolicy,
    TargetTracking,
    Tracked,
    reference,
)
from dashboard.core.serving.scaling.read import read
from dashboard.core.serving.scaling.scaling import Suspended
from tests.core.serving.scaling.scaling_aws import INSTANCES, ScalingAws

MORNING = Scheduled("morning", "cron(0 8 ? * MON-FRI *)", 2, 5, "Europe/Berlin")


@pytest.fixture
def aws():
    return ScalingAws()


def planned(aws, after, prices):
    return plan(read(aws, "dogs"), after, aws.account, prices)


def put(aws, after, prices):
    return apply(aws, planned(aws, after, prices), prices)


def test_the_target_is_registered_before_its_policy_and_marked_as_kennels(aws, prices):
    register, policy = planned(aws, reference(10), prices).calls
    assert register.operation == "RegisterScalableTarget"
    assert (register.parameters["MinCapacity"], register.parameters["MaxCapacity"]) == (1, 3)
    assert register.parameters["Tags"]["kennel:made-by"] == "kennel"
    assert policy.operation == "PutScalingPolicy"
    assert policy.parameters["TargetTrackingScalingPolicyConfiguration"] == {
        "TargetValue": 10,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        "ScaleInCooldown": 30,
        "ScaleOutCooldown": 30,
        "DisableScaleIn": False,
    }


def test_the_cost_is_that_of_the_smallest_and_the_largest(aws, prices):
    cost = planned(aws, reference(10), prices).cost
    assert (cost.least.amount, cost.most.amount) == (Decimal("0.115"), Decimal("0.345"))
    assert Cost.monthly(cost.most) == Decimal("0.345") * 730


def test_the_difference_is_told_in_words(aws, prices):
    put(aws, reference(10), prices)
    after = replace(reference(20), maximum=5, scheduled=(MORNING,))
    told = {one.what: (one.before, one.after) for one in planned(aws, after, prices).changes}
    assert told["instances"] == ("1 to 3", "1 to 5")
    before, then = told["policy kennel-requests-per-instance"]
    assert before.startswith("10 requests per instance and minute")
    assert then.startswith("20 requests per instance and minute")
    assert told["scheduled action morning"] == (
        "–",
        "minimum 2 and maximum 5 at cron(0 8 ? * MON-FRI *) Europe/Berlin",
    )


def test_settings_that_are_set_need_no_call(aws, prices):
    put(aws, replace(reference(10), scheduled=(MORNING,)), prices)
    again = planned(aws, replace(reference(10), scheduled=(MORNING,)), prices)
    assert again.calls == ()
    assert again.changes == ()


def test_only_what_changes_is_sent(aws, prices):
    put(aws, reference(10), prices)
    assert [call.operation for call in planned(aws, reference(20), prices).calls] == ["PutScalingPolicy"]
    wider = replace(reference(10), maximum=4)
    [register] = planned(aws, wider, prices).calls
    assert "Tags" not in register.parameters, "AWS takes tags at the first registration alone"


def test_a_policy_of_another_name_on_the_same_metric_goes_before_the_new_one_comes(aws, prices):
    old = replace(reference(10), tracking=(replace(reference(10).tracking[0], name="SageMakerEndpointInvocation"),))
    put(aws, old, prices)
    calls = planned(aws, reference(20), prices).calls
    assert [call.operation for call in calls] == ["DeleteScalingPolicy", "PutScalingPolicy"]
    put(aws, reference(20), prices)
    assert same(read(aws, "dogs").settings, reference(20))


def test_a_policy_of_another_metric_stays_until_the_new_one_is_there(aws, prices):
    put(aws, reference(10), prices)
    calls = planned(aws, reference(4, Tracked.CONCURRENT), prices).calls
    assert [call.operation for call in calls] == ["PutScalingPolicy", "DeleteScalingPolicy"]


def test_a_custom_metric_is_sent_whole(aws, prices):
    metric = CustomMetric(
        "/aws/sagemaker/Endpoints", "CPUUtilization", "Average", (("EndpointName", "dogs"),), "Percent"
    )
    after = Settings(1, 3, (TargetTracking("cpu", Tracked.CUSTOM, 60, custom=metric),))
    put(aws, after, prices)
    assert same(read(aws, "dogs").settings, after)


def test_a_policy_that_kennel_cannot_write_is_kept_or_deleted_and_never_put(aws, prices):
    put(aws, reference(10), prices)
    aws.policies["math"] = aws.policies["kennel-requests-per-instance"] | {
        "PolicyName": "math",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 1.0,
            "CustomizedMetricSpecification": {"Metrics": [{"Id": "e1", "Expression": "m1/m2"}]},
        },
    }
    current = read(aws, "dogs").settings
    assert planned(aws, current, prices).calls == ()
    [gone] = planned(aws, reference(10), prices).calls
    assert gone.operation == "DeleteScalingPolicy"
    assert gone.parameters["PolicyName"] == "math"


def test_removing_is_one_call_that_takes_all_along(aws, prices):
    put(aws, replace(reference(10), scheduled=(MORNING,)), prices)
    removal = planned(aws, None, prices)
    assert [call.operation for call in removal.calls] == ["DeregisterScalableTarget"]
    assert removal.removes
    assert apply(aws, removal, prices) == "dogs scales no more: it stays at 1 instance"
    assert read(aws, "dogs").settings is None
    assert apply(aws, removal, prices), "removing what is gone already is fine"


def test_a_plan_sent_twice_does_nothing_more(aws, prices):
    made = planned(aws, reference(10), prices)
    assert apply(aws, made, prices) == "dogs scales between 1 and 3 instances"
    first = list(aws.changed)
    apply(aws, made, prices)
    assert aws.changed == first


def test_a_plan_that_was_cut_off_goes_on_where_it_was(aws, prices):
    made = planned(aws, replace(reference(10), scheduled=(MORNING,)), prices)
    aws.errors["PutScalingPolicy"] = Throttled("slow down")
    with pytest.raises(Throttled):
        apply(aws, made, prices)
    aws.errors.clear()
    apply(aws, made, prices)
    assert aws.changed == ["RegisterScalableTarget", "PutScalingPolicy", "PutScheduledAction"]


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(aws, prices):
    put(aws, reference(10), prices)
    made = planned(aws, reference(20), prices)
    aws.targets[INSTANCES]["MaxCapacity"] = 7
    with pytest.raises(Refused, match="changed in the meantime"):
        apply(aws, made, prices)


def test_settings_that_cannot_be_read_are_not_written(aws, prices):
    made = planned(aws, reference(10), prices)
    aws.errors["DescribeScalingPolicies"] = Throttled("slow down")
    with pytest.raises(Throttled):
        apply(aws, made, prices)
    assert aws.changed == []


def test_an_endpoint_that_went_meanwhile_is_not_found(aws, prices):
    made = planned(aws, reference(10), prices)
    aws.errors["DescribeEndpoint"] = NotFound("gone")
    with pytest.raises(NotFound):
        apply(aws, made, prices)


def test_pausing_switches_off_and_keeps_the_ends(aws, prices):
    put(aws, reference(10), prices)
    call, code = plan_suspend(read(aws, "dogs"), Suspended(scale_in=True, scale_out=True, scheduled=True), aws.account)
    aws.call(call.service, call.operation, **call.parameters)
    scaling = read(aws, "dogs")
    assert scaling.suspended.words == ("scaling in", "scaling out", "scheduled actions")
    assert (scaling.settings.minimum, scaling.settings.maximum) == (1, 3)
    assert "register_scalable_target" in code


def test_the_code_is_a_program_with_every_call(aws, prices):
    code = planned(aws, replace(reference(10), scheduled=(MORNING,)), prices).code
    compile(code, "plan", "exec")
    for name in ("register_scalable_target", "put_scaling_policy", "put_scheduled_action"):
        assert f"application_autoscaling.{name}(" in code


def test_a_type_without_a_price_has_an_unknown_cost_and_says_why(prices):
    aws = ScalingAws(instance="ml.zz9.large")
    cost = planned(aws, reference(10), prices).cost
    assert cost.most.amount is None
    assert cost.most.why_unknown
    assert Cost.monthly(cost.most) is None


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (
            reference(10).tracking[0],
            "10 requests per instance and minute, waits 30 s after scaling out, 30 s after scaling in",
        ),
        (
            TargetTracking("p", Tracked.PROVISIONED, 0.7, can_scale_in=False),
            "70 % of its provisioned concurrency in use, waits 5 min after scaling out, never scales in",
        ),
    ],
)
def test_a_policy_is_told_as_people_say_it(policy, words):
    assert told(policy) == words


def test_a_step_policy_is_told_with_its_steps():
    one = StepPolicy("s", "PercentChangeInCapacity", 60, (Step(10, 0, 20), Step(50, 20, None), Step(-10, None, 0)))
    assert steps(one) == "+10 % from 0 to 20, +50 % from 20 on, -10 % from below to 0 over its alarm, waits 1 min"
