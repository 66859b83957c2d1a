"""What a service of ours makes of a request, and how it answers, in each of AWS's protocols."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from starlette.requests import Request

from local_aws.errors import NotThereError, ServiceError, error_response
from local_aws.protocol import Caller, Service
from tests.conftest import Embedded

CALLER = Caller("123456789012", "us-east-1", "AKIA", "arn:aws:iam::123456789012:root")


class Toy(Service):
    name = "sagemaker"

    def describe_training_job(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        return {"TrainingJobName": params["TrainingJobName"], "CreationTime": 1.5, "TrainingJobArn": caller.arn}

    def list_training_jobs(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        return {"TrainingJobSummaries": []}

    async def stop_training_job(self, params: dict[str, Any], caller: Caller) -> None:
        raise ServiceError("ResourceInUse", "It is already stopping.")


def asked(body: bytes, target: str = "SageMaker.DescribeTrainingJob") -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    headers = [(b"x-amz-target", target.encode()), (b"content-type", b"application/x-amz-json-1.1")]
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers, "path_params": {}}
    return Request(scope, receive)


async def answer(body: bytes, operation: str = "DescribeTrainingJob") -> Any:
    toy = Toy()
    found = toy.match("POST", "/", "", {"x-amz-target": f"SageMaker.{operation}"}, body)
    assert found is not None
    return await toy.handle(asked(body), found.model, CALLER)


def run(body: bytes, operation: str = "DescribeTrainingJob") -> Any:
    import anyio

    return anyio.run(answer, body, operation)


def test_a_method_answers_its_operation() -> None:
    response = run(b'{"TrainingJobName": "a"}')
    assert json.loads(response.body) == {"TrainingJobName": "a", "CreationTime": 1.5, "TrainingJobArn": CALLER.arn}
    assert response.headers["content-type"] == "application/x-amz-json-1.1"


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        (b"{", "SerializationException", "not JSON"),
        (b"[]", "SerializationException", "not a JSON object"),
        (b"[" * 100_000, "SerializationException", "not JSON"),  # deeper than any parser goes
        (b"", "ValidationException", 'Missing required parameter in input: "TrainingJobName"'),
        (b'{"TrainingJobName": 5}', "ValidationException", "Invalid type for parameter TrainingJobName"),
        (b'{"TrainingJobName": ""}', "ValidationException", "Invalid length"),
    ],
)
def test_what_does_not_fit_the_model_is_refused(body: bytes, code: str, says: str) -> None:
    with pytest.raises(ServiceError) as caught:
        run(body)
    assert caught.value.code == code
    assert says in caught.value.message


@pytest.mark.parametrize("time", [b"1e300", b"-1e300", b"NaN", b'"yesterday"'])
def test_a_time_that_no_calendar_has_is_refused(time: bytes) -> None:
    with pytest.raises(ServiceError) as caught:
        run(b'{"CreationTimeAfter": ' + time + b"}", "ListTrainingJobs")
    assert caught.value.code == "SerializationException"


def test_coroutines_answer_too() -> None:
    with pytest.raises(ServiceError, match="already stopping"):
        run(b'{"TrainingJobName": "a"}', "StopTrainingJob")


def test_what_has_no_method_is_not_there() -> None:
    with pytest.raises(NotThereError, match="sagemaker:ListHubs is not part of the embedded AWS"):
        run(b"{}", "ListHubs")


def test_operations_of_other_services_do_not_match() -> None:
    assert Toy().match("POST", "/", "", {"x-amz-target": "Logs_20140328.PutLogEvents"}, b"") is None
    assert Toy().match("POST", "/", "", {"x-amz-target": "SageMaker.Nothing"}, b"") is None


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("lambda", "list_layers", {}),
        ("cloudfront", "list_distributions", {}),
        ("cloudwatch", "list_dashboards", {}),
        ("autoscaling", "describe_auto_scaling_groups", {}),
        (
            "application-autoscaling",
            "get_predictive_scaling_forecast",
            {
                "ServiceNamespace": "ecs",
                "ResourceId": "service/a/b",
                "ScalableDimension": "ecs:service:DesiredCount",
                "PolicyName": "p",
                "StartTime": 0,
                "EndTime": 1,
            },
        ),
        (
            "pricing",
            "get_price_list_file_url",
            {"PriceListArn": "arn:aws:pricing:::price-list/aws/AmazonEC2/USD/1/x", "FileFormat": "json"},
        ),
        ("iam", "generate_organizations_access_report", {"EntityPath": "o-a1b2c3d4e5/r-f6g7"}),
        ("ec2", "describe_capacity_blocks", {}),
        ("ssm", "describe_sessions", {"State": "Active"}),
        ("logs", "describe_queries", {}),
        ("s3", "get_bucket_website", {"Bucket": "some-bucket"}),
    ],
)
def test_every_protocol_says_501_in_its_own_form(
    embedded: Embedded, service: str, operation: str, params: dict[str, Any]
) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(embedded.client(service), operation)(**params)
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert response["Error"]["Code"] == "NotImplemented"
    assert "is not part of the embedded AWS" in response["Error"]["Message"]


def test_errors_cannot_break_out_of_their_form() -> None:
    error = ServiceError("A<b>", 'quotes " and </Message> & more')
    for protocol in ("query", "ec2", "rest-xml"):
        body = bytes(error_response(protocol, error, "id").body)
        assert b"</Message> &" not in body
        assert b"&lt;/Message&gt; &amp; more" in body
    assert json.loads(bytes(error_response("json", error, "id").body))["message"] == error.message
    assert error_response("rest-xml", error, "id", head=True).body == b""
