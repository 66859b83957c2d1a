"""What an endpoint's containers or a function print: the newest lines, and the lines that say something."""

from datetime import UTC, datetime
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.errors import NotFound
from dashboard.core.parallel import gather
from dashboard.core.runs.log import LogLine

STREAMS = 12
"""Streams that are read, those with the newest lines: each instance that ever was has one."""
LINES = 300
SEARCH_PAGES = 20


def endpoint_group(endpoint: str) -> str:
    """The log group of an endpoint. Source: SageMaker Developer Guide, "Log groups and streams"."""
    return f"/aws/sagemaker/Endpoints/{endpoint}"


def newest(aws: Aws, group: str, limit: int = LINES) -> tuple[LogLine, ...]:
    """The newest `limit` lines of a log group, the newest last; none before the first one is printed.

    A line's host is its stream: "main/i-0abc". Raises the errors of `Aws.call`.
    """
    try:
        listed = aws.call(
            "logs", "DescribeLogStreams", logGroupName=group, orderBy="LastEventTime", descending=True, limit=STREAMS
        )
    except NotFound:
        return ()

    def read(stream: str) -> list[LogLine]:
        try:
            told = aws.call("logs", "GetLogEvents", logGroupName=group, logStreamName=stream, limit=limit)
        except NotFound:
            return []
        return [_line(stream, event) for event in told["events"]]

    found = gather(read, [one["logStreamName"] for one in listed["logStreams"]])
    return tuple(sorted((line for lines in found for line in lines), key=lambda line: line.time)[-limit:])


def search(aws: Aws, group: str, text: str, limit: int = LINES) -> tuple[LogLine, ...]:
    """The first `limit` lines of a whole log group that contain `text`; upper and lower case count.

    Raises the errors of `Aws.call`.
    """
    if not text.strip():
        return ()
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    found: list[LogLine] = []
    try:
        pages = aws.pages(
            "logs", "FilterLogEvents", limit=SEARCH_PAGES, logGroupName=group, filterPattern=f'"{quoted}"'
        )
        for page in pages:
            found += [_line(event["logStreamName"], event) for event in page["events"]]
            if len(found) >= limit:
                break
    except NotFound:
        return ()
    return tuple(sorted(found, key=lambda line: line.time)[:limit])


def _line(stream: str, event: dict[str, Any]) -> LogLine:
    return LogLine(datetime.fromtimestamp(event["timestamp"] / 1000, UTC), stream, event["message"])
