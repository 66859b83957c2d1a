"""CloudWatch Logs: what the training jobs and endpoints of this machine print, and what clients put there."""

import base64
import heapq
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool

from local_aws import ACCOUNT, DEFAULT_REGION
from local_aws.errors import ServiceError
from local_aws.protocol import Caller, Service
from local_aws.services.logs_pattern import matcher
from local_aws.services.logs_store import Event, LogGroup, LogStore, LogStream, Position

LARGEST_PAGE = 1024 * 1024  # bytes of events in one answer
LARGEST_BATCH = 1_048_576
MOST_EVENTS = 10_000
MOST_SEARCHED = 100_000  # events one FilterLogEvents looks at before it hands out a token
OLDEST, NEWEST = 14 * 86_400_000, 2 * 3_600_000  # milliseconds before and after now that an event may be of
FOR_EVER = 1 << 62
RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
_GROUP_NAME = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
_STREAM_NAME = re.compile(r"[^:*]{1,512}")
_TOKEN = re.compile(r"([fb])/(\d{1,19})-(\d{1,19})")

Params = dict[str, Any]
T = TypeVar("T")


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterException", message)


class Logs(Service):
    """now: epoch seconds."""

    name = "logs"
    invalid_code = "InvalidParameterException"

    def __init__(self, directory: Path, *, region: str = DEFAULT_REGION, now: Callable[[], float] = time.time) -> None:
        self._logs = LogStore(directory)
        self._region = region
        self._now = now

    async def start(self) -> None:
        await run_in_threadpool(self._logs.expire, self._milliseconds())

    async def stop(self) -> None:
        self._logs.close()

    def _milliseconds(self) -> int:
        return int(self._now() * 1000)

    def append(self, group: str, stream: str, events: Sequence[tuple[int, str]]) -> None:
        """Add events (epoch milliseconds, line) of something that runs here; makes group and stream when absent."""
        self._logs.put(group, stream, [event for event in events if event[1]], self._milliseconds(), create=True)

    def has(self, group: str, stream: str = "") -> bool:
        """Whether a group is there, or a stream of it."""
        return self._logs.has(group, stream)

    # groups

    def create_log_group(self, params: Params, caller: Caller) -> Params:
        if not _GROUP_NAME.fullmatch(params["logGroupName"]):
            raise _invalid("logGroupName must be 1 to 512 of the characters a-z A-Z 0-9 _ - / . #")
        self._logs.create_group(params["logGroupName"], params.get("tags") or {}, self._milliseconds())
        return {}

    def delete_log_group(self, params: Params, caller: Caller) -> Params:
        self._logs.delete_group(params["logGroupName"])
        return {}

    def describe_log_groups(self, params: Params, caller: Caller) -> Params:
        pattern = (params.get("logGroupNamePattern") or "").lower()
        prefix = params.get("logGroupNamePrefix") or ""
        if pattern and prefix:
            raise _invalid("logGroupNamePattern and logGroupNamePrefix exclude each other")
        asked = [_name_of(one) for one in params.get("logGroupIdentifiers") or ()]
        found = [g for g in self._logs.groups(prefix) if pattern in g.name.lower() and (not asked or g.name in asked)]
        page, token = _page(found, lambda group: [group.name], params)
        return {"logGroups": [self._group(group) for group in page], "nextToken": token}

    def _group(self, group: LogGroup) -> Params:
        arn = self._arn(group.name)
        return {
            "logGroupName": group.name,
            "creationTime": group.created,
            "retentionInDays": group.retention,
            "metricFilterCount": 0,
            "arn": f"{arn}:*",
            "logGroupArn": arn,
            "storedBytes": group.bytes,
            "logGroupClass": "STANDARD",
        }

    def _arn(self, group: str) -> str:
        return f"arn:aws:logs:{self._region}:{ACCOUNT}:log-group:{group}"

    def put_retention_policy(self, params: Params, caller: Caller) -> Params:
        if params["retentionInDays"] not in RETENTIONS:
            raise _invalid(f"retentionInDays must be one of {', '.join(map(str, RETENTIONS))}")
        self._logs.set_retention(params["logGroupName"], params["retentionInDays"])
        self._logs.expire(self._milliseconds())
        return {}

    def delete_retention_policy(self, params: Params, caller: Caller) -> Params:
        self._logs.set_retention(params["logGroupName"], None)
        return {}

    def tag_resource(self, params: Params, caller: Caller) -> Params:
        group = self._logs.group(_name_of(params["resourceArn"]))
        tags = {**group.tags, **params["tags"]}
        if len(tags) > 50:
            raise ServiceError("TooManyTagsException", "A log group can have at most 50 tags")
        self._logs.set_tags(group.name, tags)
        return {}

    def untag_resource(self, params: Params, caller: Caller) -> Params:
        group = self._logs.group(_name_of(params["resourceArn"]))
        self._logs.set_tags(group.name, {k: v for k, v in group.tags.items() if k not in params["tagKeys"]})
        return {}

    def list_tags_for_resource(self, params: Params, caller: Caller) -> Params:
        return {"tags": self._logs.group(_name_of(params["resourceArn"])).tags}

    # streams

    def create_log_stream(self, params: Params, caller: Caller) -> Params:
        if not _STREAM_NAME.fullmatch(params["logStreamName"]):
            raise _invalid("logStreamName must be 1 to 512 characters without : and *")
        self._logs.create_stream(params["logGroupName"], params["logStreamName"], self._milliseconds())
        return {}

    def delete_log_stream(self, params: Params, caller: Caller) -> Params:
        self._logs.delete_stream(params["logGroupName"], params["logStreamName"])
        return {}

    def describe_log_streams(self, params: Params, caller: Caller) -> Params:
        prefix, by_time = params.get("logStreamNamePrefix") or "", params.get("orderBy") == "LastEventTime"
        if prefix and by_time:
            raise _invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")

        def key(stream: LogStream) -> list[Any]:
            return [stream.last or 0, stream.name] if by_time else [stream.name]

        streams = sorted(self._logs.streams(_group_of(params), prefix), key=key, reverse=bool(params.get("descending")))
        page, token = _page(streams, key, params, descending=bool(params.get("descending")))
        return {"logStreams": [self._stream(stream) for stream in page], "nextToken": token}

    def _stream(self, stream: LogStream) -> Params:
        return {
            "logStreamName": stream.name,
            "creationTime": stream.created,
            "firstEventTimestamp": stream.first,
            "lastEventTimestamp": stream.last,
            "lastIngestionTime": stream.ingested,
            "uploadSequenceToken": str(stream.id),
            "arn": f"{self._arn(stream.group)}:log-stream:{stream.name}",
            "storedBytes": stream.bytes,
        }

    # events

    def put_log_events(self, params: Params, caller: Caller) -> Params:
        events = [(event["timestamp"], event["message"]) for event in params["logEvents"]]
        if events != sorted(events, key=lambda event: event[0]):
            raise _invalid("Log events in a single PutLogEvents request must be in chronological order.")
        if len(events) > MOST_EVENTS or sum(len(message.encode()) + 26 for _, message in events) > LARGEST_BATCH:
            raise _invalid(f"Upload too large: at most {MOST_EVENTS} events and {LARGEST_BATCH} bytes")
        now = self._milliseconds()
        old = sum(timestamp < now - OLDEST for timestamp, _ in events)
        new = sum(timestamp > now + NEWEST for timestamp, _ in events)
        rejected: Params = {}
        if old:
            rejected["tooOldLogEventEndIndex"] = old
        if new:
            rejected["tooNewLogEventStartIndex"] = len(events) - new
        self._logs.put(params["logGroupName"], params["logStreamName"], events[old : len(events) - new], now)
        token = self._logs.stream(params["logGroupName"], params["logStreamName"]).id
        return {"nextSequenceToken": str(token), **({"rejectedLogEventsInfo": rejected} if rejected else {})}

    def get_log_events(self, params: Params, caller: Caller) -> Params:
        stream = self._logs.stream(_group_of(params), params["logStreamName"])
        start, end = params.get("startTime") or 0, params.get("endTime") or FOR_EVER
        forward, bound = bool(params.get("startFromHead")), None
        given = params.get("nextToken")
        if given is not None:
            match = _TOKEN.fullmatch(given)
            if match is None:
                raise _invalid("The specified nextToken is invalid.")
            forward, bound = match[1] == "f", Position(int(match[2]), int(match[3]))
        found = self._logs.events(stream.id, start=start, end=end, bound=bound, forward=forward)
        events = list(_fitting(found, params.get("limit") or MOST_EVENTS))
        if not forward:
            events.reverse()
        after = before = bound or Position(0, 0)  # with nothing more to read, both tokens come back as they were
        if events:
            before = events[0].at
            after = Position(events[-1].at.timestamp, events[-1].at.number + 1)
        return {
            "events": [
                {"timestamp": event.at.timestamp, "message": event.message, "ingestionTime": event.ingested}
                for event in events
            ],
            "nextForwardToken": _token("f", after),
            "nextBackwardToken": _token("b", before),
        }

    def filter_log_events(self, params: Params, caller: Caller) -> Params:
        group, names = _group_of(params), params.get("logStreamNames")
        if names and params.get("logStreamNamePrefix"):
            raise _invalid("logStreamNames and logStreamNamePrefix exclude each other")
        streams = self._logs.streams(group, params.get("logStreamNamePrefix") or "")
        if names:
            streams = [self._logs.stream(group, name) for name in dict.fromkeys(names)]
        matches = matcher(params.get("filterPattern") or "")
        start, end = params.get("startTime") or 0, params.get("endTime")
        behind = _read_token(params["nextToken"]) if params.get("nextToken") else None
        limit = params.get("limit") or MOST_EVENTS
        merged = heapq.merge(
            *(self._numbered(stream, start, FOR_EVER if end is None else end + 1, behind) for stream in streams),
            key=lambda found: found[0],
        )
        events: list[Params] = []
        size = 0
        token, last = None, None
        for searched, (at, stream, event) in enumerate(merged):
            if len(events) >= limit or size > LARGEST_PAGE or searched >= MOST_SEARCHED:
                token = last
                break
            last = _written_token(at)
            if matches(event.message):
                size += event.size
                events.append(
                    {
                        "logStreamName": stream.name,
                        "timestamp": event.at.timestamp,
                        "message": event.message,
                        "ingestionTime": event.ingested,
                        "eventId": f"{at[0]:020d}{at[1]:018d}{at[2]:018d}",
                    }
                )
        return {"events": events, "searchedLogStreams": [], "nextToken": token}

    def _numbered(
        self, stream: LogStream, start: int, end: int, behind: list[int] | None
    ) -> Iterator[tuple[tuple[int, int, int], LogStream, Event]]:
        """A stream's events with where each stands among all streams: time, stream, number."""
        bound = None
        if behind is not None:
            timestamp, of_stream, number = behind
            if stream.id == of_stream:
                bound = Position(timestamp, number + 1)
            else:
                bound = Position(timestamp, FOR_EVER if stream.id < of_stream else 0)
        for event in self._logs.events(stream.id, start=start, end=end, bound=bound, forward=True):
            yield (event.at.timestamp, stream.id, event.at.number), stream, event


def _fitting(events: Iterator[Event], limit: int) -> Iterator[Event]:
    """As many as one answer may hold, at least one."""
    size = 0
    for number, event in enumerate(events):
        size += event.size
        if number >= limit or (number and size > LARGEST_PAGE):
            return
        yield event


def _group_of(params: Params) -> str:
    name = params.get("logGroupName") or _name_of(params.get("logGroupIdentifier") or "")
    if not name:
        raise _invalid("Either logGroupName or logGroupIdentifier is needed")
    return name


def _name_of(identifier: str) -> str:
    """The group that a name or an ARN names."""
    return identifier.partition(":log-group:")[2].removesuffix(":*") or identifier


def _token(direction: str, bound: Position) -> str:
    return f"{direction}/{bound.timestamp}-{bound.number}"


def _page(
    found: Sequence[T], key: Callable[[T], list[Any]], params: Params, *, descending: bool = False
) -> tuple[Sequence[T], str | None]:
    """At most `limit` (50) of what was found, sorted by `key`, behind what nextToken names; and the next token."""
    limit = min(params.get("limit") or 50, 50)
    if params.get("nextToken"):
        last = _read_token(params["nextToken"])
        found = [one for one in found if (key(one) < last if descending else key(one) > last)]
    return found[:limit], _written_token(key(found[limit - 1])) if len(found) > limit else None


def _written_token(key: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _read_token(token: str) -> list[Any]:
    try:
        key = json.loads(base64.b64decode(token.encode(), b"-_", validate=True))
    except ValueError:
        key = None
    if not isinstance(key, list):
        raise _invalid("The specified nextToken is invalid.")
    return key
