"""Alarms: put, evaluated on real metrics, told of, kept."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.errors import ServiceError
from local_aws.pace import Pace
from local_aws.protocol import Caller
from local_aws.services.cloudwatch_alarms_watch import period_of
from tests.conftest import Embedded
from tests.local_aws.sagemaker_world import refused
from tests.local_aws.scaling_clock import CALLER, ClockWorld, clock_world

TOPIC = "arn:aws:sns:us-east-1:123456789012:alerts"
LOAD: dict[str, Any] = {
    "AlarmName": "load",
    "Namespace": "Mine",
    "MetricName": "load",
    "Statistic": "Average",
    "Period": 60,
    "EvaluationPeriods": 3,
    "Threshold": 10.0,
    "ComparisonOperator": "GreaterThanThreshold",
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ClockWorld]:
    with clock_world(tmp_path) as made:
        yield made


def alarm(world: ClockWorld, name: str = "load") -> dict[str, Any]:
    (found,) = world.watching("describe_alarms", AlarmNames=[name])["MetricAlarms"]
    return dict(found)


def minutes(world: ClockWorld, *values: float | None, name: str = "load") -> list[str]:
    """A value a minute, None for nothing; the alarm's state after each of them was looked at."""
    found = []
    for value in values:
        if value is not None:
            world.put(name, value)
        world.pass_time(60)
        found.append(alarm(world)["StateValue"])
    return found


def why(world: ClockWorld, **changes: Any) -> tuple[str, str]:
    with pytest.raises(ServiceError) as caught:
        world.watching("put_metric_alarm", **{**LOAD, **changes})
    return caught.value.code, caught.value.message


def history(world: ClockWorld, kind: str) -> list[str]:
    told = world.watching("describe_alarm_history", AlarmName="load", HistoryItemType=kind)
    return [one["HistorySummary"] for one in told["AlarmHistoryItems"]]


def test_an_alarm_goes_off_and_tells_its_topic_once(world: ClockWorld) -> None:
    world.watching("put_metric_alarm", **LOAD, AlarmActions=[TOPIC], OKActions=[TOPIC])
    assert alarm(world)["StateValue"] == "INSUFFICIENT_DATA"
    assert alarm(world)["StateReason"] == "Unchecked: Initial alarm creation"
    # an evaluation comes a moment after its minute: what is put now is seen in the next one
    assert minutes(world, 20, 20, 20, 20, 20) == ["INSUFFICIENT_DATA", "OK", "OK", "ALARM", "ALARM"]
    ((topic, subject, text),) = [one for one in world.topics.told if one[1].startswith("ALARM")]
    message = json.loads(text)
    assert (topic, subject) == (TOPIC, 'ALARM: "load" in us-east-1')
    assert (message["NewStateValue"], message["OldStateValue"]) == ("ALARM", "OK")
    assert message["Trigger"]["MetricName"] == "load"
    found = alarm(world)
    assert "3 out of the last 3 datapoints [20.0" in found["StateReason"]
    assert json.loads(found["StateReasonData"])["recentDatapoints"] == [20.0, 20.0, 20.0]
    assert minutes(world, 1, 1)[-1] == "OK"
    assert [one[1].split(":")[0] for one in world.topics.told] == ["OK", "ALARM", "OK"]
    assert history(world, "StateUpdate") == [
        "Alarm updated from ALARM to OK",
        "Alarm updated from OK to ALARM",
        "Alarm updated from INSUFFICIENT_DATA to OK",
    ]


def test_a_topic_that_refuses_is_told_of_in_the_history(world: ClockWorld) -> None:
    world.topics.refusal = "the policy of alerts does not let it"
    world.watching("put_metric_alarm", **LOAD | {"EvaluationPeriods": 1}, AlarmActions=[TOPIC])
    assert minutes(world, 20, 20)[-1] == "ALARM"
    assert history(world, "Action") == [
        f"Failed to execute action {TOPIC}. Received error: the policy of alerts does not let it"
    ]


def test_an_alarm_that_cannot_be_looked_at_does_not_keep_the_others_from_it(world: ClockWorld) -> None:
    short = LOAD | {"EvaluationPeriods": 1}
    world.watching("put_metric_alarm", **short | {"AlarmName": "broken", "MetricName": "other"})
    world.watching("put_metric_alarm", **short)
    whole = world.metrics.bins

    def bins(region: str, metric: Any, **how: Any) -> Any:
        if metric.name == "other":
            raise OSError("the disk is gone")
        return whole(region, metric, **how)

    world.metrics.bins = bins  # type: ignore[method-assign]
    assert minutes(world, 20, 20)[-1] == "ALARM"
    assert alarm(world, "broken")["StateValue"] == "INSUFFICIENT_DATA"


def test_actions_that_are_switched_off_are_not_done(world: ClockWorld) -> None:
    world.watching("put_metric_alarm", **LOAD | {"EvaluationPeriods": 1}, AlarmActions=[TOPIC])
    world.watching("disable_alarm_actions", AlarmNames=["load", "never-made"])
    assert not alarm(world)["ActionsEnabled"]
    assert minutes(world, 20, 20)[-1] == "ALARM"
    assert world.topics.told == []
    world.watching("enable_alarm_actions", AlarmNames=["load"])
    minutes(world, 1, 20, 20)
    assert len(world.topics.told) == 1


def test_a_metric_that_falls_silent_leaves_too_little_to_say(world: ClockWorld) -> None:
    world.watching("put_metric_alarm", **LOAD)
    assert minutes(world, 20, 20, 20, 20)[-1] == "ALARM"
    assert minutes(world, *[None] * 6)[-1] == "INSUFFICIENT_DATA"


def test_metric_math_is_watched_as_a_metric_is(world: ClockWorld) -> None:
    def read(id: str, name: str) -> dict[str, Any]:
        stat = {"Metric": {"Namespace": "Mine", "MetricName": name}, "Period": 60, "Stat": "Sum"}
        return {"Id": id, "MetricStat": stat, "ReturnData": False}

    share = {"Id": "e1", "Expression": "100 * m1 / m2", "ReturnData": True}
    of = {name: value for name, value in LOAD.items() if name not in ("Namespace", "MetricName", "Statistic", "Period")}
    metrics = [read("m1", "errors"), read("m2", "requests"), share]
    world.watching("put_metric_alarm", **of | {"EvaluationPeriods": 1}, Metrics=metrics)
    assert period_of(world.alarms.all()[0]) == 60
    for errors in (1, 3, 3):
        world.put("requests", 20)
        world.put("errors", errors)
        world.pass_time(60)
    assert alarm(world)["StateValue"] == "ALARM"
    assert "[15.0 " in alarm(world)["StateReason"]
    assert world.watching("describe_alarms_for_metric", Namespace="Mine", MetricName="errors")["MetricAlarms"] == []


def test_percentiles_and_short_periods_are_watched_too(world: ClockWorld) -> None:
    of = {**LOAD, "Period": 10, "EvaluationPeriods": 2, "ExtendedStatistic": "p50"}
    del of["Statistic"]
    world.watching("put_metric_alarm", **of)
    for _ in range(30):
        world.put("load", 1)
        world.put("load", 20)
        world.put("load", 30)
        world.pass_time(1)
    assert alarm(world)["StateValue"] == "ALARM"
    assert "[20.0 " in alarm(world)["StateReason"], "the middle of them"


def test_waits_are_divided_by_the_time_scale(tmp_path: Path) -> None:
    with clock_world(tmp_path, pace=Pace(30)) as world:
        world.watching("put_metric_alarm", **LOAD)
        begun = world.now
        while alarm(world)["StateValue"] != "ALARM":
            world.put("load", 20)
            world.pass_time(1)
            assert world.now < begun + 60
        assert 6 <= world.now - begun <= 10, "three minutes take six seconds, and the data a moment more"


def test_a_state_that_somebody_sets_lasts_until_the_next_look(world: ClockWorld) -> None:
    world.watching("put_metric_alarm", **LOAD, AlarmActions=[TOPIC])
    minutes(world, 1, 1, 1)
    world.watching("set_alarm_state", AlarmName="load", StateValue="ALARM", StateReason="a drill")
    assert (alarm(world)["StateValue"], alarm(world)["StateReason"]) == ("ALARM", "a drill")
    assert world.topics.told[-1][1].startswith("ALARM")
    assert minutes(world, 1) == ["OK"]
    with pytest.raises(ServiceError, match="does not exist"):
        world.watching("set_alarm_state", AlarmName="other", StateValue="OK", StateReason="x")


@pytest.mark.parametrize("data", ['{"recentDatapoints": ["a", null]}', '{"recentDatapoints": 7}', "[1]"])
def test_whatever_somebody_says_of_a_state_is_kept(world: ClockWorld, data: str) -> None:
    world.watching("put_metric_alarm", **LOAD)
    state = {"AlarmName": LOAD["AlarmName"], "StateValue": "ALARM", "StateReason": "a test"}
    world.watching("set_alarm_state", **state, StateReasonData=data)
    assert alarm(world)["StateReasonData"] == data


def test_what_is_updated_keeps_its_state_and_what_is_deleted_its_history(world: ClockWorld) -> None:
    world.watching("put_metric_alarm", **LOAD)
    minutes(world, 20, 20, 20, 20)
    world.watching("put_metric_alarm", **LOAD | {"Threshold": 5.0, "AlarmDescription": "lower"})
    assert (alarm(world)["StateValue"], alarm(world)["Threshold"]) == ("ALARM", 5.0)
    with pytest.raises(ServiceError, match="never-made"):
        world.watching("delete_alarms", AlarmNames=["load", "never-made"])
    assert world.watching("describe_alarms")["MetricAlarms"] == [], "the one that was there is gone all the same"
    assert history(world, "ConfigurationUpdate") == [
        'Alarm "load" deleted',
        'Alarm "load" updated',
        'Alarm "load" created',
    ]


def test_alarms_are_those_of_their_region_and_come_in_pages(world: ClockWorld) -> None:
    for number in range(5):
        world.watching("put_metric_alarm", **LOAD | {"AlarmName": f"a{number}"})
    first = world.watching("describe_alarms", MaxRecords=3)
    rest = world.watching("describe_alarms", MaxRecords=3, NextToken=first["NextToken"])
    names = [one["AlarmName"] for page in (first, rest) for one in page["MetricAlarms"]]
    assert names == ["a0", "a1", "a2", "a3", "a4"]
    assert "NextToken" not in rest
    elsewhere = Caller(CALLER.account, "eu-west-1", "AKIA", CALLER.arn)
    assert world.cloudwatch.describe_alarms({}, elsewhere)["MetricAlarms"] == []
    assert world.watching("describe_alarms", StateValue="OK")["MetricAlarms"] == []
    assert len(world.watching("describe_alarms", AlarmNamePrefix="a3")["MetricAlarms"]) == 1
    assert world.watching("describe_alarms", AlarmTypes=["CompositeAlarm"])["MetricAlarms"] == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ThresholdMetricId": "ad1"}, "anomaly detection"),
        ({"ComparisonOperator": "LessThanLowerThreshold"}, "anomaly detection"),
        ({"EvaluateLowSampleCountPercentile": "ignore"}, "EvaluateLowSampleCountPercentile"),
        ({"AlarmActions": ["arn:aws:automate:us-east-1:ec2:stop"]}, "SNS topic"),
        ({"AlarmActions": ["arn:aws:lambda:us-east-1:123456789012:function:f"]}, "SNS topic"),
        ({"AlarmActions": [TOPIC.replace("us-east-1", "eu-west-1")]}, "Invalid region"),
        ({"DatapointsToAlarm": 4}, "DatapointsToAlarm"),
        ({"Period": 45}, "Period"),
        ({"Period": 86_400, "EvaluationPeriods": 8}, "86400"),
        ({"Statistic": None}, "Statistic"),
        ({"ExtendedStatistic": "p90"}, "Statistic"),
        ({"TreatMissingData": "guess"}, "TreatMissingData"),
        ({"Metrics": [{"Id": "e1", "Expression": "1"}]}, "mutually exclusive"),
    ],
)
def test_what_could_not_be_honoured_is_refused_by_name(world: ClockWorld, changes: dict[str, Any], said: str) -> None:
    assert said in why(world, **changes)[1]
    assert world.alarms.all() == []


def test_alarms_outlive_the_server(tmp_path: Path) -> None:
    with clock_world(tmp_path) as world:
        world.watching("put_metric_alarm", **LOAD, AlarmActions=[TOPIC])
        minutes(world, 20, 20, 20, 20)
        before, now = alarm(world), world.now
    with clock_world(tmp_path, now=now) as world:
        assert alarm(world) == before
        assert world.alarms.state("us-east-1", "load") == "ALARM"
        assert minutes(world, 1, 1)[-1] == "OK"


def test_a_client_of_aws_sees_alarms_as_it_expects(embedded: Embedded) -> None:
    client = embedded.client("cloudwatch")
    sns = embedded.client("sns")
    topic = sns.create_topic(Name="wire-alarms")["TopicArn"]
    client.put_metric_alarm(
        **LOAD, AlarmActions=[topic], Dimensions=[{"Name": "a", "Value": "b"}], Tags=[{"Key": "made-by", "Value": "k"}]
    )
    try:
        (found,) = client.describe_alarms(AlarmNames=["load"])["MetricAlarms"]
        assert found["Dimensions"] == [{"Name": "a", "Value": "b"}]
        assert (found["Threshold"], found["ActionsEnabled"], found["OKActions"]) == (10.0, True, [])
        assert found["AlarmConfigurationUpdatedTimestamp"] == found["StateTransitionedTimestamp"]
        tags = client.list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"]
        assert tags == [{"Key": "made-by", "Value": "k"}]
        client.untag_resource(ResourceARN=found["AlarmArn"], TagKeys=["made-by"])
        assert client.list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"] == []
        client.set_alarm_state(AlarmName="load", StateValue="ALARM", StateReason="a drill")
        told = client.describe_alarm_history(AlarmName="load", HistoryItemType="Action")["AlarmHistoryItems"]
        assert told[0]["HistorySummary"] == f"Successfully executed action {topic}", "SNS takes it by its own policy"
        assert refused(client.put_metric_alarm, **LOAD | {"TreatMissingData": "guess"})[0] == "ValidationError"
        assert refused(client.set_alarm_state, AlarmName="x", StateValue="OK", StateReason="y")[0] == "ResourceNotFound"
    finally:
        client.delete_alarms(AlarmNames=["load"])
