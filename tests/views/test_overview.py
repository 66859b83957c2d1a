"""Overview: is anything wrong, what runs, what does it cost?"""

import re
import time
from datetime import UTC, datetime, timedelta

from streamlit.testing.v1 import AppTest

from dashboard.core.errors import AccessDenied, Unreachable
from tests.views.conftest import Open, links, text
from tests.views.scripted import ARN, REAL, ScriptedAws


def test_it_says_what_runs_what_failed_and_what_it_costs(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws)
    assert not page.exception
    said = text(page)
    assert "2 running, 1 failed since yesterday, 2 endpoints serving" in said
    assert "$0.23/h" in said  # an endpoint and the one run that is billed, each 0.115
    assert "$0.115/h apart" in said  # of the sample's endpoint
    assert "drawn-dogs-c77a1b02 failed" in said
    assert "one class only" in said
    assert list(page.dataframe[0].value["Run"])[:2] == ["drawn-dogs-81be03d4", "drawn-dogs-2f91c0aa"]


def test_what_it_names_leads_to_its_page(aws: ScriptedAws, visit: Open) -> None:
    found = links(visit(aws))
    assert ("Open run", "run", "run=drawn-dogs-c77a1b02") in found
    assert ("Watch", "run", "run=drawn-dogs-2f91c0aa") in found
    assert ("Classify", "classify", "endpoint=starter") in found


def test_every_sum_of_money_says_that_it_is_simulated(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws)
    with_money = [str(element.value) for element in page.html if "$" in str(element.value)]
    assert len(with_money) >= 6
    assert all("simulated" in said for said in with_money)
    assert "nothing was charged" in with_money[0]


def test_on_a_real_account_nothing_is_called_simulated(visit: Open) -> None:
    aws = ScriptedAws(REAL)
    aws.add_endpoint("dogs")
    page = visit(aws)
    said = text(page)
    assert "Real AWS · profile work · read-only" in said
    assert "simulated" not in said
    assert "stHeader" in said  # the header is tinted
    assert "Embedded AWS · simulated money" in text(visit(ScriptedAws()))


def test_an_account_that_does_not_answer_is_explained(aws: ScriptedAws, visit: Open) -> None:
    aws.errors["*"] = Unreachable("the embedded AWS is not answering", "connection refused", "start it with make run")
    page = visit(aws)
    assert not page.exception
    assert text(page).count("</h1>") == 1
    said = text(page)
    assert "The embedded AWS is not answering" in said
    assert "Connection refused" in said
    assert "Start it with make run" in said
    assert "Try again" in said


def test_it_recovers_when_the_account_answers_again(aws: ScriptedAws, visit: Open) -> None:
    aws.errors["*"] = Unreachable("the embedded AWS is not answering")
    page = visit(aws)
    aws.errors.clear()
    page.button(key="problem-page-again").click().run()
    assert "2 running" in text(page)


def test_a_missing_permission_shows_the_statement_to_ask_for(aws: ScriptedAws, visit: Open) -> None:
    aws.errors["ListEndpoints"] = AccessDenied(
        "listing endpoints is not allowed", action="sagemaker:ListEndpoints", resource="*"
    )
    page = visit(aws)
    assert '"Action": "sagemaker:ListEndpoints"' in page.code[0].value
    said = text(page)
    assert "2 running, 1 failed since yesterday, endpoints not read" in said  # the rest stands
    assert "the endpoints could not be read" in said
    assert "No endpoint yet." not in said


def test_deleting_an_endpoint_asks_for_its_name_and_says_what_goes(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws)
    page.button(key="delete-forgotten").click().run()
    assert "endpoint forgotten, endpoint configuration forgotten, model forgotten" in text(page)
    assert page.button(key="confirm-blocked").disabled
    assert not aws.asked("DeleteEndpoint")
    page.text_input(key="confirm-name").set_value("forgotten").run()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert "forgotten" not in aws.endpoints
    assert [toast.value for toast in page.toast] == ["forgotten is being deleted"]
    assert "1 endpoint serving" in text(page)


def test_an_endpoint_that_is_being_deleted_is_neither_on_the_way_nor_offered(visit: Open) -> None:
    aws = ScriptedAws()
    aws.add_endpoint("gone", "Deleting")
    aws.configs.clear()
    page = visit(aws)
    said = text(page)
    assert "1 being deleted" in said
    assert "more on the way" not in said
    assert '<p class="kn-note">not billed' in said
    assert not [button for button in page.button if button.key == "delete-gone"]
    assert not [query for _, place, query in links(page) if place == "classify" and "gone" in query]


def test_a_refused_delete_is_said_in_the_dialog_and_nothing_is_lost(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws)
    page.button(key="delete-forgotten").click().run()
    page.text_input(key="confirm-name").set_value("forgotten").run()
    aws.errors["DeleteEndpoint"] = AccessDenied("deleting is not allowed", action="sagemaker:DeleteEndpoint")
    page.button(key="confirm-do").click().run()
    assert "Deleting is not allowed" in text(page)
    assert page.button(key="confirm-do")
    assert "forgotten" in aws.endpoints


def test_a_budget_that_burst_and_an_endpoint_past_its_time_need_attention_with_their_pages(
    aws: ScriptedAws, visit: Open
) -> None:
    aws.add_budget(limit="0.01")
    past = {"kennel:made-by": "kennel", "kennel:expires": "2026-01-01T00:00:00Z"}
    aws.tags[f"{ARN}:endpoint/forgotten"] = past
    page = visit(aws)
    said = text(page)
    assert "Nothing needs attention" not in said
    assert "budget of the whole account: over the limit" in said
    assert "over the limit of $0.01" in said
    assert "endpoint forgotten is past its time, $2.76 a day" in said
    assert said.index("budget of the whole account") < said.index("endpoint forgotten is past its time")
    found = links(page)
    assert ("Open Waste", "waste", "of=simulated") in found
    month = f"of=simulated&period={datetime.now(UTC):%Y-%m}&by=service"
    assert ("Open Spend", "costs", month) in found


def test_what_the_last_sweep_found_is_told_once_it_is_there_and_the_page_does_not_wait_for_it(
    aws: ScriptedAws, visit: Open
) -> None:
    created = datetime.now(UTC) - timedelta(days=2)
    volume = {"VolumeId": "vol-1", "State": "available", "Size": 100, "VolumeType": "gp3", "CreateTime": created}
    aws._DescribeVolumes = lambda asked: {"Volumes": [volume]}  # type: ignore[attr-defined]
    page = visit(aws)
    deadline = time.monotonic() + 10
    while "volume vol-1" not in text(page) and time.monotonic() < deadline:
        time.sleep(0.05)
        page.run()
    assert "volume vol-1: attached to nothing, $0.263 a day" in text(page)
    assert "1 more thing" not in text(page)


def test_what_runs_for_the_sample_account_is_its_money(visit: Open) -> None:
    aws = ScriptedAws()
    aws.add_job("sample-dogs", "InProgress", sample=True)
    (line,) = [str(one.value) for one in visit(aws).html if "so far" in str(one.value)]
    assert "◇ sample" in line
    assert "◇ simulated" not in line


def test_cancelling_closes_the_dialog(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws)
    page.button(key="delete-forgotten").click().run()
    page.button(key="confirm-cancel").click().run()
    assert not [button for button in page.button if button.key == "confirm-cancel"]
    assert "forgotten" in aws.endpoints


def until(page: AppTest, said: str) -> str:
    """What the page says once it says this: it is read in the background."""
    deadline = time.monotonic() + 20
    while said not in text(page) and time.monotonic() < deadline:
        time.sleep(0.05)
        page.run()
    return text(page)


def test_a_running_run_says_how_long_it_still_takes(aws: ScriptedAws, visit: Open) -> None:
    aws.logs["drawn-dogs-2f91c0aa"].append("progress=0.4 stage=head done=8 total=20 unit=epochs eta_seconds=900")
    said = text(visit(aws))
    assert re.search(r"about 1[45] min[^<]*left", said)
    assert re.search(r"the next ends in about 1[45] min", said)
    assert "at most" in said  # of the other its time limit alone tells


def test_an_endpoint_says_how_it_answers_and_one_that_fails_needs_attention(visit: Open) -> None:
    aws = ScriptedAws()
    aws.add_endpoint("dogs")
    aws.series = {"Invocations": [300.0], "ModelLatency": [20_000.0]}
    said = text(visit(aws))
    assert "answers 20/min, p90 20 ms" in said
    assert "20/min, all answered" in said
    aws.series["Invocation5XXErrors"] = [60.0]
    page = visit(aws)
    said = text(page)
    assert "endpoint dogs fails 20 % of its requests" in said
    assert "1 failing requests" in said
    assert ("Open endpoint", "endpoint", "endpoint=dogs") in links(page)


def test_an_alarm_that_went_off_and_an_open_bucket_need_attention_once_they_are_read(
    aws: ScriptedAws, visit: Open
) -> None:
    alarm = {"AlarmName": "slow-dogs", "StateReason": "Threshold Crossed: 1 datapoint", "MetricName": "ModelLatency"}
    alarm["Dimensions"] = [{"Name": "EndpointName", "Value": "starter"}]  # type: ignore[assignment]
    scaling = {"AlarmName": "TargetTracking-endpoint/starter/variant/main-AlarmLow-1", "StateReason": "it is quiet"}
    aws._DescribeAlarms = lambda asked: {"MetricAlarms": [alarm, scaling]}  # type: ignore[attr-defined]
    page = visit(aws)
    said = until(page, "slow-dogs")
    assert "alarm slow-dogs has gone off" in said
    assert "TargetTracking" not in said
    assert ("Open endpoint", "endpoint", "endpoint=starter") in links(page)
    assert "Not checked: buckets" in said  # which this account does not tell


def test_the_score_of_the_roles_stands_among_the_figures(aws: ScriptedAws, visit: Open) -> None:
    said = until(visit(aws), "the roles could not be read")
    assert "unknown" in said
    assert "100 of 100" not in said


def test_an_empty_account_is_shown_the_five_steps_and_each_has_its_way(empty: ScriptedAws, visit: Open) -> None:
    page = visit(empty)
    said = until(page, "From a photo to your own model: 0 of 5 steps")
    assert not page.exception
    assert "nothing was trained or served here yet" in said
    assert "Nothing serves yet" in said
    found = links(page)
    for way in (("Bring photos", "data"), ("Train a model", "train"), ("Choose a run", "runs")):
        assert (*way, "") in found
    assert "No run yet." not in said  # the steps say it


def test_a_step_is_ticked_off_when_the_account_has_it(aws: ScriptedAws, visit: Open) -> None:
    said = until(visit(aws), "of 5 steps")
    assert "From a photo to your own model: 3 of 5 steps" in said
    assert "drawn-dogs and 1 more dataset" in said
    assert "drawn-dogs-5d20e9f1" in said


def test_what_was_done_here_is_told_with_its_end_and_its_page(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws)
    page.button(key="delete-forgotten").click().run()
    page.text_input(key="confirm-name").set_value("forgotten").run()
    page.button(key="confirm-do").click().run()
    said = text(page)
    assert "Delete forgotten" in said
    assert "not signed in" not in said  # nobody signs in here: who did it goes without saying
    assert [query for label, where, query in links(page) if (label, where) == ("Details", "activity")]
