"""Endpoints and Endpoint: is it serving well, is it sized right?"""

from typing import Any

import pytest

from dashboard.core.errors import AccessDenied
from dashboard.ui import endpoint_list
from tests.core.serving.made import endpoint
from tests.views import scripted
from tests.views.conftest import Open, links, text
from tests.views.scripted import ARN, EMBEDDED, REAL, ScriptedAws

CALM = {"Invocations": [300.0], "ModelLatency": [30_000.0], "OverheadLatency": [4_000.0]}
MODEL = "s3://kennel-123456789012-us-east-1/models/other/model.tar.gz"


class Serving(ScriptedAws):
    """An account whose endpoints can be changed, and print."""

    printed = ("listening on 127.0.0.1:8080", "answered 400: this is no photo")

    def _UpdateEndpoint(self, asked: dict[str, Any]) -> dict[str, Any]:
        one = self.endpoints[asked["EndpointName"]]
        pending = {"EndpointConfigName": asked["EndpointConfigName"], "ProductionVariants": []}
        one |= {"EndpointStatus": "Updating", "PendingDeploymentSummary": pending}
        return {"EndpointArn": one["EndpointArn"]}

    def _UpdateEndpointWeightsAndCapacities(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.endpoints[asked["EndpointName"]]["EndpointStatus"] = "Updating"
        return {}

    def _PutMetricAlarm(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _DescribeLogStreams(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"logStreams": [{"logStreamName": "main/i-1"}]}

    def _GetLogEvents(self, asked: dict[str, Any]) -> dict[str, Any]:
        moment = int(scripted.NOW.timestamp() * 1000)
        return {"events": [{"timestamp": moment, "message": line} for line in self.printed]}

    def _FilterLogEvents(self, asked: dict[str, Any]) -> dict[str, Any]:
        moment, wanted = int(scripted.NOW.timestamp() * 1000), asked["filterPattern"].strip('"')
        lines = [line for line in self.printed if wanted in line]
        return {"events": [{"timestamp": moment, "message": one, "logStreamName": "main/i-1"} for one in lines]}


@pytest.fixture
def aws() -> Serving:
    made = Serving()
    made.add_job("dogs-1", "Completed", age=9000)
    made.add_endpoint("dogs", age=3700)
    made.series = dict(CALM)
    return made


def test_all_endpoints_with_what_they_cost_and_how_they_do(aws: Serving, visit: Open) -> None:
    aws.add_endpoint("late", "Creating", age=20)
    aws.add_endpoint("starter", sample=True)
    page = visit(aws, "endpoints")
    assert not page.exception
    table = page.dataframe[0].value.set_index("Endpoint")
    assert table.loc["dogs", "p90"] == pytest.approx(34.0)
    assert table.loc["dogs", "Requests"] == pytest.approx(20.0)
    assert table.loc["dogs", "Cost"] == pytest.approx(0.115)
    assert table.loc["late", "Cost"] != table.loc["late", "Cost"]  # not billed yet
    said = text(page)
    assert "3 endpoints, 2 serving, 1 on the way" in said
    assert "$2.76 a day" in said
    assert "$0.115/h not counted" in said  # the sample's
    assert "simulated" in said


def test_what_is_paid_by_use_is_told_apart_from_what_has_a_price_by_the_hour(aws: Serving, visit: Open) -> None:
    serverless = {"MemorySizeInMB": 3072, "MaxConcurrency": 5}
    aws.add_endpoint("quick")
    aws.configs["quick"]["ProductionVariants"] = [{"VariantName": "main", "ServerlessConfig": serverless}]
    aws.endpoints["quick"]["ProductionVariants"] = [{"VariantName": "main", "CurrentServerlessConfig": serverless}]
    assert "$2.76 a day, and 1 serverless, paid by use" in text(visit(aws, "endpoints"))
    assert "paid by use, $0.06 per 1,000 s of answering" in text(visit(aws, "overview"))


def test_all_columns_of_the_table_fit_beside_each_other() -> None:
    tags = {"kennel:run": "dogs-1", "kennel:expires": "2030-01-01T00:00:00Z"}
    columns = endpoint_list.columns([endpoint(tags=tags), endpoint(tags={"kennel:sample": "true"})], EMBEDDED, None)
    assert (
        sum(getattr(column, "config", column)["width"] for column in columns.values()) <= 1150
    )  # what a window of 1,440 px has for it


def test_without_the_right_to_read_metrics_the_table_stands(aws: Serving, visit: Open) -> None:
    aws.errors["GetMetricData"] = AccessDenied("no right to read metrics", action="cloudwatch:GetMetricData")
    page = visit(aws, "endpoints")
    assert not page.exception
    assert page.dataframe[0].value["Endpoint"].tolist() == ["dogs"]
    assert "Requests and latencies are not shown: no right to read metrics" in text(page)


def test_an_empty_account_is_told_what_an_endpoint_is(visit: Open) -> None:
    page = visit(Serving(), "endpoints")
    assert not page.exception
    assert "No endpoint yet." in text(page)
    assert ("Choose a run to deploy", "runs", "") in links(page)


def test_nothing_can_be_changed_in_an_account_that_is_read_only(visit: Open) -> None:
    aws = Serving(REAL)
    aws.add_endpoint("dogs")
    page = visit(aws, "endpoint", endpoint="dogs")
    assert not page.exception
    assert not {"Update model", "Delete"} & {button.label for button in page.button}


def test_an_archive_is_deployed_without_instances(aws: Serving, visit: Open) -> None:
    page = visit(aws, "endpoints")
    page.button(key="deploy-any").click().run()
    page.segmented_control(key="deploy-from").set_value("an archive in S3").run()
    page.text_input(key="deploy-uri").set_value("s3://bucket/model.zip").run()
    assert page.button(key="confirm-blocked").disabled
    page.text_input(key="deploy-uri").set_value(MODEL).run()
    page.segmented_control(key="deploy-mode").set_value("serverless").run()
    name = next(one for one in page.text_input if one.label == "Endpoint name")
    name.set_value("quick").run()
    assert "$0.06" in text(page)
    assert page.button(key="confirm-do").label == "Deploy, paid by use · simulated"
    page.button(key="confirm-do").click().run()
    assert not page.exception
    (config,) = aws.asked("CreateEndpointConfig")
    serverless = config["ProductionVariants"][0]["ServerlessConfig"]
    assert serverless == {"MemorySizeInMB": 3072, "MaxConcurrency": 5}
    assert page.query_params["endpoint"] in ("quick", ["quick"])


def test_a_name_that_is_taken_is_told_beside_it_and_not_offered(aws: Serving, visit: Open) -> None:
    aws.add_endpoint("dogs-1")
    page = visit(aws, "endpoints")
    page.button(key="deploy-any").click().run()
    name = next(one for one in page.text_input if one.label == "Endpoint name")
    assert name.value == "dogs-1-2"
    name.set_value("dogs").run()
    assert "there is already an endpoint named dogs" in text(page)
    assert page.button(key="confirm-blocked").disabled


@pytest.mark.parametrize(("ready", "is_led"), [({"ProvisionedConcurrency": 1}, True), ({}, False)])
def test_a_serverless_endpoint_leads_to_its_scaling_where_something_is_kept_ready(
    aws: Serving, visit: Open, ready: dict[str, int], is_led: bool
) -> None:
    serverless = {"MemorySizeInMB": 3072, "MaxConcurrency": 5, **ready}
    aws.add_endpoint("quick")
    aws.configs["quick"]["ProductionVariants"] = [{"VariantName": "main", "ServerlessConfig": serverless}]
    aws.endpoints["quick"]["ProductionVariants"] = [{"VariantName": "main", "CurrentServerlessConfig": serverless}]
    led = ("Scaling", "scaling", "endpoint=quick&variant=main") in links(visit(aws, "endpoint", endpoint="quick"))
    assert led is is_led


def test_one_endpoint_says_how_it_does_and_what_a_thousand_photos_cost(aws: Serving, visit: Open) -> None:
    page = visit(aws, "endpoint", endpoint="dogs")
    assert not page.exception
    said = text(page)
    assert "serving on ml.m5.large, made 1 h ago" in said
    assert "34 ms" in said
    assert "$0.0958 a thousand photos at this rate" in said  # 300 in 15 minutes at $0.115/h
    assert "Every request was answered" in said
    assert ("Scaling", "scaling", "endpoint=dogs&variant=main") in links(page)
    assert ("Classify", "classify", "endpoint=dogs") in links(page)


def test_an_endpoint_that_is_not_there(aws: Serving, visit: Open) -> None:
    page = visit(aws, "endpoint", endpoint="nobody")
    assert not page.exception
    assert "no such endpoint" in text(page)


def test_an_address_may_name_a_part_in_small_letters_and_one_that_is_not_known_is_said(
    aws: Serving, visit: Open
) -> None:
    assert "this is no photo" in text(visit(aws, "endpoint", endpoint="dogs", part="log"))
    page = visit(aws, "endpoint", endpoint="dogs", part="garbage", span="forever")
    assert not page.exception
    said = text(page)
    assert "the part garbage" in said
    assert "the span forever" in said


def test_its_log_is_searched(aws: Serving, visit: Open) -> None:
    page = visit(aws, "endpoint", endpoint="dogs", part="Log")
    assert "listening on" in text(page)
    page.text_input(key="serving-log-search").set_value("no photo").run()
    said = text(page)
    assert "1 line with" in said
    assert "listening on" not in said


def test_a_drawn_example_is_asked_and_answered_raw_and_readable(aws: Serving, visit: Open) -> None:
    page = visit(aws, "endpoint", endpoint="dogs", part="Test")
    page.button(key="test-drawn-ask").click().run()
    assert not page.exception
    said = text(page)
    assert "answered in" in said
    assert any('"predictions"' in block.value for block in page.code)
    assert any("--aws-sigv4" in block.value for block in page.code)
    assert aws.asked("InvokeEndpoint")[0]["EndpointName"] == "dogs"


def test_another_model_is_planned_shown_and_sent(aws: Serving, visit: Open) -> None:
    page = visit(aws, "endpoint", endpoint="dogs")
    page.button(key="update-endpoint").click().run()
    page.segmented_control(key="update-shift").set_value("CANARY").run()
    said = text(page)
    assert "10 % go over first" in said
    assert "The p90 in the model was 30 ms in the last 15 minutes." in said
    assert "PutMetricAlarm" in said
    assert "$0.0038 at most for 2 min of both fleets" in said
    page.button(key="confirm-do").click().run()
    assert not page.exception
    (sent,) = aws.asked("UpdateEndpoint")
    routing = sent["DeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert routing["Type"] == "CANARY"
    said = text(page)
    assert "Going over to" in said
    assert page.button(key="update-endpoint").disabled


def test_an_update_that_was_taken_back_says_why_and_errors_whose_they_are(aws: Serving, visit: Open) -> None:
    aws.endpoints["dogs"]["FailureReason"] = "in ALARM state: kennel-dogs/main/5xx"
    aws.series |= {"Invocation5XXErrors": [6.0], "Invocation4XXErrors": [3.0]}
    said = text(visit(aws, "endpoint", endpoint="dogs"))
    assert "The last update was taken back" in said
    assert "kennel-dogs/main/5xx" in said
    assert "9 of 300, 6 of them 5xx" in said
    assert "6 5xx and 3 4xx: 3.0 % of the requests" in said


def test_weights_are_changed_after_their_cost_is_shown(aws: Serving, visit: Open) -> None:
    page = visit(aws, "endpoint", endpoint="dogs", part="Variants")
    page.button(key="change-weights").click().run()
    assert page.button(key="confirm-blocked").disabled  # nothing would change
    page.number_input(key="count-main").set_value(3).run()
    assert "1 → 3 instances" in text(page)
    assert page.button(key="confirm-do").label == "Change it to \\$0.345/h · simulated"
    page.button(key="confirm-do").click().run()
    (sent,) = aws.asked("UpdateEndpointWeightsAndCapacities")
    assert sent["DesiredWeightsAndCapacities"][0]["DesiredInstanceCount"] == 3


def test_what_changes_at_a_sample_endpoint_is_the_samples_money(aws: Serving, visit: Open) -> None:
    aws.add_endpoint("starter", sample=True)
    page = visit(aws, "endpoint", endpoint="starter", part="Variants")
    page.button(key="change-weights").click().run()
    assert "Nothing is changed yet: $0.115/h as it is." in text(page)
    page.number_input(key="count-main").set_value(2).run()
    assert page.button(key="confirm-do").label == "Change it to \\$0.23/h · sample"
    page.button(key="confirm-cancel").click().run()
    page.button(key="update-endpoint").click().run()
    assert page.button(key="confirm-do").label.endswith("\\$0.115/h · sample")


def test_deleting_leads_back_to_the_table(aws: Serving, visit: Open) -> None:
    page = visit(aws, "endpoint", endpoint="dogs")
    page.button(key="delete-endpoint").click().run()
    assert "/aws/sagemaker/Endpoints/dogs of CloudWatch Logs" in text(page)  # stays
    blocked = page.button(key="confirm-blocked")
    assert (blocked.label, blocked.disabled) == ("Delete dogs", True)
    page.text_input(key="confirm-name").set_value("dogs").run()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert aws.endpoints == {}
    assert "No endpoint yet." in text(page)


def test_what_it_is_made_of_and_the_way_to_its_run_and_receipt(aws: Serving, visit: Open) -> None:
    aws.tags[f"{ARN}:endpoint/dogs"] |= {"kennel:run": "dogs-1"}
    page = visit(aws, "endpoint", endpoint="dogs", part="About")
    assert not page.exception
    assert ("Run dogs-1", "run", "run=dogs-1") in links(page)
    assert any(where == "receipt" for _, where, _ in links(page))
    assert f"{ARN}:endpoint/dogs" in text(page)
