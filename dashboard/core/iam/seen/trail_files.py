"""The files that trails deliver to S3: which of them tell of a time, and what is in them; the newest first, bounded."""

import gzip
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError
from dashboard.core.parallel import gather

MOST_FILES = 600
MOST_BYTES = 64 * 1024 * 1024
"""Of all files together, as they lie in S3."""
MOST_UNPACKED = 64 * 1024 * 1024
"""Of one file: AWS's have some megabytes."""
DAYS_AT_ONCE = 8
AT_ONCE = 8
_AT = re.compile(r"_(\d{8}T\d{4}Z)_[^/]*\.json\.gz$")


@dataclass(frozen=True)
class Trail:
    """A trail whose files can be read. since, delivered: when it was switched on last, and delivered last; None where
    that is not known.
    """

    name: str
    bucket: str
    prefix: str
    is_logging: bool
    since: datetime | None
    tells_data: bool
    """Whether it delivers data events too: objects of S3, calls of endpoints and functions."""
    is_of_organization: bool = False
    delivered: datetime | None = None


@dataclass(frozen=True)
class File:
    """at: when it was delivered, to the minute."""

    key: str
    size: int
    at: datetime


@dataclass(frozen=True)
class Listing:
    """The newest first. complete_from: from when on there are no others, as far as was looked."""

    files: tuple[File, ...]
    complete_from: datetime
    is_cut: bool


def trails_of(aws: Aws) -> tuple[Trail, ...]:
    """The trails that deliver events of this region. Raises KennelError where they may not be listed."""
    told = aws.call("cloudtrail", "DescribeTrails", includeShadowTrails=True).get("trailList", [])
    return tuple(gather(lambda one: _trail(aws, one), told))


def _trail(aws: Aws, told: Mapping[str, Any]) -> Trail:
    arn = str(told.get("TrailARN") or told["Name"])
    status, selectors = (
        _or_nothing(aws, "GetTrailStatus", Name=arn),
        _or_nothing(aws, "GetEventSelectors", TrailName=arn),
    )
    return Trail(
        name=str(told["Name"]),
        bucket=str(told.get("S3BucketName") or ""),
        prefix=str(told.get("S3KeyPrefix") or ""),
        is_logging=bool(status.get("IsLogging", True)),
        since=status.get("StartLoggingTime"),
        tells_data=_tells_data(selectors),
        is_of_organization=bool(told.get("IsOrganizationTrail")),
        delivered=status.get("LatestDeliveryTime"),
    )


def _or_nothing(aws: Aws, operation: str, **parameters: Any) -> Mapping[str, Any]:
    """The trail's files can be read without it, so that a missing right is no reason to give up."""
    try:
        return aws.call("cloudtrail", operation, **parameters)
    except KennelError:
        return {}


def _tells_data(selectors: Mapping[str, Any]) -> bool:
    fields = [field for one in selectors.get("AdvancedEventSelectors") or () for field in one["FieldSelectors"]]
    if any(field["Field"] == "eventCategory" and "Data" in (field.get("Equals") or ()) for field in fields):
        return True
    return any(one.get("DataResources") for one in selectors.get("EventSelectors") or ())


def files_of(aws: Aws, trail: Trail, since: datetime, now: datetime, most: int = MOST_FILES) -> Listing:
    """The files of this region that were delivered since then, at most so many. Raises KennelError."""
    account, region = aws.account.account_id, aws.account.region
    start = _start(aws, trail)
    days = _days_told(aws, trail.bucket, f"{start}{account}/CloudTrail/{region}/", since, now)
    found: list[File] = []
    size = 0
    for number in range(0, len(days), DAYS_AT_ONCE):
        batch = days[number : number + DAYS_AT_ONCE]
        prefixes = [f"{start}{account}/CloudTrail/{region}/{day:%Y/%m/%d}/" for day in batch]
        for files in gather(lambda prefix: _day(aws, trail.bucket, prefix), prefixes):
            for file in sorted(files, key=lambda one: (one.at, one.key), reverse=True):
                if file.at + timedelta(minutes=1) < since:
                    continue
                size += file.size
                if len(found) >= most or size > MOST_BYTES:
                    return Listing(tuple(found), found[-1].at if found else now, is_cut=True)
                found.append(file)
    return Listing(tuple(found), since, is_cut=False)


def _start(aws: Aws, trail: Trail) -> str:
    """What all keys of a trail begin with: a trail of an organization has its id before those of the accounts."""
    start = f"{trail.prefix}/AWSLogs/" if trail.prefix else "AWSLogs/"
    if not trail.is_of_organization:
        return start
    answer = aws.call("s3", "ListObjectsV2", Bucket=trail.bucket, Prefix=f"{start}o-", Delimiter="/")
    found = [str(one["Prefix"]) for one in answer.get("CommonPrefixes", ())]
    return found[0] if found else start


def _days_told(aws: Aws, bucket: str, folder: str, since: datetime, now: datetime) -> list[datetime]:
    """The days of which there are files, as midnights, the newest first: most trails do not tell of every day."""
    first = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = {first + timedelta(days=day) for day in range((now.astimezone(UTC) - first).days + 1)}

    def of_month(month: str) -> Iterator[str]:
        for page in aws.pages("s3", "ListObjectsV2", limit=2, Bucket=bucket, Prefix=f"{folder}{month}/", Delimiter="/"):
            yield from (str(one["Prefix"]) for one in page.get("CommonPrefixes", ()))

    told = gather(lambda month: list(of_month(month)), sorted({f"{day:%Y/%m}" for day in days}))
    there = {prefix.removeprefix(folder).rstrip("/") for prefixes in told for prefix in prefixes}
    return sorted((day for day in days if f"{day:%Y/%m/%d}" in there), reverse=True)


def _day(aws: Aws, bucket: str, prefix: str) -> list[File]:
    return [
        File(one["Key"], int(one["Size"]), at)
        for page in aws.pages("s3", "ListObjectsV2", limit=20, Bucket=bucket, Prefix=prefix)
        for one in page.get("Contents", ())
        if (at := _at(one["Key"])) is not None
    ]


def _at(key: str) -> datetime | None:
    """From a file's name; None for what is no file of events, as a digest."""
    found = _AT.search(key)
    return datetime.strptime(found[1], "%Y%m%dT%H%MZ").replace(tzinfo=UTC) if found else None


def read(
    aws: Aws, trail: Trail, files: Iterable[File], wanted: Callable[[bytes], bool]
) -> Iterator[tuple[File, list[Any] | str]]:
    """The events of each file, or why they could not be read, in a sentence.

    wanted: whether a file's text may hold what is looked for; parsing it is most of the work.
    """
    todo = list(files)
    for number in range(0, len(todo), 4 * AT_ONCE):  # so that not all of them are in memory at once
        batch = todo[number : number + 4 * AT_ONCE]
        yield from zip(
            batch, gather(lambda file: _events(aws, trail.bucket, file, wanted), batch, workers=AT_ONCE), strict=True
        )


def _events(aws: Aws, bucket: str, file: File, wanted: Callable[[bytes], bool]) -> list[Any] | str:
    try:
        answer = aws.call("s3", "GetObject", Bucket=bucket, Key=file.key)
        with aws.translated("s3", "GetObject"):
            packed = answer["Body"].read()
    except KennelError as problem:
        return problem.what
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as unpacking:
            text = unpacking.read(MOST_UNPACKED + 1)
        if len(text) > MOST_UNPACKED:
            return f"it unpacks to more than {MOST_UNPACKED // 1024 // 1024} MB"
        if not wanted(text):
            return []
        records = json.loads(text)["Records"]
    except (OSError, EOFError, ValueError, KeyError, TypeError, RecursionError):
        return "it is no file of CloudTrail's"
    return records if isinstance(records, list) else "it is no file of CloudTrail's"
