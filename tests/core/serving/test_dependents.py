import pytest

from dashboard.core.errors import AccessDenied, NotFound
from dashboard.core.serving.dependents import find, release, silence
from tests.core.serving.scripted import Scripted

TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/dogs/variant/main",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
WATCHES = [{"Name": "EndpointName", "Value": "dogs"}]
ALARMS = [
    {"AlarmName": "kennel-dogs/main/5xx", "Dimensions": WATCHES},
    {"AlarmName": "TargetTracking-endpoint/dogs/variant/main-AlarmHigh-1", "Dimensions": WATCHES},
    {"AlarmName": "pager", "Metrics": [{"Id": "m", "MetricStat": {"Metric": {"Dimensions": WATCHES}}}]},
    {"AlarmName": "cats", "Dimensions": [{"Name": "EndpointName", "Value": "cats"}]},
]
FUNCTIONS = [
    {"FunctionName": "classify", "Environment": {"Variables": {"ENDPOINT_NAME": "dogs"}}},
    {"FunctionName": "other", "Environment": {"Variables": {"ENDPOINT_NAME": "cats"}}},
    {"FunctionName": "plain"},
]


@pytest.fixture
def aws():
    return Scripted(
        DescribeScalableTargets={"ScalableTargets": [TARGET]},
        DescribeScalingPolicies={"ScalingPolicies": [{}, {}]},
        DescribeScheduledActions={"ScheduledActions": [{}]},
        DescribeAlarms={"MetricAlarms": ALARMS},
        ListFunctions={"Functions": FUNCTIONS},
        DeregisterScalableTarget={},
        DeleteAlarms={},
    )


def test_all_that_hangs_on_an_endpoint_is_found(aws):
    found = find(aws, "dogs", ["main"])
    (target,) = found.targets
    assert (target.variant, target.policies, target.scheduled) == ("main", 2, 1)
    assert found.alarms == ("kennel-dogs/main/5xx",)
    assert found.others == ("pager",)
    assert found.functions == ("classify",)
    assert found.unread == ()


def test_what_cannot_be_asked_hides_nothing_else(aws):
    del aws.answers["ListFunctions"]
    aws.answers["DescribeAlarms"] = AccessDenied("not allowed")
    found = find(aws, "dogs", ["main"])
    assert len(found.targets) == 1
    assert [what for what, _ in found.unread] == ["alarms", "Lambda functions"]


def test_what_goes_with_it_goes_and_gone_already_is_fine(aws):
    found = find(aws, "dogs", ["main"])
    release(aws, found.targets)
    silence(aws, found.alarms)
    assert aws.asked("DeregisterScalableTarget") == [TARGET]
    assert aws.asked("DeleteAlarms") == [{"AlarmNames": ["kennel-dogs/main/5xx"]}]
    aws.answers["DeregisterScalableTarget"] = NotFound("gone")
    release(aws, found.targets)
    silence(aws, ())
    assert len(aws.asked("DeleteAlarms")) == 1
