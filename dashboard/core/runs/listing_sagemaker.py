"""SageMaker's runs of a time window: Search for the first read, what was modified since for every later one."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.errors import NotFound
from dashboard.core.parallel import gather
from dashboard.core.runs.describe import run_from
from dashboard.core.runs.model import Run
from dashboard.core.runs.tuning import tuning_from

PAGE = 100  # Search's own maximum
SLICES = 8
WORKERS = 4
"""Searches at once: SageMaker throttles accounts that ask for more."""
MOST = 20_000
"""Runs of one kind kept in memory, the newest; a list that was cut there says so."""

Found = Callable[[Sequence[Run], int | None], None]
"""Told each batch of runs as it arrives, and how many there are in all where AWS says so."""


@dataclass(frozen=True)
class Searched:
    """One of SageMaker's kinds of run: how its records are searched, listed, described and read."""

    resource: str
    name: str
    arn: str
    listing: str
    summaries: str
    describe: str
    read: Callable[[Mapping[str, Any], Mapping[str, str]], Run]


TRAININGS = Searched(
    "TrainingJob",
    "TrainingJobName",
    "TrainingJobArn",
    "ListTrainingJobs",
    "TrainingJobSummaries",
    "DescribeTrainingJob",
    run_from,
)
TUNINGS = Searched(
    "HyperParameterTuningJob",
    "HyperParameterTuningJobName",
    "HyperParameterTuningJobArn",
    "ListHyperParameterTuningJobs",
    "HyperParameterTuningJobSummaries",
    "DescribeHyperParameterTuningJob",
    tuning_from,
)


def search(aws: Aws, kind: Searched, since: datetime | None, found: Found) -> bool:
    """All runs of a kind created at `since` or later, the newest first where they fit one page.

    The rest of the window is cut into slices of time that are read side by side. False when there are more than MOST.
    Raises the errors of `Aws.call`.
    """
    first = _page(aws, kind, since, None)
    runs = _runs(kind, first)
    total = first.get("TotalHits", {}).get("Value")
    found(runs, total)
    if "NextToken" not in first or not runs:
        return True
    last = min(run.created for run in runs) + timedelta(seconds=1)  # others may have begun in the same second
    begin = since or _oldest(aws, kind) or last
    counted = _Counter(len(runs))

    def read(window: tuple[datetime, datetime]) -> None:
        token = ""
        while counted.value < MOST:
            answer = _page(aws, kind, *window, token=token)
            batch = _runs(kind, answer)
            counted.add(len(batch))
            found(batch, total)
            token = answer.get("NextToken", "")
            if not token:
                return

    gather(read, _slices(begin, last), workers=WORKERS)
    return counted.value < MOST


def changed(
    aws: Aws, kind: Searched, after: datetime, known: Mapping[str, Run], again: Sequence[str] = ()
) -> tuple[list[Run], list[str]]:
    """Runs modified after `after` that are not `known` as they are now, and the names of those that are gone.

    `known` and `again` are by name; those of `again` are described whether they were modified or not.
    """
    pages = aws.pages("sagemaker", kind.listing, limit=MOST // PAGE, LastModifiedTimeAfter=after,
                      PaginationConfig={"PageSize": PAGE})  # fmt: skip
    summaries = [one for page in pages for one in page[kind.summaries]]
    names = [one[kind.name] for one in summaries if _differs(one, known.get(one[kind.name]))]
    asked = list(dict.fromkeys([*names, *again]))

    def look(name: str) -> Run | None:
        try:
            return describe(aws, kind, name, known.get(name))
        except NotFound:
            return None  # deleted since it was listed

    looked = gather(look, asked)
    return [run for run in looked if run], [name for name, run in zip(asked, looked, strict=True) if run is None]


def describe(aws: Aws, kind: Searched, name: str, known: Run | None = None) -> Run:
    """One run as it is now; its tags are only read when it is not `known` yet. Raises NotFound."""
    answer = aws.call("sagemaker", kind.describe, **{kind.name: name})
    is_same = known is not None and known.created == answer["CreationTime"]
    marked = known.tags if known is not None and is_same else tags.of_run(aws, answer[kind.arn])
    return kind.read(answer, marked)


def _differs(summary: Mapping[str, Any], run: Run | None) -> bool:
    return run is None or run.created != summary["CreationTime"] or run.modified != summary.get("LastModifiedTime")


def _page(aws: Aws, kind: Searched, since: datetime | None, before: datetime | None, token: str = "") -> dict[str, Any]:
    limits = [("GreaterThanOrEqualTo", since), ("LessThan", before)]
    filters = [
        {"Name": "CreationTime", "Operator": operator, "Value": _written(moment)}
        for operator, moment in limits
        if moment is not None
    ]
    asked: dict[str, Any] = {"SearchExpression": {"Filters": filters}} if filters else {}
    if token:
        asked["NextToken"] = token
    return aws.call("sagemaker", "Search", Resource=kind.resource, SortBy="CreationTime", SortOrder="Descending",
                    MaxResults=PAGE, **asked)  # fmt: skip


def _runs(kind: Searched, answer: Mapping[str, Any]) -> list[Run]:
    records = [one[kind.resource] for one in answer["Results"] if kind.resource in one]
    return [kind.read(record, tags.as_dict(record.get("Tags", []))) for record in records]


def _oldest(aws: Aws, kind: Searched) -> datetime | None:
    answer = aws.call("sagemaker", "Search", Resource=kind.resource, SortBy="CreationTime", SortOrder="Ascending",
                      MaxResults=1)  # fmt: skip
    return min((run.created for run in _runs(kind, answer)), default=None)


def _slices(begin: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """[begin, end) in slices, the newest first; whole seconds, as Search compares them."""
    first = int(begin.timestamp())
    last = int(end.timestamp()) + 1
    count = max(1, min(SLICES, last - first))
    edges = [first + (last - first) * place // count for place in range(count + 1)]
    moments = [datetime.fromtimestamp(edge, UTC) for edge in edges]
    return list(pairwise(moments))[::-1]


def _written(moment: datetime) -> str:
    """As Search's documentation asks for times."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"


class _Counter:
    """A number that several threads add to."""

    def __init__(self, value: int) -> None:
        self.value = value
        self._lock = threading.Lock()

    def add(self, more: int) -> None:
        with self._lock:
            self.value += more
