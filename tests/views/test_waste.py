"""Waste: what serves nobody, what it costs a day, and what is done about it."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.waste.waste import Evidence, Finding, Kind, Thing
from dashboard.core.errors import AccessDenied
from dashboard.ui import chart, waste_words
from tests.views import scripted
from tests.views.conftest import Open, text
from tests.views.scripted import ARN, ScriptedAws

VOLUME = "vol-0123456789abcdef0"


class Wasteful(ScriptedAws):
    """An account with an endpoint past its time, one that is a sample, and a loose volume of somebody else."""

    def __init__(self) -> None:
        super().__init__()
        self.schedules: dict[str, dict[str, Any]] = {}
        day = 86_400
        self.add_endpoint("demo", age=3 * day)
        past = (scripted.NOW - timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.tags[f"{ARN}:endpoint/demo"] = {"kennel:made-by": "kennel", "kennel:expires": past}
        self.add_endpoint("starter", age=3 * day, sample=True)

    def _ListMetrics(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["Namespace"] != "AWS/SageMaker":
            return {"Metrics": []}
        dimensions = [{"Name": "EndpointName", "Value": "demo"}, {"Name": "VariantName", "Value": "main"}]
        return {"Metrics": [{"Namespace": asked["Namespace"], "MetricName": "Invocations", "Dimensions": dimensions}]}

    def _GetMetricData(self, asked: dict[str, Any]) -> dict[str, Any]:
        now = datetime.now(UTC)
        return {
            "MetricDataResults": [
                {"Id": query["Id"], "Timestamps": [now - timedelta(minutes=5)], "Values": [3.0]}
                for query in asked["MetricDataQueries"]
            ]
        }

    def _DescribeVolumes(self, asked: dict[str, Any]) -> dict[str, Any]:
        volume = {
            "VolumeId": VOLUME,
            "State": "available",
            "Size": 100,
            "VolumeType": "gp3",
            "CreateTime": scripted.NOW,
        }
        return {"Volumes": [volume]}

    def _DescribeAddresses(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Addresses": []}

    def _ListSchedules(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Schedules": [{"Name": name} for name in self.schedules]}

    def _GetSchedule(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["Name"] not in self.schedules:
            raise scripted.NotFound(f"Schedule {asked['Name']} does not exist")
        return {**self.schedules[asked["Name"]], "State": "ENABLED"}

    def _CreateSchedule(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.schedules[asked["Name"]] = asked
        return {"ScheduleArn": asked["Name"]}

    def _DeleteSchedule(self, asked: dict[str, Any]) -> dict[str, Any]:
        del self.schedules[asked["Name"]]
        return {}

    def _CreateRole(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _PutRolePolicy(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {}


@pytest.fixture
def wasteful() -> ScriptedAws:
    return Wasteful()


def test_a_sheet_of_paper_says_whose_account_it_is_of_when_and_from_where(wasteful: Wasteful, visit: Open) -> None:
    foot = text(visit(wasteful, "waste", idle="7 d")).partition("kn-foot")[2]
    assert "Account " in foot
    assert "UTC" in foot
    assert "of=simulated" in foot
    assert "idle=7+d" in foot


def test_it_says_what_is_wasted_a_day_and_why(wasteful: Wasteful, visit: Open) -> None:
    page = visit(wasteful, "waste")
    assert not page.exception
    said = text(page)
    # an ml.m5.large for a day, and 100 GB of gp3 of a month of 730 h
    assert "$3.02 a day goes to 2 things that serve nobody" in said
    assert "<strong>demo</strong>" in said
    assert "past its time" in said
    assert "tag kennel:expires" in said
    assert "$2.76" in said
    assert "48 instance-hours" not in said
    assert "24 instance-hours" in said, "a day opens to its lines"


def test_a_sample_is_never_added_to_the_rest(wasteful: Wasteful, visit: Open) -> None:
    said = text(visit(wasteful, "waste"))
    assert "<strong>starter</strong>" not in said
    said = text(visit(wasteful, "waste", of="sample"))
    assert "$2.76 a day goes to 1 thing that serves nobody" in said
    assert "<strong>starter</strong>" in said
    assert "<strong>demo</strong>" not in said


def test_a_dialog_opens_over_the_money_that_was_chosen(wasteful: Wasteful, visit: Open) -> None:
    page = visit(wasteful, "waste", of="sample")
    page.button(key="waste-schedule-idle-endpoint:endpoint:starter").click().run()
    said = text(page)
    assert "scheduler CreateSchedule" in said
    assert "<strong>starter</strong>" in said
    assert "<strong>demo</strong>" not in said


def test_a_thing_with_two_reasons_stands_once(wasteful: Wasteful, visit: Open) -> None:
    wasteful.add_endpoint("quiet", age=200_000)
    wasteful.tags[f"{ARN}:endpoint/quiet"] = {"kennel:made-by": "kennel", "kennel:expires": "2026-01-01T00:00:00Z"}
    page = visit(wasteful, "waste")
    said = text(page)
    assert "$5.78 a day goes to 3 things" in said, "its day is counted once"
    assert said.count("<strong>quiet</strong>") == 1
    assert "nobody asks it" in said
    assert "Nobody asked it in 14 days" in said
    offered = [button.key for button in page.button if button.key.endswith(":quiet")]
    assert sorted(key.split("-")[1] for key in offered) == ["delete", "keep", "schedule"]


def test_what_kennel_did_not_make_has_no_button(wasteful: Wasteful, visit: Open) -> None:
    page = visit(wasteful, "waste")
    assert f"<strong>{VOLUME}</strong>" in text(page)
    assert "not Kennel&#x27;s" in text(page)
    assert not [button for button in page.button if VOLUME in button.key]


def test_how_long_unused_is_long_is_a_choice_in_the_address(wasteful: Wasteful, visit: Open) -> None:
    assert "<strong>starter</strong>" in text(visit(wasteful, "waste", of="sample", idle="24 h"))
    assert "<strong>starter</strong>" not in text(visit(wasteful, "waste", of="sample", idle="7 d"))


def test_parts_that_could_not_be_read_are_said(wasteful: Wasteful, visit: Open) -> None:
    wasteful.errors["DescribeVolumes"] = AccessDenied("reading volumes is not allowed", "no policy allows it")
    said = text(visit(wasteful, "waste"))
    assert "volumes: not allowed" in said
    assert "Volumes: reading volumes is not allowed · no policy allows it" in said, "why is behind the line"
    assert "notebooks" in said.split("Not checked: ")[1].splitlines()[0]
    assert "$2.76 a day goes to 1 thing" in said, "the rest of the page stands"


def test_an_account_in_which_nothing_answers_still_has_a_page(empty: ScriptedAws, visit: Open) -> None:
    page = visit(empty, "waste")
    assert not page.exception
    said = text(page)
    assert "nothing that costs money was found unused, as far as could be looked" in said
    assert "Nothing is wasted" in said


def test_an_endpoint_is_deleted_later_by_a_schedule(wasteful: Wasteful, visit: Open) -> None:
    page = visit(wasteful, "waste")
    page.button(key="waste-schedule-expired:endpoint:demo").click().run()
    said = text(page)
    assert "iam CreateRole, iam PutRolePolicy, scheduler CreateSchedule" in said
    assert wasteful.schedules == {}, "nothing is done before it is confirmed"
    page.button(key="confirm-do").click().run()
    (asked,) = wasteful.asked("CreateSchedule")
    assert asked["Name"] == "kennel-delete-demo"
    assert "goes on" in text(page)
    page.button(key="waste-unschedule-expired:endpoint:demo").click().run()
    page.button(key="confirm-do").click().run()
    assert wasteful.schedules == {}


def test_an_endpoint_is_kept_for_longer(wasteful: Wasteful, visit: Open) -> None:
    page = visit(wasteful, "waste")
    page.button(key="waste-keep-expired:endpoint:demo").click().run()
    page.button(key="confirm-do").click().run()
    (asked,) = wasteful.asked("AddTags")
    until = datetime.fromisoformat(asked["Tags"][0]["Value"])
    assert timedelta(hours=23) < until - datetime.now(UTC) <= timedelta(hours=24)
    assert "<strong>demo</strong>" not in text(page)


def test_deleting_an_endpoint_asks_for_its_name(wasteful: Wasteful, visit: Open) -> None:
    page = visit(wasteful, "waste")
    page.button(key="waste-delete-expired:endpoint:demo").click().run()
    assert page.button(key="confirm-blocked").disabled
    page.text_input(key="confirm-name").set_value("demo").run()
    page.button(key="confirm-do").click().run()
    assert "demo" not in wasteful.endpoints


def test_a_deployment_carries_until_when_it_is_wanted(aws: ScriptedAws, visit: Open) -> None:
    name = next(name for name, job in aws.jobs.items() if job["TrainingJobStatus"] == "Completed")
    page = visit(aws, "run", run=name)
    page.button(key=next(b.key for b in page.button if b.label == "Deploy model")).click().run()
    page.button(key="confirm-do").click().run()
    (asked,) = aws.asked("CreateEndpoint")
    (until,) = [tag["Value"] for tag in asked["Tags"] if tag["Key"] == "kennel:expires"]
    assert timedelta(hours=23) < datetime.fromisoformat(until) - datetime.now(UTC) <= timedelta(hours=24)


def test_the_file_has_every_digit_and_no_formula() -> None:
    odd = Finding(Kind.IDLE_ENDPOINT, Thing.ENDPOINT, "=SUM(A1)", Nature.LISTED, (Evidence("quiet", "CloudWatch"),))
    (row,) = list(csv.DictReader(io.StringIO(chart.to_csv(waste_words.plain([odd])))))
    assert (row["name"], row["USD a day"], row["money"]) == ("'=SUM(A1)", "", "list price")
    assert row["evidence"] == "quiet (CloudWatch)"


def test_a_deployment_says_for_how_long_it_is_wanted(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws)
    later = (datetime.now(UTC) + timedelta(hours=3, minutes=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    aws.tags[f"{ARN}:endpoint/starter"] |= {"kennel:expires": later}
    page = visit(aws)
    assert "kept for 3 h 29 min more" in text(page) or "kept for 3 h 30 min more" in text(page)


def test_an_address_of_unknown_money_says_so_in_a_line(wasteful: Wasteful, visit: Open) -> None:
    page = visit(wasteful, "waste", of="gold")
    assert "The address asks for the money gold, which is not known here" in text(page)
    assert not page.exception
    real = visit(wasteful, "waste", of="real")
    assert not real.exception
    assert "The address asks" not in text(real)
