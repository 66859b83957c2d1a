"""Functions for tests: packages put together here, made and asked on an embedded AWS."""

import io
import json
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Embedded
from tests.local_aws.sagemaker_world import client, log_lines, role, unique

ROOT = Path(__file__).resolve().parents[2]
ECHO = """
import json, os, sys, time

print("loading")
NUMBER = [0]


def handler(event, context):
    NUMBER[0] += 1
    if isinstance(event, dict):
        if "print" in event:
            print(event["print"])
        if "hold" in event:
            open(event["hold"] + ".begun", "x").close()
            while not os.path.exists(event["hold"]):
                time.sleep(0.01)
        if "sleep" in event:
            time.sleep(event["sleep"])
        if "exit" in event:
            os._exit(event["exit"])
        if "raise" in event:
            raise ValueError(event["raise"])
        if "memory" in event:
            held = bytearray(event["memory"] * 2**20)
            for at in range(0, len(held), 4096):
                held[at] = 1
            time.sleep(5)
        if "large" in event:
            return "x" * event["large"]
    return {"event": event, "number": NUMBER[0], "pid": os.getpid(), "version": context.function_version,
            "left": context.get_remaining_time_in_millis(), "context": str(context),
            "name": context.function_name, "variable": os.environ.get("GREETING"),
            "kept": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]}
"""


def package(**files: str) -> bytes:
    """A zip of files: package(app="…") holds app.py."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.py", text)
    return out.getvalue()


def kennels() -> bytes:
    """The package of Kennel's own function."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted((ROOT / "lambda_fn").glob("*.py")):
            archive.writestr(f"lambda_fn/{path.name}", path.read_bytes())
    return out.getvalue()


def make(aws: Embedded, name: str = "", code: bytes | None = None, **changes: Any) -> str:
    """Create a function that echoes, or another; its name."""
    name = name or unique("fn")
    request = {
        "FunctionName": name,
        "Runtime": "python3.11",
        "Role": role(aws, "KennelLambda", "lambda.amazonaws.com"),
        "Handler": "app.handler",
        "Code": {"ZipFile": code or package(app=ECHO)},
        "Timeout": 10,
        "MemorySize": 256,
    } | changes
    client(aws, "lambda").create_function(**request)
    return name


def make_published(aws: Embedded, code: bytes | None = None, **changes: Any) -> str:
    """The same with version 1, and the alias "live" for it; its name."""
    name, calls = make(aws, code=code, **changes), client(aws, "lambda")
    calls.publish_version(FunctionName=name)
    calls.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return name


@contextmanager
def running(aws: Embedded, name: str, folder: Path) -> Iterator[Future[dict[str, Any]]]:
    """A request that a function has begun, and ends when this is left; afterwards it has its answer."""
    release = folder / unique("release")
    with ThreadPoolExecutor(1) as other:
        asked = other.submit(ask, aws, name, {"hold": str(release)})
        try:
            begun, end = Path(f"{release}.begun"), time.monotonic() + 20
            while not begun.exists() and not asked.done() and time.monotonic() < end:
                time.sleep(0.01)
            assert begun.exists(), asked
            yield asked
        finally:
            release.touch()


def make_kennels(aws: Embedded, endpoint: str, name: str = "", **changes: Any) -> str:
    """Create Kennel's own function for an endpoint; its name."""
    handler = {"Handler": "lambda_fn.handler.lambda_handler", "Timeout": 30, "MemorySize": 512}
    environment = {"Environment": {"Variables": {"ENDPOINT_NAME": endpoint}}}
    return make(aws, name, kennels(), **(handler | environment | changes))


def ask(aws: Embedded, name: str, event: Any = None, **more: Any) -> dict[str, Any]:
    """Invoke's answer, its payload read: {"StatusCode", "Payload", "FunctionError" …}."""
    payload = {} if event is None else {"Payload": json.dumps(event).encode()}
    answer: dict[str, Any] = client(aws, "lambda").invoke(FunctionName=name, **payload, **more)
    body = answer["Payload"].read()
    return {**answer, "Payload": json.loads(body) if body else None}


def remove(aws: Embedded, *names: str) -> None:
    for name in names:
        client(aws, "lambda").delete_function(FunctionName=name)


def is_ready(aws: Embedded, name: str, qualifier: str, count: int, seconds: float = 30.0) -> dict[str, Any]:
    """The provisioned concurrency once so many environments are ready, and the status is READY."""
    end = time.monotonic() + seconds
    while True:
        found: dict[str, Any] = client(aws, "lambda").get_provisioned_concurrency_config(
            FunctionName=name, Qualifier=qualifier
        )
        ready = found["Status"] == "READY" and found["AllocatedProvisionedConcurrentExecutions"] == count
        if ready or found["Status"] == "FAILED" or time.monotonic() > end:
            assert ready, found
            return found
        time.sleep(0.05)


def lines(aws: Embedded, name: str, text: str, seconds: float = 10.0) -> list[str]:
    """The function's log, once it holds that text."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = log_lines(client(aws, "logs"), f"/aws/lambda/{name}", "20")
        if any(text in line for line in found):
            return found
        time.sleep(0.05)
    raise AssertionError(f"{text!r} never came: {found}")


def summed(aws: Embedded, metric: str, least: float, statistic: str = "Sum", **dimensions: str) -> float:
    """A metric of the last minutes, once it is that much: figures are written a moment after what they tell of."""
    end = time.monotonic() + 10
    while True:
        now = datetime.now(UTC)
        points = client(aws, "cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=now - timedelta(minutes=10),
            EndTime=now + timedelta(minutes=1),
            Period=3600,
            Statistics=[statistic],
        )["Datapoints"]
        found = float(sum(point[statistic] for point in points))
        if found >= least or time.monotonic() > end:
            return found
        time.sleep(0.1)


def throttled(call: Any, *arguments: Any, **params: Any) -> str:
    """The reason for which a request is turned away."""
    with pytest.raises(ClientError) as error:
        call(*arguments, **params)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert error.value.response["Error"]["Code"] == "TooManyRequestsException"
    return str(error.value.response["Reason"])
