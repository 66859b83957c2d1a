"""Watch runs: list them, look at one, read its log, stop it."""

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.errors import InvalidInput, NotFound
from dashboard.core.parallel import gather
from dashboard.core.runs.describe import run_from
from dashboard.core.runs.log import LogLine, LogPage, read_log
from dashboard.core.runs.model import Run
from dashboard.core.runs.progress import Progress, progress

__all__ = [
    "LogLine",
    "LogPage",
    "Progress",
    "RunCache",
    "get_run",
    "list_runs",
    "progress",
    "read_log",
    "stop",
]

PAGE = 100
FOREVER = 5_000


class RunCache:
    """Runs that have ended, and tags, of ONE account and region: they need not be asked for again.

    A run that has ended is kept with the moment of its last change, and asked for again only when that differs.
    Safe to share between threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[str, tuple[datetime | None, Run]] = {}
        self._tags: dict[str, Mapping[str, str]] = {}

    def ended(self, name: str, modified: datetime | None) -> Run | None:
        """The run as it is known, if it has ended and is listed as not modified since."""
        with self._lock:
            known, run = self._runs.get(name, (None, None))
        return run if known == modified else None

    def tags(self, arn: str, created: datetime) -> Mapping[str, str] | None:
        """The tags of a run that was seen before."""
        # A deleted run's name can be used again, and its ARN with it.
        with self._lock:
            return self._tags.get(f"{arn} {created}")

    def keep(self, run: Run, modified: datetime | None) -> None:
        """Remember a run that is listed as last modified then."""
        with self._lock:
            self._tags[f"{run.arn} {run.created}"] = run.tags
            if run.status.is_final:
                self._runs[run.name] = (modified, run)
            for store in (self._runs, self._tags):
                while len(store) > FOREVER:
                    del store[next(iter(store))]


def list_runs(aws: Aws, limit: int = 200, cache: RunCache | None = None) -> tuple[Run, ...]:
    """The newest `limit` training runs, newest first. With a `cache`, only runs that changed are described again."""
    summaries: list[Mapping[str, Any]] = []
    for page in aws.pages(
        "sagemaker",
        "ListTrainingJobs",
        limit=-(-limit // PAGE),
        SortBy="CreationTime",
        SortOrder="Descending",
        PaginationConfig={"PageSize": min(limit, PAGE)},
    ):
        summaries += page["TrainingJobSummaries"]
        if len(summaries) >= limit:
            break

    def look(summary: Mapping[str, Any]) -> Run | None:
        name, modified = summary["TrainingJobName"], summary.get("LastModifiedTime")
        known = cache.ended(name, modified) if cache else None
        if known:
            return known
        try:
            run = get_run(aws, name, cache)
        except NotFound:
            return None  # deleted since it was listed
        if cache:
            cache.keep(run, modified)
        return run

    return tuple(run for run in gather(look, summaries[:limit]) if run)


def get_run(aws: Aws, name: str, cache: RunCache | None = None) -> Run:
    """One run as it is now. Raises NotFound."""
    try:
        answer = aws.call("sagemaker", "DescribeTrainingJob", TrainingJobName=name)
    except NotFound as missing:
        raise NotFound(
            f"there is no run named {name}",
            "this account has none of that name in this region",
            "choose one under All runs",
        ) from missing
    arn = answer["TrainingJobArn"]
    known = cache.tags(arn, answer["CreationTime"]) if cache else None
    run = run_from(answer, tags.of_sagemaker(aws, arn) if known is None else known)
    if cache:
        cache.keep(run, run.modified)
    return run


def stop(aws: Aws, name: str) -> Run:
    """Ask a run to stop and return it as it is then. A run that has ended or is stopping is left as it is.

    Raises NotFound, and the errors of `Aws.call`.
    """
    if not get_run(aws, name).status.can_stop:
        return get_run(aws, name)
    try:
        aws.call("sagemaker", "StopTrainingJob", TrainingJobName=name)
    except InvalidInput:
        if not get_run(aws, name).status.is_final:
            raise
        # It ended between the look and the call.
    return get_run(aws, name)
