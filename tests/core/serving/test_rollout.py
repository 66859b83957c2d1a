import pytest

from dashboard.core.errors import InvalidInput
from dashboard.core.serving import rollout
from dashboard.core.serving.rollout import Guard, Rollout, Shift
from tests.core.serving.scripted import check


@pytest.mark.parametrize(
    ("asked", "steps", "overlap"),
    [
        (Rollout(wait=300, keep=60), 1, 60),
        (Rollout(Shift.CANARY, 10, 300, keep=60), 2, 360),
        (Rollout(Shift.LINEAR, 30, 120, keep=0), 4, 360),
        (Rollout(Shift.LINEAR, 50, 0, 0), 2, 0),
    ],
)
def test_both_fleets_are_there_between_the_steps_and_for_the_last_wait(asked, steps, overlap):
    assert (asked.steps, asked.overlap) == (steps, overlap)


@pytest.mark.parametrize(
    "asked", [Rollout(), Rollout(Shift.CANARY, 10), Rollout(Shift.LINEAR, 25), Rollout(wait=0, guard=Guard(None))]
)
def test_its_configuration_is_what_sagemaker_accepts(asked):
    rollout.check(asked)
    made = rollout.config(asked, ["kennel-dogs/main/5xx"])
    check("sagemaker", "UpdateEndpoint", {"EndpointName": "d", "EndpointConfigName": "c", "DeploymentConfig": made})
    routing = made["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert ("CanarySize" in routing, "LinearStepSize" in routing) == (
        asked.shift is Shift.CANARY,
        asked.shift is Shift.LINEAR,
    )
    assert made["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": "kennel-dogs/main/5xx"}]}
    assert "AutoRollbackConfiguration" not in rollout.config(asked, [])


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("wait", Rollout(wait=3601)),
        ("keep", Rollout(keep=-1)),
        ("percent", Rollout(Shift.CANARY, 51)),
        ("percent", Rollout(Shift.LINEAR, 5)),
        ("wait", Rollout(Shift.LINEAR, 10, 3600)),
        ("errors", Rollout(guard=Guard(0))),
        ("latency", Rollout(guard=Guard(None, 0.0))),
    ],
)
def test_what_sagemaker_would_refuse_is_refused_by_field(field, asked):
    with pytest.raises(InvalidInput) as caught:
        rollout.check(asked)
    assert caught.value.field == field


def test_alarms_watch_each_variant_for_errors_and_for_latency():
    made = rollout.alarms(Guard(5, 0.25), "dogs", ["main", "other"])
    for alarm in made:
        check("cloudwatch", "PutMetricAlarm", alarm)
        assert alarm["AlarmName"].startswith(rollout.alarm_prefix("dogs"))
        assert alarm["TreatMissingData"] == "notBreaching"
    assert len({alarm["AlarmName"] for alarm in made}) == 4
    assert {alarm["Threshold"] for alarm in made} == {5.0, 250_000.0}
    assert rollout.alarms(Guard(None), "dogs", ["main"]) == []


def test_another_endpoints_alarms_are_not_taken_for_its_own():
    """Else deleting "dogs" would delete the alarms of "dogs-2" too."""
    assert not rollout.alarms(Guard(1), "dogs-2", ["main"])[0]["AlarmName"].startswith(rollout.alarm_prefix("dogs"))
