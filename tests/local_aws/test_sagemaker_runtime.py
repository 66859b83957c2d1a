"""InvokeEndpoint: what goes in and out, and every error as SageMaker's clients expect it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from starlette.requests import Request

from local_aws.engine.endpoint import Status, Target, View
from local_aws.engine.serving import free_port
from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services.sagemaker_runtime import SageMakerRuntime
from tests.conftest import Embedded
from tests.local_aws.sagemaker_world import TINY_SERVER, bucket, client, endpoint

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def name(embedded: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    bucket(embedded)
    with endpoint(embedded, tmp_path_factory.mktemp("package")) as made:
        yield made


@pytest.fixture(scope="module")
def runtime(embedded: Embedded) -> Any:
    return client(embedded, "sagemaker-runtime", parameter_validation=False)


def refused(runtime: Any, **params: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        runtime.invoke_endpoint(**{"Body": b"hello", **params})
    response: dict[str, Any] = caught.value.response
    return response


def test_headers_and_bytes_go_through(runtime: Any, name: str) -> None:
    answer = runtime.invoke_endpoint(
        EndpointName=name,
        Body=bytes(range(256)),
        ContentType="image/jpeg",
        Accept="application/json; profile=breeds",
        CustomAttributes="trace=7",
    )
    told = json.loads(answer["Body"].read())
    assert told["path"] == "/invocations"
    assert told["body"].encode("latin-1") == bytes(range(256))
    assert told["headers"]["content-type"] == "image/jpeg"
    assert told["headers"]["accept"] == "application/json; profile=breeds"
    assert told["headers"]["x-amzn-sagemaker-custom-attributes"] == "trace=7"
    assert not {"authorization", "x-amz-date"} & set(told["headers"]), "the signature is not the container's business"
    assert answer["ContentType"] == "application/json"
    assert answer["InvokedProductionVariant"] == "AllTraffic"


def test_attributes_come_back(runtime: Any, name: str) -> None:
    answer = runtime.invoke_endpoint(EndpointName=name, Body=b"attributes")
    answer["Body"].close()
    assert answer["CustomAttributes"] == "trace=1"


def test_a_variant_can_be_asked_for(runtime: Any, name: str) -> None:
    answer = runtime.invoke_endpoint(EndpointName=name, Body=b"hello", TargetVariant="AllTraffic")
    answer["Body"].close()
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    error = refused(runtime, EndpointName=name, TargetVariant="other")["Error"]
    assert error["Code"] == "ValidationError"


@pytest.mark.parametrize(
    ("body", "status", "said", "whose"),
    [(b"fail", 500, '{"error": "the model broke"}', "server"), (b"bad", 400, "this is no photo", "client")],
)
def test_what_the_container_refuses_is_a_model_error(
    runtime: Any, name: str, body: bytes, status: int, said: str, whose: str
) -> None:
    response = refused(runtime, EndpointName=name, Body=body)
    assert response["Error"]["Code"] == "ModelError"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert (response["OriginalStatusCode"], response["OriginalMessage"]) == (status, said)
    assert f'Received {whose} error ({status}) from primary with message "{said}"' in response["Error"]["Message"]
    assert response["LogStreamArn"].endswith(f"/aws/sagemaker/Endpoints/{name}")


@pytest.mark.parametrize("wrong", ["no-such-endpoint", "not%2Fa%20name"])
def test_an_endpoint_that_is_not_there(runtime: Any, wrong: str) -> None:
    response = refused(runtime, EndpointName=wrong)
    assert response["Error"]["Code"] == "ValidationError"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    if wrong == "no-such-endpoint":
        assert response["Error"]["Message"] == "Endpoint no-such-endpoint of account 123456789012 not found."


def test_six_mebibytes_and_no_more(runtime: Any, name: str) -> None:
    answer = runtime.invoke_endpoint(EndpointName=name, Body=b"sleep 0" + b" " * (6 * MIB - 7))
    assert answer["Body"].read() == b"awake"
    response = refused(runtime, EndpointName=name, Body=b" " * (6 * MIB + 1))
    assert response["ResponseMetadata"]["HTTPStatusCode"] in (400, 413)
    assert "6291456" in response["Error"]["Message"]


def test_an_answer_that_is_too_large(runtime: Any, name: str) -> None:
    response = refused(runtime, EndpointName=name, Body=b"large")
    assert response["Error"]["Code"] == "ModelError"
    assert "larger than 6291456 bytes" in response["Error"]["Message"]


def test_what_is_not_done_is_refused_by_name(runtime: Any, name: str) -> None:
    for params in ({"TargetModel": "m.tar.gz"}, {"SessionId": "NEW_SESSION"}, {"EnableExplanations": "`true`"}):
        assert "cannot do" in refused(runtime, EndpointName=name, **params)["Error"]["Message"]


def test_the_other_operations_are_501(runtime: Any, name: str) -> None:
    with pytest.raises(ClientError) as caught:
        runtime.invoke_endpoint_async(EndpointName=name, InputLocation="s3://b/k")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_a_process_that_dies_under_a_request(embedded: Embedded, runtime: Any, tmp_path: Path) -> None:
    with endpoint(embedded, tmp_path) as name:
        response = refused(runtime, EndpointName=name, Body=b"die")
        assert response["Error"]["Code"] == "ServiceUnavailable"
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 503


class OneProcess:
    """A SageMaker whose only endpoint is served on one port."""

    def __init__(self, port: int) -> None:
        self.fleet = self
        self._port = port

    def target(self, arn: str, variant: str | None, avoid: object) -> Target:
        return Target("AllTraffic", self._port)


class Deleting:
    """A SageMaker whose only endpoint is being deleted."""

    def __init__(self) -> None:
        self.fleet = self

    def target(self, arn: str, variant: str | None, avoid: object) -> None:
        return None

    def view(self, arn: str) -> View:
        return View(Status.DELETING, was_in_service=True, failure="", variants=())


async def invoke(sagemaker: OneProcess | Deleting, body: bytes) -> tuple[int, dict[str, Any]]:
    service = SageMakerRuntime(sagemaker, seconds=0.2)  # type: ignore[arg-type]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {"type": "http", "method": "POST", "headers": [], "path_params": {"EndpointName": "dogs"}}
    operation = service.match("POST", "/endpoints/dogs/invocations", "", {}, b"")
    assert operation is not None
    response = await service.handle(Request(scope, receive), operation.model, Caller("1", "us-east-1", "", ""))
    await service.stop()
    return response.status_code, json.loads(bytes(response.body))


def test_an_endpoint_that_is_being_deleted_is_not_said_to_come_back() -> None:
    with pytest.raises(ServiceError, match="ValidationError: Endpoint dogs of account 1 not found"):
        asyncio.run(invoke(Deleting(), b"hello"))


def test_a_container_that_takes_too_long_is_a_model_error(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, str(TINY_SERVER), "--model-dir", str(tmp_path), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        status, told = asyncio.run(invoke(OneProcess(port), b"sleep 5"))
        process.kill()
    assert (status, told["OriginalStatusCode"]) == (424, 0)
    assert "Your invocation timed out while waiting for a response from container primary" in told["OriginalMessage"]
