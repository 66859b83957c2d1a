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

from tests.conftest import Embedded
from tests.local_aws.lambda_world import ask, lines, make, make_published, package, remove, running, summed
from tests.local_aws.sagemaker_world import client, role, unique


@pytest.fixture(scope="module")
def shared(embedded: Embedded) -> Iterator[str]:
    """A function with version 1 and alias "live"."""
    name = make_published(embedded, Environment={"Variables": {"GREETING": "hello"}})
    yield name
    remove(embedded, name)


def test_the_first_request_starts_an_environment_and_the_next_finds_it(embedded: Embedded) -> None:
    name = make(embedded, Environment={"Variables": {"GREETING": "hello"}})
    first, second = (ask(embedded, name, {"a": number}, LogType="Tail") for number in (1, 2))
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
    found = lines(embedded, name, "Max Memory Used")
    assert found[0].startswith("INIT_START")
    assert found[1] == "loading"
    assert found[2].startswith("START RequestId: ")
    assert f"aws_request_id={first['ResponseMetadata']['RequestId']}" in first["Payload"]["context"]
    remove(embedded, name)


def test_what_a_function_prints_is_in_the_tail_and_in_its_log(embedded: Embedded, shared: str) -> None:
    told = ask(embedded, shared, {"print": "a dog\nwas here"}, LogType="Tail")
    tail = base64.b64decode(told["LogResult"]).decode().splitlines()
    assert tail[1:3] == ["a dog", "was here"]
    assert tail[0].startswith("START RequestId")
    assert tail[-1].startswith("REPORT RequestId")
    assert "was here" in lines(embedded, shared, "was here")


def test_a_function_whose_role_is_gone_does_not_run_until_there_is_one_again(embedded: Embedded) -> None:
    works_as, iam = unique("Role"), client(embedded, "iam")
    name = make(embedded, Role=role(embedded, works_as, "lambda.amazonaws.com"))
    assert ask(embedded, name)["Payload"]["number"] == 1
    iam.delete_role_policy(RoleName=works_as, PolicyName="work")
    iam.delete_role(RoleName=works_as)
    with pytest.raises(ClientError, match="The role defined for the function cannot be assumed by Lambda") as denied:
        ask(embedded, name)
    assert denied.value.response["Error"]["Code"] == "AccessDeniedException"
    assert denied.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    role(embedded, works_as, "lambda.amazonaws.com")
    assert ask(embedded, name)["Payload"]["number"] == 2
    remove(embedded, name)


def test_an_error_is_the_answer_and_not_a_failure_of_the_request(embedded: Embedded, shared: str) -> None:
    told = ask(embedded, shared, {"raise": "no photo"})
    assert (told["StatusCode"], told["FunctionError"]) == (200, "Unhandled")
    assert (told["Payload"]["errorType"], told["Payload"]["errorMessage"]) == ("ValueError", "no photo")
    assert "handler" in told["Payload"]["stackTrace"][0]
    name = make(embedded, code=package(app="import nothing_of_this_name"))
    told = ask(embedded, name, LogType="Tail")
    assert (told["FunctionError"], told["Payload"]["errorType"]) == ("Unhandled", "Runtime.ImportModuleError")
    tail = base64.b64decode(told["LogResult"]).decode()
    assert "No module named 'nothing_of_this_name'" in tail
    assert "Phase: init\tStatus: error" in tail
    remove(embedded, name)


def test_an_environment_that_was_killed_while_idle_costs_no_request(embedded: Embedded, shared: str) -> None:
    before = ask(embedded, shared)["Payload"]["pid"]
    os.kill(before, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while Path(f"/proc/{before}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    told = ask(embedded, shared)
    assert "FunctionError" not in told
    assert told["Payload"]["pid"] != before


def test_a_function_works_as_its_role_as_far_as_its_policies_let_it(embedded: Embedded) -> None:
    code = """
import boto3
from botocore.exceptions import ClientError
def handler(event, context):
    told = {}
    for service, operation in (("sts", "get_caller_identity"), ("iam", "list_users"), ("s3", "list_buckets")):
        try:
            getattr(boto3.client(service), operation)()
            told[service] = "allowed"
        except ClientError as refused:
            told[service] = refused.response["Error"]["Message"]
    return told
"""
    name = make(embedded, code=package(app=code), Timeout=60)
    told = ask(embedded, name)["Payload"]
    assert told["sts"] == "allowed"
    for service, action in (("iam", "iam:ListUsers"), ("s3", "s3:ListAllMyBuckets")):
        assert f"assumed-role/KennelLambda/{name} is not authorized to perform: {action} on" in told[service]
    remove(embedded, name)


def test_payloads_are_json_of_a_bearable_size(embedded: Embedded, shared: str) -> None:
    calls = client(embedded, "lambda")
    with pytest.raises(ClientError, match="InvalidRequestContentException"):
        calls.invoke(FunctionName=shared, Payload=b"{no json")
    with pytest.raises(ClientError, match="RequestTooLargeException"):
        calls.invoke(FunctionName=shared, Payload=b'"' + b"x" * (6 * 2**20) + b'"')
    assert ask(embedded, shared, {"large": 7 * 2**20})["Payload"]["errorType"] == "Function.ResponseSizeTooLarge"
    assert calls.invoke(FunctionName=shared, InvocationType="DryRun")["StatusCode"] == 204
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        calls.invoke(FunctionName=shared, Qualifier="nowhere", InvocationType="DryRun")


def test_new_code_is_run_by_the_next_request(embedded: Embedded) -> None:
    name = make(embedded)
    ask(embedded, name)
    client(embedded, "lambda").update_function_code(
        FunctionName=name, ZipFile=package(app="def handler(e, c): return 'new'")
    )
    assert ask(embedded, name)["Payload"] == "new"
    remove(embedded, name)


def test_an_alias_sends_its_share_to_the_second_version(embedded: Embedded) -> None:
    name, calls = (
        make(embedded, code=package(app="def handler(e, c): return c.function_version")),
        client(embedded, "lambda"),
    )
    calls.publish_version(FunctionName=name)
    calls.update_function_configuration(FunctionName=name, MemorySize=512)
    calls.publish_version(FunctionName=name)
    weights = {"AdditionalVersionWeights": {"2": 0.5}}
    calls.create_alias(FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig=weights)
    told = [ask(embedded, f"{name}:live") for _ in range(40)]
    assert {one["Payload"] for one in told} == {"1", "2"}
    assert all(one["ExecutedVersion"] == one["Payload"] for one in told)
    remove(embedded, name)


def test_an_asynchronous_request_is_accepted_and_run(embedded: Embedded) -> None:
    name = make(embedded)
    told = client(embedded, "lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"print": "once"}')
    assert told["StatusCode"] == 202
    assert lines(embedded, name, "once").count("once") == 1
    assert summed(embedded, "AsyncEventsReceived", 1, FunctionName=name) == 1
    remove(embedded, name)


def test_what_changes_a_function_is_in_cloudtrail_and_its_secrets_are_not(embedded: Embedded) -> None:
    name, calls = make(embedded, Environment={"Variables": {"API_KEY": "hush"}}), client(embedded, "lambda")
    calls.publish_version(FunctionName=name)
    wanted = {"FunctionName": name, "Qualifier": "1"}
    calls.put_provisioned_concurrency_config(**wanted, ProvisionedConcurrentExecutions=1)
    ask(embedded, name)
    calls.delete_provisioned_concurrency_config(**wanted)
    remove(embedded, name)
    of_lambda = [{"AttributeKey": "EventSource", "AttributeValue": "lambda.amazonaws.com"}]
    events = client(embedded, "cloudtrail").lookup_events(LookupAttributes=of_lambda, MaxResults=50)["Events"]
    found = [event for event in events if name in event["CloudTrailEvent"]]
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


def test_every_request_is_answered_while_environments_are_killed_and_the_function_goes(
    embedded: Embedded, tmp_path: Path
) -> None:
    name = make(embedded)
    pids = [ask(embedded, name)["Payload"]["pid"]]

    def one(number: int) -> str:
        if number % 10 == 5:
            with suppress(ProcessLookupError):
                os.kill(pids[-1], signal.SIGKILL)
        try:
            told = ask(embedded, name, {"sleep": 0.01})
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        if "FunctionError" in told:
            return str(told["Payload"]["errorType"])
        pids.append(told["Payload"]["pid"])
        return "answered"

    with ThreadPoolExecutor(3) as clients:
        answers = list(clients.map(one, range(60)))
    with running(embedded, name, tmp_path) as slow:
        remove(embedded, name)
    assert "FunctionError" not in slow.result()  # what a function had begun is answered
    assert set(answers) <= {"answered", "Runtime.ExitError"}
    assert answers.count("answered") >= 50
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        ask(embedded, name)
