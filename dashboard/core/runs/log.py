"""A run's log, read page by page from CloudWatch Logs: of every host, of every kind of run."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.errors import InvalidInput, NotFound
from dashboard.core.runs.model import Platform, RunKey, RunKind

SAGEMAKER_GROUP, EC2_GROUP = "/aws/sagemaker/TrainingJobs", "/kennel/ec2-runs"
PAGE_EVENTS = 10_000  # GetLogEvents' own maximum
PAGES = 5
"""Pages of each stream read at once; a training that prints a million lines is read over several calls."""
SEARCH_PAGES = 50
MOST_BYTES = 64 * 1024 * 1024
"""Of a log that is downloaded as a whole; what comes after is left in CloudWatch, and the file says so."""
_HOST = re.compile(r"algo-\d+")  # streams are called "dogs-1/algo-1-1732190400" by SageMaker, "dogs-1/algo-1" on EC2


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


def read_log(aws: Aws, key: str, token: str | None = None) -> LogPage:
    """The log of the run with this key from its start, or from the `token` of an earlier page on.

    A run that has not printed yet has an empty page, and so has a tuning job: its trials print. Raises InvalidInput
    for a token that is not one of ours.
    """
    positions = _positions(token)
    group = _group(key)
    lines: list[LogLine] = []
    has_more = False
    for stream in _streams(aws, key, group):
        events, positions[stream], more = _read(aws, group, stream, positions.get(stream))
        has_more = has_more or more
        lines += [_line(stream, event) for event in events]
    lines.sort(key=lambda line: line.time)  # stable: lines of one host keep their order
    return LogPage(tuple(lines), json.dumps(positions), has_more)


def search_log(aws: Aws, key: str, text: str, limit: int = 500) -> tuple[LogLine, ...]:
    """The first `limit` lines of the whole log that contain `text`, in order of time.

    CloudWatch searches: upper and lower case count. Raises the errors of `Aws.call`.
    """
    wanted = RunKey.parse(key)
    if not text.strip() or wanted.kind is RunKind.TUNING:
        return ()
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    found: list[LogLine] = []
    try:
        for page in aws.pages(
            "logs",
            "FilterLogEvents",
            limit=SEARCH_PAGES,
            logGroupName=_group(key),
            logStreamNamePrefix=f"{wanted.name}/",
            filterPattern=f'"{quoted}"',
        ):
            found += [_line(event["logStreamName"], event) for event in page["events"]]
            if len(found) >= limit:
                break
    except NotFound:
        return ()
    return tuple(sorted(found, key=lambda line: line.time)[:limit])


def whole_log(aws: Aws, key: str) -> bytes:
    """All of a run's log as a text file, one line a line: "2026-11-21T12:00:00.123Z algo-1 epoch=1/20 …".

    At most MOST_BYTES; the last line says where it was cut.
    """
    parts: list[bytes] = []
    size = 0
    for line in _all_lines(aws, key):
        at = line.time.astimezone(UTC)
        text = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z {line.host} {line.text}\n".encode()
        if size + len(text) > MOST_BYTES:
            where = f"{_group(key)}, {RunKey.parse(key).name}/"
            parts.append(f"[cut here: the rest is in CloudWatch Logs, {where}]\n".encode())
            break
        parts.append(text)
        size += len(text)
    return b"".join(parts)


def delete_log(aws: Aws, key: str) -> None:
    """Delete what a run has printed; one that has printed nothing is left as it is. Raises the errors of `Aws.call`."""
    group = _group(key)
    for stream in _streams(aws, key, group):
        try:
            aws.call("logs", "DeleteLogStream", logGroupName=group, logStreamName=stream)
        except NotFound:
            continue  # somebody else was first


def _all_lines(aws: Aws, key: str) -> Iterator[LogLine]:
    token: str | None = None
    while True:
        page = read_log(aws, key, token)
        yield from page.lines
        token = page.token
        if not page.has_more:
            return


def _group(key: str) -> str:
    return EC2_GROUP if RunKey.parse(key).platform is Platform.EC2 else SAGEMAKER_GROUP


def _line(stream: str, event: dict[str, Any]) -> LogLine:
    name = stream.rsplit("/", 1)[-1]
    host = _HOST.match(name)
    return LogLine(
        datetime.fromtimestamp(event["timestamp"] / 1000, UTC), host[0] if host else name, event["message"]
    )  # fmt: skip


def _streams(aws: Aws, key: str, group: str) -> list[str]:
    wanted = RunKey.parse(key)
    if wanted.kind is RunKind.TUNING:
        return []
    try:
        pages = list(aws.pages("logs", "DescribeLogStreams", logGroupName=group, logStreamNamePrefix=f"{wanted.name}/"))
    except NotFound:
        return []  # the group appears with the first line of the first run
    return sorted(stream["logStreamName"] for page in pages for stream in page["logStreams"])


def _read(aws: Aws, group: str, stream: str, position: str | None) -> tuple[list[dict[str, Any]], str, bool]:
    events: list[dict[str, Any]] = []
    for _ in range(PAGES):
        where = {"nextToken": position} if position else {}
        answer = aws.call(
            "logs",
            "GetLogEvents",
            logGroupName=group,
            logStreamName=stream,
            startFromHead=True,
            limit=PAGE_EVENTS,
            **where,
        )
        events += answer["events"]
        forward = answer["nextForwardToken"]
        if forward == position:
            return events, forward, False  # so CloudWatch says "the end": a page may be empty and others follow
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
