from dataclasses import replace

import pytest

from dashboard.core.serving.model import EndpointStatus
from dashboard.core.serving.scaling.advise import advise
from dashboard.core.serving.scaling.around import Around
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
from dashboard.core.serving.scaling.refuse import refuse
from dashboard.core.serving.scaling.variant import Kind, Variant
from tests.core.serving.scaling.scaling_aws import NOW

REAL = Variant("dogs", "AllTraffic", Kind.REAL_TIME, EndpointStatus.IN_SERVICE, "ml.m5.large", 1, 1)
SERVERLESS = replace(REAL, kind=Kind.SERVERLESS, instance_type="", current=2, desired=2, memory_mb=3072, most=10)
ALLOWED = Around(has_role=True, limit=8)
CPU = CustomMetric("/aws/sagemaker/Endpoints", "CPUUtilization", "Average", (("EndpointName", "dogs"),))


def fields(settings, variant=REAL, around=ALLOWED):
    return [problem.field for problem in refuse(settings, variant, around, NOW)]


def with_policy(**changes):
    settings = reference()
    return replace(settings, tracking=(replace(settings.tracking[0], **changes),))


def test_the_reference_settings_are_taken():
    assert not fields(reference(10))
    assert not fields(reference(20, Tracked.CONCURRENT))


@pytest.mark.parametrize("instance", ["ml.t2.medium", "ml.t3.large", "ml.t4g.medium"])
def test_an_instance_with_bursts_cannot_scale_and_the_reason_is_given(instance):
    [problem] = refuse(reference(), replace(REAL, instance_type=instance), ALLOWED, NOW)
    assert problem.field == "variant"
    assert instance in problem.what
    assert "burstable" in problem.why
    assert "ml.m5.large" in problem.next_step


@pytest.mark.parametrize(
    ("kind", "minimum", "refused"),
    [
        (Kind.REAL_TIME, 0, True),
        (Kind.REAL_TIME, 1, False),
        (Kind.ASYNCHRONOUS, 0, False),
        (Kind.ASYNCHRONOUS, -1, True),
        (Kind.SERVERLESS, 0, True),
    ],
)
def test_a_minimum_of_nothing_is_for_endpoints_with_a_queue(kind, minimum, refused):
    variant = replace(SERVERLESS if kind is Kind.SERVERLESS else REAL, kind=kind)
    assert ("minimum" in fields(Settings(minimum, 3), variant)) is refused


@pytest.mark.parametrize("ends", [(3, 2), (0, 0), (1, 0)])
def test_the_maximum_is_at_least_the_minimum_and_one(ends):
    assert "maximum" in fields(Settings(*ends))


@pytest.mark.parametrize("target", [0, -1, float("nan"), float("inf")])
def test_a_target_is_a_number_above_nothing(target):
    assert fields(with_policy(target=target)) == ["target"]


@pytest.mark.parametrize("changes", [{"scale_in_cooldown": -1}, {"scale_out_cooldown": -30}])
def test_a_cooldown_is_not_negative(changes):
    assert fields(with_policy(**changes)) == ["cooldown"]


def test_two_policies_on_one_predefined_metric_are_refused():
    one = reference().tracking[0]
    assert fields(Settings(1, 3, (one, replace(one, name="another")))) == ["metric"]
    other = TargetTracking("at-once", Tracked.CONCURRENT, 4)
    assert not fields(Settings(1, 3, (one, other)))


def test_two_policies_of_one_name_are_refused_whatever_they_are():
    step = StepPolicy(reference().tracking[0].name, "ChangeInCapacity", 60, (Step(1, 0, None),))
    assert fields(replace(reference(), steps=(step,))) == ["metric"]


@pytest.mark.parametrize(
    "custom",
    [
        replace(CPU, namespace=""),
        replace(CPU, namespace=":x"),
        replace(CPU, name=""),
        replace(CPU, statistic="p99"),
        replace(CPU, dimensions=(("EndpointName", ""),)),
        replace(CPU, dimensions=(("a", "1"), ("a", "2"))),
    ],
)
def test_a_custom_metric_must_be_complete(custom):
    complete = Settings(1, 3, (TargetTracking("cpu", Tracked.CUSTOM, 60, custom=CPU),))
    assert not fields(complete)
    assert fields(replace(complete, tracking=(replace(complete.tracking[0], custom=custom),))) == ["metric"]


def test_a_serverless_variant_scales_provisioned_concurrency_within_its_own_limit():
    policy = TargetTracking("in-use", Tracked.PROVISIONED, 0.7)
    assert not fields(Settings(1, 10, (policy,)), SERVERLESS)
    assert fields(Settings(1, 11, (policy,)), SERVERLESS) == ["maximum"]
    assert fields(Settings(1, 3, (replace(policy, target=70.0),)), SERVERLESS) == ["target"]
    assert fields(Settings(1, 3, reference().tracking), SERVERLESS) == ["metric"]
    assert fields(Settings(1, 3, (policy,)), replace(SERVERLESS, desired=0)) == ["variant"]


def test_what_is_not_in_service_or_holds_components_is_not_registered():
    for status in (EndpointStatus.CREATING, EndpointStatus.FAILED, EndpointStatus.DELETING):
        assert fields(reference(), replace(REAL, status=status)) == ["variant"]
    assert not fields(reference(), replace(REAL, status=EndpointStatus.UPDATING))
    assert fields(reference(), replace(REAL, kind=Kind.COMPONENTS)) == ["variant"]


def test_a_missing_role_that_may_not_be_made_is_refused_with_the_command_that_makes_it():
    [problem] = refuse(reference(), REAL, Around(has_role=False, may_make_role=False), NOW)
    assert "iam:CreateServiceLinkedRole" in problem.why
    assert "sagemaker.application-autoscaling.amazonaws.com" in problem.next_step
    assert not fields(reference(), around=Around(has_role=False, may_make_role=True))
    assert not fields(reference(), around=Around(has_role=None))


@pytest.mark.parametrize(
    "action",
    [
        Scheduled("", "rate(1 hour)", 1, None),
        Scheduled("a:b", "rate(1 hour)", 1, None),
        Scheduled("a", "every day", 1, None),
        Scheduled("a", "cron(0 8 * * * *)", 1, None),
        Scheduled("a", "at(2020-01-01T00:00:00)", 1, None),
        Scheduled("a", "at(2099-01-01T00:00)", 1, None),
        Scheduled("a", "cron(0 8 31 FEB ? *)", 1, None),
        Scheduled("a", "cron(0 8 1 JAN ? 1999)", 1, None),
        Scheduled("a", "rate(1 hour)", None, None),
        Scheduled("a", "rate(1 hour)", 4, 2),
        Scheduled("a", "rate(1 hour)", 0, 2),
        Scheduled("a", "cron(0 8 * * ? *)", 1, 2, timezone="Mars/Olympus"),
        Scheduled("a", "rate(1 hour)", 1, 2, start=NOW, end=NOW),
    ],
)
def test_a_scheduled_action_that_aws_would_not_take(action):
    assert set(fields(replace(reference(), scheduled=(action,)))) == {"schedule"}


def test_a_scheduled_action_of_working_days_is_taken():
    morning = Scheduled("morning", "cron(0 8 ? * MON-FRI *)", 2, 5, "Europe/Berlin")
    assert not fields(replace(reference(), scheduled=(morning,)))
    assert fields(replace(reference(), scheduled=(morning, morning))) == ["schedule"]


def test_advice_names_what_happens_at_once_and_what_the_account_does_not_give():
    said = " ".join(advise(reference(), replace(REAL, current=5, desired=5), Around(has_role=False, limit=2)))
    assert "brought to 3 instances at once" in said
    assert "limit is 2 of ml.m5.large" in said
    assert "AWS makes the role" in said


def test_what_could_not_be_looked_at_around_it_is_said():
    denied = Around(False, None, "no right to simulate", None, "no right to list quotas")
    said = " ".join(advise(reference(), REAL, denied))
    assert "limit of ml.m5.large was not checked: no right to list quotas" in said
    assert "may have it made was not checked: no right to simulate" in said
    assert "not checked" not in " ".join(advise(reference(), REAL, ALLOWED))


def test_advice_says_that_an_endpoint_nobody_asks_does_not_scale_in():
    assert any("does not scale in" in one for one in advise(reference(), REAL, ALLOWED))
    custom = Settings(1, 3, (TargetTracking("cpu", Tracked.CUSTOM, 60, custom=CPU),))
    assert not any("does not scale in" in one for one in advise(custom, REAL, ALLOWED))


def test_advice_of_settings_that_move_nothing():
    assert any("nothing scales" in one for one in advise(Settings(1, 3), REAL, ALLOWED))
    assert any("nothing to move" in one for one in advise(Settings(2, 2), replace(REAL, desired=2), ALLOWED))
    stays = with_policy(can_scale_in=False)
    assert any("never scales in" in one for one in advise(stays, REAL, ALLOWED))


def test_a_cooldown_shorter_than_a_start_is_told_with_the_start_that_was_measured():
    assert any("takes minutes" in one for one in advise(reference(), REAL, ALLOWED))
    assert any("takes 1 min 35 s, as measured" in one for one in advise(reference(), REAL, ALLOWED, 95))
    assert not any("a new instance takes" in one for one in advise(reference(), REAL, ALLOWED, 20))
