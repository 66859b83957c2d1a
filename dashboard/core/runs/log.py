"""A run's log, read page by page from CloudWatch Logs."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.errors import InvalidInput, NotFound

GROUP = "/aws/sagemaker/TrainingJobs"
PAGE_EVENTS = 10_000  # GetLogEvents' own maximum
PAGES = 5
"""Pages of each stream read at once; a training that prints a million lines is read over several calls."""


@dataclass(frozen=True)
class LogLine:
    """One line: when, from which host ("algo-1"), and what."""

    time: datetime
    host: str
    text: str


@dataclass(frozen=True)
class LogPage:
    """Lines in order of time, and the token that reads on from there. `has_more` when more is there already."""

    lines: tuple[LogLine, ...]
    token: str
    has_more: bool = False


def read_log(aws: Aws, name: str, token: str | None = None) -> LogPage:
    """The run's log from its start, or from the `token` of an earlier page on.

    A run that has not printed yet has an empty page. Raises InvalidInput for a token that is not one of ours.
    """
    positions = _positions(token)
    lines: list[LogLine] = []
    has_more = False
    for stream in _streams(aws, name):
        events, positions[stream], more = _read(aws, stream, positions.get(stream))
        has_more = has_more or more
        host = stream.rsplit("/", 1)[-1].rsplit("-", 1)[0]
        lines += [
            LogLine(datetime.fromtimestamp(event["timestamp"] / 1000, UTC), host, event["message"]) for event in events
        ]
    lines.sort(key=lambda line: line.time)  # stable: lines of one host keep their order
    return LogPage(tuple(lines), json.dumps(positions), has_more)


def _streams(aws: Aws, name: str) -> list[str]:
    try:
        pages = list(aws.pages("logs", "DescribeLogStreams", logGroupName=GROUP, logStreamNamePrefix=f"{name}/"))
    except NotFound:
        return []  # the group appears with the first line of the first run
    return sorted(stream["logStreamName"] for page in pages for stream in page["logStreams"])


def _read(aws: Aws, stream: str, position: str | None) -> tuple[list[dict[str, Any]], str, bool]:
    events: list[dict[str, Any]] = []
    for _ in range(PAGES):
        where = {"nextToken": position} if position else {}
        answer = aws.call(
            "logs",
            "GetLogEvents",
            logGroupName=GROUP,
            logStreamName=stream,
            startFromHead=True,
            limit=PAGE_EVENTS,
            **where,
        )
        events += answer["events"]
        forward = answer["nextForwardToken"]
        if forward == position or not answer["events"]:
            return events, forward, False  # the same token again is how CloudWatch says "the end"
        position = forward
    return events, position or "", True


def _positions(token: str | None) -> dict[str, str]:
    if not token:
        return {}
    try:
        positions = json.loads(token)
    except ValueError:
        positions = None
    if not isinstance(positions, dict) or not all(isinstance(p, str) for p in positions.values()):
        raise InvalidInput("this is not a position in a log", "", "read the log from its start", field="token")
    return positions
