"""CloudWatch Logs: tokens that neither lose nor repeat a line, filters, and what is refused."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services.logs import Logs
from local_aws.services.logs_pattern import matcher
from tests.conftest import Embedded

CALLER = Caller("123456789012", "us-east-1", "AKIA", "arn:aws:iam::123456789012:root")
NOW = 1_800_000_000_000  # milliseconds


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path, now=lambda: NOW / 1000)


@pytest.fixture
def stream(logs: Logs) -> Iterator[Callable[..., Any]]:
    """GetLogEvents on a stream of ten lines, 0 … 9, some at the same millisecond."""
    logs.append("g", "s", [(NOW + i // 3, str(i)) for i in range(10)])

    def get(**params: Any) -> tuple[list[str], str, str]:
        found = logs.get_log_events({"logGroupName": "g", "logStreamName": "s", **params}, CALLER)
        return (
            [event["message"] for event in found["events"]],
            found["nextForwardToken"],
            found["nextBackwardToken"],
        )

    yield get


def code_of(call: Callable[..., Any], *args: Any, **params: Any) -> str:
    with pytest.raises((ServiceError, ClientError)) as caught:
        call(*args, **params)
    error = caught.value
    return error.code if isinstance(error, ServiceError) else str(error.response["Error"]["Code"])


def test_reading_forward_ends_with_the_same_token(stream: Callable[..., Any]) -> None:
    seen, token, _ = stream(startFromHead=True, limit=4)
    while True:
        lines, following, _ = stream(nextToken=token, limit=4)
        if following == token:
            break
        seen += lines
        token = following
    assert lines == []
    assert seen == [str(i) for i in range(10)]


def test_reading_backward_ends_with_the_same_token(stream: Callable[..., Any]) -> None:
    seen, _, token = stream(limit=4)
    assert seen == ["6", "7", "8", "9"]
    while True:
        lines, _, following = stream(nextToken=token, limit=4)
        if following == token:
            break
        seen = lines + seen
        token = following
    assert seen == [str(i) for i in range(10)]


def test_turning_round(stream: Callable[..., Any]) -> None:
    _, forward, backward = stream(startFromHead=True, limit=5)
    assert stream(nextToken=backward)[0] == []
    lines, _, back = stream(nextToken=forward, limit=2)
    assert lines == ["5", "6"]
    assert stream(nextToken=back, limit=2)[0] == ["3", "4"]


def test_following_a_stream_from_before_its_first_line(logs: Logs) -> None:
    logs.append("g", "s", [])
    asked = {"logGroupName": "g", "logStreamName": "s", "startFromHead": True}
    token = logs.get_log_events(asked, CALLER)["nextForwardToken"]
    seen: list[str] = []
    for i in range(20):
        logs.append("g", "s", [(NOW + 5 - i, f"{i}a"), (NOW - i, f"{i}b")])  # clocks may run backwards
        for _ in range(2):
            found = logs.get_log_events({**asked, "nextToken": token}, CALLER)
            seen += [event["message"] for event in found["events"]]
            token = found["nextForwardToken"]
    assert seen == [f"{i}{letter}" for i in range(20) for letter in "ab"]


def test_time_windows(stream: Callable[..., Any]) -> None:
    assert stream(startTime=NOW + 1, endTime=NOW + 2)[0] == ["3", "4", "5"]
    assert stream(startTime=NOW + 99)[0] == []


def test_a_page_holds_no_more_than_a_mebibyte(logs: Logs) -> None:
    logs.append("g", "s", [(NOW + i, "x" * 300_000) for i in range(5)])
    asked = {"logGroupName": "g", "logStreamName": "s", "startFromHead": True}
    found = logs.get_log_events(asked, CALLER)
    assert len(found["events"]) == 3
    assert len(logs.get_log_events({**asked, "nextToken": found["nextForwardToken"]}, CALLER)["events"]) == 2


def test_tokens_that_are_none(stream: Callable[..., Any], logs: Logs) -> None:
    assert code_of(stream, nextToken="f/abc") == "InvalidParameterException"
    params = {"logGroupName": "g", "nextToken": "abc"}
    assert code_of(logs.filter_log_events, params, CALLER) == "InvalidParameterException"
    assert code_of(logs.describe_log_streams, params, CALLER) == "InvalidParameterException"


def filtered(logs: Logs, **params: Any) -> list[str]:
    """All pages of FilterLogEvents: "stream message"."""
    seen: list[str] = []
    token = None
    while True:
        asked = {"logGroupName": "g", **params, **({"nextToken": token} if token else {})}
        found = logs.filter_log_events(asked, CALLER)
        seen += [f"{event['logStreamName']} {event['message']}" for event in found["events"]]
        token = found["nextToken"]
        if token is None:
            return seen


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_filtering_a_group_merges_its_streams_by_time(logs: Logs, limit: int) -> None:
    for offset, name in enumerate(("b", "a", "c")):
        logs.append("g", name, [(NOW + i + (offset == 2), str(i)) for i in range(3)])
    assert filtered(logs, limit=limit) == ["b 0", "a 0", "b 1", "a 1", "c 0", "b 2", "a 2", "c 1", "c 2"]
    assert filtered(logs, limit=limit, logStreamNames=["a", "c"], startTime=NOW + 2, endTime=NOW + 2) == ["a 2", "c 1"]
    assert filtered(logs, limit=limit, logStreamNamePrefix="c", filterPattern="2") == ["c 2"]


@pytest.mark.parametrize(
    ("pattern", "matches", "not_matches"),
    [
        ("", ["anything", ""], []),
        ("ERROR", ["an ERROR here", "[ERROR]"], ["error", "fine"]),
        ("loss epoch", ["epoch=1 loss=2"], ["epoch=1"]),
        ('"out of memory"', ["ran out of memory"], ["out of the memory"]),
        ('"say \\"hi\\""', ['they say "hi"'], ["say hi"]),
        ("loss -train", ["valid loss"], ["train loss", "accuracy"]),
        ('-"b c"', ["a b"], ["a b c"]),
        ("?ERROR ?WARN", ["ERROR", "a WARN"], ["INFO"]),
        ("?ERROR INFO", ["INFO"], ["ERROR"]),
        ("train_loss=0.5", ["epoch=1 train_loss=0.53"], ["train_loss=0.4"]),
    ],
)
def test_filter_patterns(pattern: str, matches: list[str], not_matches: list[str]) -> None:
    found = matcher(pattern)
    assert all(found(message) for message in matches)
    assert not any(found(message) for message in not_matches)


@pytest.mark.parametrize("pattern", ["{ $.a = 1 }", "[ip, user]", "%ERROR%", '"unclosed'])
def test_filter_patterns_that_are_refused(pattern: str) -> None:
    assert code_of(matcher, pattern) == "InvalidParameterException"


def test_retention_deletes_what_is_old(logs: Logs) -> None:
    day = 86_400_000
    logs.append("g", "s", [(NOW - 4 * day, "old"), (NOW - 2 * day, "new")])
    logs.put_retention_policy({"logGroupName": "g", "retentionInDays": 3}, CALLER)
    assert filtered(logs) == ["s new"]
    wrong = {"logGroupName": "g", "retentionInDays": 2}
    assert code_of(logs.put_retention_policy, wrong, CALLER) == "InvalidParameterException"
    logs.delete_retention_policy({"logGroupName": "g"}, CALLER)
    assert logs.describe_log_groups({}, CALLER)["logGroups"][0]["retentionInDays"] is None


def test_a_line_at_a_time_is_fast_enough(logs: Logs) -> None:
    begun = time.perf_counter()
    for i in range(2000):
        logs.append("g", "s", [(NOW + i, f"epoch={i} train_loss=0.5")])
    assert time.perf_counter() - begun < 2  # a thousand lines a second is the least; some 30,000 is usual


def test_everything_over_the_wire(embedded: Embedded) -> None:
    client = embedded.client("logs")
    group, now = "/kennel/over-the-wire#1", int(time.time() * 1000)
    client.create_log_group(logGroupName=group, tags={"a": "b"})
    assert code_of(client.create_log_group, logGroupName=group) == "ResourceAlreadyExistsException"
    assert code_of(client.create_log_group, logGroupName="a b") == "InvalidParameterException"
    for i in range(3):
        client.create_log_stream(logGroupName=group, logStreamName=f"job/{i}")
    where = {"logGroupName": group, "logStreamName": "job/1"}
    assert code_of(client.create_log_stream, **where) == "ResourceAlreadyExistsException"
    assert code_of(client.create_log_stream, logGroupName=group, logStreamName="a:b") == "InvalidParameterException"
    put = client.put_log_events(
        **where,
        logEvents=[
            {"timestamp": now - 20 * 86_400_000, "message": "too old"},
            {"timestamp": now, "message": "ü <b> \x1b[0m"},
            {"timestamp": now + 3 * 3_600_000, "message": "too new"},
        ],
    )
    assert put["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2}
    assert [event["message"] for event in client.get_log_events(**where)["events"]] == ["ü <b> \x1b[0m"]
    unordered = [{"timestamp": now + 1, "message": "a"}, {"timestamp": now, "message": "b"}]
    assert code_of(client.put_log_events, **where, logEvents=unordered) == "InvalidParameterException"
    newest = client.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True, limit=1)
    assert newest["logStreams"][0]["logStreamName"] == "job/1"
    pages = client.get_paginator("describe_log_streams").paginate(
        logGroupName=group, logStreamNamePrefix="job/", PaginationConfig={"PageSize": 2}
    )
    assert [one["logStreamName"] for page in pages for one in page["logStreams"]] == ["job/0", "job/1", "job/2"]
    described = client.describe_log_groups(logGroupNamePrefix="/kennel/over")["logGroups"]
    assert [(one["logGroupName"], one["storedBytes"] > 0) for one in described] == [(group, True)]
    arn = described[0]["logGroupArn"]
    client.tag_resource(resourceArn=arn, tags={"c": "d"})
    client.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == {"c": "d"}
    client.delete_log_stream(**where)
    assert code_of(client.get_log_events, **where) == "ResourceNotFoundException"
    client.delete_log_group(logGroupName=group)
    assert code_of(client.describe_log_streams, logGroupName=group) == "ResourceNotFoundException"
    assert code_of(client.delete_log_group, logGroupName=group) == "ResourceNotFoundException"
