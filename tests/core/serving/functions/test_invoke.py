"""One test call: what Lambda says of it is read, whatever the function answered."""

import io
from typing import Any

import pytest

from dashboard.core.errors import InvalidInput
from dashboard.core.serving.functions.invoke import MOST_BYTES, event, invoke, report
from tests.core.costs.shaped_aws import ShapedAws
from tests.core.serving.functions.lambdas import Lambdas, shaped

WARM = (
    "REPORT RequestId: 8f5\tDuration: 36.64 ms\tBilled Duration: 37 ms\tMemory Size: 256 MB\tMax Memory Used: 43 MB\t\n"
)
COLD = WARM.rstrip("\n") + "Init Duration: 812.33 ms\t\n"


def answering(payload: bytes, **more: Any) -> ShapedAws:
    told = {"StatusCode": 200, "ExecutedVersion": "3", "Payload": io.BytesIO(payload), **more}
    return ShapedAws({"lambda Invoke": told})


def test_warm_and_cold_are_told_apart_by_lambdas_own_line() -> None:
    warm, cold = report(f"START\n{WARM}"), report(f"{WARM}START\n{COLD}")
    assert warm and (warm.duration_ms, warm.billed_ms, warm.memory_mb, warm.used_mb) == (36.64, 37.0, 256, 43)
    assert not warm.is_cold
    assert cold and cold.init_ms == 812.33 and cold.is_cold


@pytest.mark.parametrize("log", ["", "START RequestId: 1", "REPORT RequestId: 1\tnonsense", "REPORT"])
def test_a_log_without_that_line_says_nothing_of_it(log: str) -> None:
    assert report(log) is None


def test_a_call_tells_version_time_status_and_log() -> None:
    lambdas = Lambdas()
    lambdas.add("dogs")
    ticks = iter((10.0, 10.25))
    tried = invoke(shaped(lambdas), "dogs", event(jpeg=b"\xff\xd8"), "live", lambda: next(ticks))
    assert (tried.version, tried.seconds, tried.status) == ("1", 0.25, 200)
    assert tried.report and tried.report.is_cold
    assert len(tried.log) == 3 and not tried.failure


@pytest.mark.parametrize(
    ("payload", "failure"),
    [
        (b'{"errorMessage": "Task timed out after 3.00 seconds"}', "Task timed out"),
        (b'"half"', "without saying why"),
        (b"", "without saying why"),
    ],
)
def test_a_function_that_broke_off_is_said_so(payload: bytes, failure: str) -> None:
    tried = invoke(answering(payload, FunctionError="Unhandled"), "dogs", {})
    assert failure in tried.failure
    assert tried.status is None


@pytest.mark.parametrize("payload", [b"", b"null", b"[1]", b"no JSON", b'{"statusCode": "200"}'])
def test_whatever_comes_back_is_shown_as_it_came(payload: bytes) -> None:
    tried = invoke(answering(payload), "dogs", {})
    assert tried.status is None and isinstance(tried.raw, str) and not tried.failure


def test_an_event_holds_one_question() -> None:
    assert event(url="https://x/a.jpg") == {"url": "https://x/a.jpg"}
    assert event(stored="s3://b/k") == {"s3": "s3://b/k"}
    assert set(event(jpeg=b"1", url="https://x")) == {"image"}


def test_what_is_too_large_is_not_sent() -> None:
    with pytest.raises(InvalidInput, match="too large"):
        invoke(answering(b""), "dogs", event(jpeg=b"x" * MOST_BYTES))
