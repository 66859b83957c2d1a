"""What the first page reads beside runs, endpoints and money: each part may fail alone, and says so."""

from datetime import UTC, datetime, timedelta

from dashboard.core.alarms import ringing
from dashboard.core.errors import AccessDenied
from dashboard.core.morning import Morning, alarming, found, lying_open
from dashboard.core.overview import Attention, Severity
from tests.views.scripted import ScriptedAws

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
DENIED = AccessDenied("it is not allowed", action="cloudwatch:DescribeAlarms", resource="*")


def alarm(name, minutes):
    return {"AlarmName": name, "StateReason": "it is", "StateUpdatedTimestamp": NOW - timedelta(minutes=minutes)}


def test_the_newest_alarm_comes_first_and_those_that_scale_are_none():
    aws = ScriptedAws()
    told = [alarm("old", 60), alarm("new", 1), alarm("TargetTracking-endpoint/dogs-AlarmLow-1", 0)]
    aws._DescribeAlarms = lambda asked: {"MetricAlarms": told, "CompositeAlarms": [alarm("both", 5)]}
    assert [one.name for one in ringing(aws)] == ["new", "both", "old"]
    (asked,) = aws.asked("DescribeAlarms")
    assert asked == {"StateValue": "ALARM", "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}


def test_a_part_that_may_not_be_read_is_named_and_leaves_the_others():
    aws = ScriptedAws()
    aws.errors["DescribeAlarms"] = DENIED
    told = alarming(aws, NOW)
    assert told.items == ()
    assert [(one.what, one.problem) for one in told.unread] == [("alarms", DENIED)]
    aws.quota["ml.m5.large for training job usage"] = 0.0
    aws.errors["ListBuckets"] = DENIED
    lying = lying_open(aws)
    assert [one.what for one in lying.unread] == ["buckets"]
    assert "1 quota of this account is zero" in [item.what for item in lying.items]


def test_while_the_account_is_being_set_up_nothing_of_it_is_called_missing():
    aws = ScriptedAws()
    aws._DescribeStacks = lambda asked: {"Stacks": [{"StackStatus": "CREATE_IN_PROGRESS"}]}
    told = lying_open(aws)
    assert [one.what for one in told.items] == ["this account is being set up"]
    assert told.is_changing and told.is_about_set_up
    assert not told.unread


def test_two_readings_are_told_as_one():
    item = Attention(Severity.HINT, "a", "b", "c", "", "d")
    both = Morning((item,)).with_more(Morning((item,), alarming(ScriptedAws(), NOW).unread))
    assert both.items == (item, item)
    assert [one.what for one in both.unread] == ["alarms"]


def test_what_ticks_off_the_steps_is_none_where_it_cannot_be_read():
    aws = ScriptedAws()
    aws.errors["ListFunctions"] = DENIED
    told = found(aws, lambda: (), (), NOW)
    assert (told.datasets, told.functions, told.asked, told.called) == ((), None, 0.0, 0.0)
