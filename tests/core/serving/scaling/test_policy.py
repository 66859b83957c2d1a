import pytest
from botocore.session import get_session

from dashboard.core.serving.scaling.policy import Tracked, reference


def test_the_predefined_metrics_have_the_names_that_application_auto_scaling_knows():
    known = get_session().get_service_model("application-autoscaling").shape_for("MetricType").enum
    assert {tracked for tracked in Tracked if tracked is not Tracked.CUSTOM} <= set(known)


@pytest.mark.parametrize("target", [10, 20])
def test_the_reference_settings_are_one_to_three_instances_with_thirty_seconds_both_ways(target):
    settings = reference(target)
    [policy] = settings.tracking
    assert (settings.minimum, settings.maximum) == (1, 3)
    assert (policy.target, policy.scale_in_cooldown, policy.scale_out_cooldown) == (target, 30, 30)


def test_the_metric_of_the_reference_settings_counts_requests_per_minute_not_at_once():
    [policy] = reference().tracking
    assert policy.tracked.unit == "requests per instance and minute"
    assert Tracked.CONCURRENT.period < policy.tracked.period
