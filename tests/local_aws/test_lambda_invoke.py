"""Functions that really run, as boto3 sees them: cold and warm, what they log and what is counted."""

import base64
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.local_aws.lambda_world import ask, lines, make, package, remove, summed
from tests.local_aws.sagemaker_world import client

SCALE = 60


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """An embedded AWS whose minutes are seconds."""
    running = start_embedded(tmp_path_factory.mktemp("lambda"), "--time-scale", str(SCALE))
    yield running
    stop_embedded(running)


@pytest.fixture(scope="module")
def shared(aws: Embedded) -> str:
    """A function with version 1 and alias "live"."""
    name = make(aws, Environment={"Variables": {"GREETING": "hello"}})
    client(aws, "lambda").publish_version(FunctionName=name)
    client(aws, "lambda").create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return name


def test_the_first_request_starts_an_environment_and_the_next_finds_it(aws: Embedded) -> None:
    name = make(aws, Environment={"Variables": {"GREETING": "hello"}})
    first, second = (ask(aws, name, {"a": number}, LogType="Tail") for number in (1, 2))
    assert first["StatusCode"] == 200
    assert first["Payload"]["event"] == {"a": 1}
    assert (first["Payload"]["number"], second["Payload"]["number"]) == (1, 2)
    assert first["Payload"]["pid"] == second["Payload"]["pid"]
    assert first["Payload"]["variable"] == "hello"
    assert first["ExecutedVersion"] == first["Payload"]["version"] == "$LATEST"
    assert 5_000 < first["Payload"]["left"] <= 10_000
    told = [base64.b64decode(one["LogResult"]).decode() for one in (first, second)]
    assert "Init Duration" in told[0]
    assert "Init Duration" not in told[1]
    found = lines(aws, name, "Max Memory Used")
    assert found[0].startswith("INIT_START")
    assert found[1] == "loading"
    assert found[2].startswith("START RequestId: ")
    assert f"aws_request_id={first['ResponseMetadata']['RequestId']}" in first["Payload"]["context"]
    remove(aws, name)


def test_what_a_function_prints_is_in_the_tail_and_in_its_log(aws: Embedded, shared: str) -> None:
    told = ask(aws, shared, {"print": "a dog\nwas here"}, LogType="Tail")
    tail = base64.b64decode(told["LogResult"]).decode().splitlines()
    assert tail[1:3] == ["a dog", "was here"]
    assert tail[0].startswith("START RequestId")
    assert tail[-1].startswith("REPORT RequestId")
    assert "was here" in lines(aws, shared, "was here")


def test_an_error_is_the_answer_and_not_a_failure_of_the_request(aws: Embedded, shared: str) -> None:
    told = ask(aws, shared, {"raise": "no photo"})
    assert (told["StatusCode"], told["FunctionError"]) == (200, "Unhandled")
    assert (told["Payload"]["errorType"], told["Payload"]["errorMessage"]) == ("ValueError", "no photo")
    assert "handler" in told["Payload"]["stackTrace"][0]
    name = make(aws, code=package(app="import nothing_of_this_name"))
    told = ask(aws, name, LogType="Tail")
    assert (told["FunctionError"], told["Payload"]["errorType"]) == ("Unhandled", "Runtime.ImportModuleError")
    tail = base64.b64decode(told["LogResult"]).decode()
    assert "No module named 'nothing_of_this_name'" in tail
    assert "Phase: init\tStatus: error" in tail
    remove(aws, name)


def test_an_environment_that_was_killed_while_idle_costs_no_request(aws: Embedded, shared: str) -> None:
    before = ask(aws, shared)["Payload"]["pid"]
    os.kill(before, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while Path(f"/proc/{before}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    told = ask(aws, shared)
    assert "FunctionError" not in told
    assert told["Payload"]["pid"] != before


def test_a_function_works_as_its_role_on_what_is_open_to_it(aws: Embedded) -> None:
    code = """
import boto3
from botocore.exceptions import ClientError
def handler(event, context):
    told = {}
    for service, operation in (("s3", "list_buckets"), ("iam", "list_users"), ("sagemaker", "list_endpoints")):
        try:
            getattr(boto3.client(service), operation)()
            told[service] = "allowed"
        except ClientError as refused:
            told[service] = refused.response["Error"]["Message"]
    return told
"""
    name = make(aws, code=package(app=code), Timeout=60)
    told = ask(aws, name)["Payload"]
    assert told["s3"] == "allowed"
    for service in ("iam", "sagemaker"):
        assert f"assumed-role/KennelLambda/{name} may" in told[service]
    remove(aws, name)


def test_payloads_are_json_of_a_bearable_size(aws: Embedded, shared: str) -> None:
    calls = client(aws, "lambda")
    with pytest.raises(ClientError, match="InvalidRequestContentException"):
        calls.invoke(FunctionName=shared, Payload=b"{no json")
    with pytest.raises(ClientError, match="RequestTooLargeException"):
        calls.invoke(FunctionName=shared, Payload=b'"' + b"x" * (6 * 2**20) + b'"')
    assert ask(aws, shared, {"large": 7 * 2**20})["Payload"]["errorType"] == "Function.ResponseSizeTooLarge"
    assert calls.invoke(FunctionName=shared, InvocationType="DryRun")["StatusCode"] == 204
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        calls.invoke(FunctionName=shared, Qualifier="nowhere", InvocationType="DryRun")


def test_new_code_is_run_by_the_next_request(aws: Embedded) -> None:
    name = make(aws)
    ask(aws, name)
    client(aws, "lambda").update_function_code(
        FunctionName=name, ZipFile=package(app="def handler(e, c): return 'new'")
    )
    assert ask(aws, name)["Payload"] == "new"
    remove(aws, name)


def test_an_alias_sends_its_share_to_the_second_version(aws: Embedded) -> None:
    name, calls = make(aws, code=package(app="def handler(e, c): return c.function_version")), client(aws, "lambda")
    calls.publish_version(FunctionName=name)
    calls.update_function_configuration(FunctionName=name, MemorySize=512)
    calls.publish_version(FunctionName=name)
    weights = {"AdditionalVersionWeights": {"2": 0.5}}
    calls.create_alias(FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig=weights)
    told = [ask(aws, f"{name}:live") for _ in range(40)]
    assert {one["Payload"] for one in told} == {"1", "2"}
    assert all(one["ExecutedVersion"] == one["Payload"] for one in told)
    remove(aws, name)


def test_an_asynchronous_request_is_run_and_tried_again_when_it_fails(aws: Embedded) -> None:
    name, calls = make(aws), client(aws, "lambda")
    told = calls.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"print": "once"}')
    assert told["StatusCode"] == 202
    lines(aws, name, "once")
    calls.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"print": "again", "raise": "no"}')
    deadline = time.monotonic() + 15
    while lines(aws, name, "again").count("again") < 3:  # after a minute and two more, which are seconds here
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert summed(aws, "AsyncEventsReceived", 2, FunctionName=name) == 2
    assert summed(aws, "AsyncEventsDropped", 1, FunctionName=name) == 1
    assert lines(aws, name, "once").count("once") == 1
    remove(aws, name)


def test_what_changes_a_function_is_in_cloudtrail_and_its_secrets_are_not(aws: Embedded) -> None:
    name, calls = make(aws, Environment={"Variables": {"API_KEY": "hush"}}), client(aws, "lambda")
    calls.publish_version(FunctionName=name)
    wanted = {"FunctionName": name, "Qualifier": "1"}
    calls.put_provisioned_concurrency_config(**wanted, ProvisionedConcurrentExecutions=1)
    ask(aws, name)
    calls.delete_provisioned_concurrency_config(**wanted)
    remove(aws, name)
    found = [
        event
        for event in client(aws, "cloudtrail").lookup_events(MaxResults=50)["Events"]
        if name in event["CloudTrailEvent"]
    ]
    names = {event["EventName"] for event in found}
    assert names == {
        "CreateFunction",
        "PublishVersion",
        "PutProvisionedConcurrencyConfig",
        "DeleteProvisionedConcurrencyConfig",
        "DeleteFunction",
    }
    assert "hush" not in "".join(event["CloudTrailEvent"] for event in found)
    put = next(event for event in found if event["EventName"] == "PutProvisionedConcurrencyConfig")
    assert '"provisionedConcurrentExecutions": 1' in put["CloudTrailEvent"].replace('":1', '": 1')


def test_every_request_is_answered_while_environments_are_killed_and_the_function_goes(aws: Embedded) -> None:
    name = make(aws)
    pids = [ask(aws, name)["Payload"]["pid"]]

    def one(number: int) -> str:
        if number % 10 == 5:
            with suppress(ProcessLookupError):
                os.kill(pids[-1], signal.SIGKILL)
        try:
            told = ask(aws, name, {"sleep": 0.01})
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        if "FunctionError" in told:
            return str(told["Payload"]["errorType"])
        pids.append(told["Payload"]["pid"])
        return "answered"

    with ThreadPoolExecutor(3) as clients:
        answers = list(clients.map(one, range(60)))
        slow = clients.submit(ask, aws, name, {"sleep": 1.0, "print": "last"})
        lines(aws, name, "last")
        remove(aws, name)
        assert "FunctionError" not in slow.result()  # what a function had begun is answered
    assert set(answers) <= {"answered", "Runtime.ExitError"}
    assert answers.count("answered") >= 50
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        ask(aws, name)
