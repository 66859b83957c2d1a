"""Reserved and provisioned concurrency as they really are: a ceiling, and environments that are there beforehand."""

import base64
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.local_aws.lambda_world import (
    ECHO,
    ask,
    is_ready,
    lines,
    make,
    make_published,
    package,
    remove,
    running,
    summed,
    throttled,
)
from tests.local_aws.sagemaker_world import client

CONCURRENCY = {"ServiceCode": "lambda", "QuotaCode": "L-B99A9384"}


@pytest.fixture(scope="module")
def shared(embedded: Embedded) -> Iterator[str]:
    """A function with version 1 and alias "live"."""
    name = make_published(embedded)
    yield name
    remove(embedded, name)


@contextmanager
def limited_to(embedded: Embedded, most: int) -> Iterator[None]:
    """An account of which so many run at once."""
    quotas = client(embedded, "service-quotas")
    quotas.request_service_quota_increase(**CONCURRENCY, DesiredValue=most)
    try:
        yield
    finally:
        quotas.request_service_quota_increase(**CONCURRENCY, DesiredValue=1000)


def test_a_reservation_is_a_ceiling_and_what_is_beyond_it_is_turned_away(embedded: Embedded, tmp_path: Path) -> None:
    name, calls = make(embedded, Timeout=20), client(embedded, "lambda")
    calls.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    assert calls.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 1
    assert calls.get_function(FunctionName=name)["Concurrency"] == {"ReservedConcurrentExecutions": 1}
    ask(embedded, name)
    with running(embedded, name, tmp_path) as held:
        assert throttled(ask, embedded, name) == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert "FunctionError" not in held.result()
    assert "FunctionError" not in ask(embedded, name)
    calls.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert throttled(ask, embedded, name) == "ReservedFunctionConcurrentInvocationLimitExceeded"
    calls.delete_function_concurrency(FunctionName=name)
    assert "FunctionError" not in ask(embedded, name)
    assert summed(embedded, "Throttles", 2, FunctionName=name) == 2
    remove(embedded, name)


def test_a_reservation_that_leaves_too_few_for_others_is_refused(embedded: Embedded, shared: str) -> None:
    calls = client(embedded, "lambda")
    with limited_to(embedded, 104):
        assert calls.get_account_settings()["AccountLimit"]["ConcurrentExecutions"] == 104
        with pytest.raises(ClientError, match=r"below its minimum value of \[100\]"):
            calls.put_function_concurrency(FunctionName=shared, ReservedConcurrentExecutions=5)
        with pytest.raises(ClientError, match=r"below its minimum value of \[100\]"):
            calls.put_provisioned_concurrency_config(
                FunctionName=shared, Qualifier="live", ProvisionedConcurrentExecutions=5
            )


def test_provisioned_environments_are_started_before_anybody_asks_and_the_rest_spills_over(
    embedded: Embedded, tmp_path: Path
) -> None:
    name, calls = make_published(embedded, Timeout=20), client(embedded, "lambda")
    wanted = {"FunctionName": name, "Qualifier": "live"}
    told = calls.put_provisioned_concurrency_config(**wanted, ProvisionedConcurrentExecutions=1)
    assert (told["Status"], told["RequestedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 1)
    is_ready(embedded, name, "live", 1)
    first = ask(embedded, f"{name}:live", LogType="Tail")
    assert first["Payload"]["kept"] == "provisioned-concurrency"
    assert "Init Duration" not in base64.b64decode(first["LogResult"]).decode()
    with running(embedded, f"{name}:live", tmp_path) as held:
        assert ask(embedded, f"{name}:live")["Payload"]["kept"] == "on-demand"
    assert held.result()["Payload"]["kept"] == "provisioned-concurrency"
    of_alias = {"FunctionName": name, "Resource": f"{name}:live"}
    assert summed(embedded, "ProvisionedConcurrencySpilloverInvocations", 1, **of_alias) == 1
    assert summed(embedded, "ProvisionedConcurrencyInvocations", 2, **of_alias) == 2
    assert summed(embedded, "ProvisionedConcurrencyUtilization", 1, "Maximum", **of_alias) == 1.0
    assert summed(embedded, "ConcurrentExecutions", 2, "Maximum", FunctionName=name) == 2.0
    assert summed(embedded, "Invocations", 3, FunctionName=name) == 3
    assert summed(embedded, "Duration", 1, "Maximum", FunctionName=name) > 1
    assert ask(embedded, name)["Payload"]["kept"] == "on-demand"  # $LATEST has none
    os.kill(first["Payload"]["pid"], signal.SIGKILL)
    deadline = time.monotonic() + 20
    while (pid := ask(embedded, f"{name}:live")["Payload"]["pid"]) == first["Payload"]["pid"] or not is_kept(
        embedded, name
    ):
        assert time.monotonic() < deadline, pid
        time.sleep(0.1)
    calls.delete_provisioned_concurrency_config(**wanted)
    with pytest.raises(ClientError, match="ProvisionedConcurrencyConfigNotFoundException"):
        calls.get_provisioned_concurrency_config(**wanted)
    remove(embedded, name)


def is_kept(embedded: Embedded, name: str) -> bool:
    return bool(ask(embedded, f"{name}:live")["Payload"]["kept"] == "provisioned-concurrency")


def test_provisioned_concurrency_needs_a_version_and_fits_into_a_reservation(embedded: Embedded, shared: str) -> None:
    calls = client(embedded, "lambda")

    def put(qualifier: str, count: int) -> Any:
        return calls.put_provisioned_concurrency_config(
            FunctionName=shared, Qualifier=qualifier, ProvisionedConcurrentExecutions=count
        )

    with pytest.raises(ClientError, match="unpublished function versions"):
        put("$LATEST", 1)
    with pytest.raises(ClientError, match="at most 16 environments"):
        put("live", 17)
    calls.put_function_concurrency(FunctionName=shared, ReservedConcurrentExecutions=2)
    with pytest.raises(ClientError, match="should not be greater than the reservedConcurrentExecution"):
        put("live", 3)
    put("live", 1)
    with pytest.raises(ClientError, match="pointed by a Provisioned Concurrency alias"):
        put("1", 1)
    with pytest.raises(ClientError, match="should not be lower"):
        calls.put_function_concurrency(FunctionName=shared, ReservedConcurrentExecutions=0)
    (listed,) = calls.list_provisioned_concurrency_configs(FunctionName=shared)["ProvisionedConcurrencyConfigs"]
    assert listed["FunctionArn"].endswith(f"{shared}:live")
    calls.delete_provisioned_concurrency_config(FunctionName=shared, Qualifier="live")
    calls.delete_function_concurrency(FunctionName=shared)


def test_environments_that_cannot_start_make_the_provisioning_fail_with_the_reason(embedded: Embedded) -> None:
    name, calls = make(embedded, code=package(app="import nothing_of_this_name")), client(embedded, "lambda")
    calls.publish_version(FunctionName=name)
    wanted = {"FunctionName": name, "Qualifier": "1"}
    calls.put_provisioned_concurrency_config(**wanted, ProvisionedConcurrentExecutions=1)
    deadline = time.monotonic() + 20
    while (found := calls.get_provisioned_concurrency_config(**wanted))["Status"] == "IN_PROGRESS":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert found["Status"] == "FAILED"
    assert "nothing_of_this_name" in found["StatusReason"]
    remove(embedded, name)


def test_an_account_that_is_used_up_turns_the_next_request_away(embedded: Embedded, tmp_path: Path) -> None:
    name, calls = make(embedded, Timeout=20), client(embedded, "lambda")
    limits = calls.get_account_settings()["AccountLimit"]
    reserved = limits["ConcurrentExecutions"] - limits["UnreservedConcurrentExecutions"]
    with limited_to(embedded, reserved + 1):
        calls.update_function_configuration(FunctionName=name, Timeout=19)  # limits are read anew
        with running(embedded, name, tmp_path) as held:
            assert throttled(ask, embedded, name) == "ConcurrentInvocationLimitExceeded"
        assert "FunctionError" not in held.result()
    remove(embedded, name)


def test_what_was_provisioned_and_accepted_is_there_after_a_kill(tmp_path: Path) -> None:
    first = start_embedded(tmp_path / "state")
    name, calls = make(first, code=package(app=ECHO)), client(first, "lambda")
    calls.publish_version(FunctionName=name)
    calls.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)
    is_ready(first, name, "1", 1)
    pid = ask(first, f"{name}:1")["Payload"]["pid"]
    calls.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=5)
    calls.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"sleep": 2, "print": "accepted"}')
    first.process.kill()
    stop_embedded(first)
    second = start_embedded(tmp_path / "state")
    try:
        is_ready(second, name, "1", 1)
        assert ask(second, f"{name}:1")["Payload"]["pid"] != pid
        assert not Path(f"/proc/{pid}").exists()
        assert client(second, "lambda").get_function_concurrency(FunctionName=name) is not None
        assert "accepted" in lines(second, name, "accepted")
    finally:
        stop_embedded(second)


def test_what_is_kept_ready_for_an_alias_moves_with_it_to_another_version(embedded: Embedded) -> None:
    code = package(app="def handler(e, c): return c.function_version")
    name, calls = make_published(embedded, code), client(embedded, "lambda")
    calls.put_provisioned_concurrency_config(FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=1)
    is_ready(embedded, name, "live", 1)
    calls.update_function_configuration(FunctionName=name, MemorySize=512)
    calls.publish_version(FunctionName=name)
    calls.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    assert ask(embedded, f"{name}:live")["Payload"] == "2"
    is_ready(embedded, name, "live", 1)
    told = ask(embedded, f"{name}:live", LogType="Tail")
    assert "Init Duration" not in base64.b64decode(told["LogResult"]).decode()
    with pytest.raises(ClientError, match="aliases reference it"):
        calls.delete_function(FunctionName=name, Qualifier="2")
    calls.delete_alias(FunctionName=name, Name="live")
    calls.delete_function(FunctionName=name, Qualifier="2")
    remove(embedded, name)
