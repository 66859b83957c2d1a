"""What a role was seen to do, from CloudTrail: the files of trails first, and the event history for what they lack.

The event history has management events only, of 90 days, and cannot be asked for one role: it is read from its newest
event on, so far as the bounds allow. Trails may tell data events too: objects, calls of endpoints and functions.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.costs.ledger.trail import Pace, at_once
from dashboard.core.errors import KennelError
from dashboard.core.iam.recorded import Recorded
from dashboard.core.iam.seen import trail_files
from dashboard.core.iam.seen.observed_events import MOST_RIGHTS, Tally
from dashboard.core.iam.seen.trail_files import Trail

HISTORY = timedelta(days=90)
LATE = timedelta(minutes=20)
"""So late CloudTrail may tell an event."""
MOST_PAGES = 30
"""Of the event history, 50 events each."""
SOURCE_HISTORY = "CloudTrail's event history"


def read(
    aws: Aws,
    role_arn: str,
    since: datetime,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    pace: Callable[[], None] | None = None,
    most_files: int = trail_files.MOST_FILES,
    most_pages: int = MOST_PAGES,
) -> Recorded:
    """The calls of a role's sessions since then, in this region. pace: called before each lookup in the history,
    of which a real account allows two a second.

    What could not be read is told in `partial`; no error of AWS is raised.
    """
    moment = now()
    since = max(since, moment - HISTORY)
    tally = Tally(role_arn, aws.account.where)
    reading = _Reading(aws, tally, since, moment)
    for trail in reading.trails():
        reading.files(trail, most_files)
    reading.history(pace or (at_once if aws.account.is_embedded else Pace()), most_pages)
    return reading.told(role_arn)


class _Reading:
    """One reading: what was read from where, from when on it is complete, and what is missing."""

    def __init__(self, aws: Aws, tally: Tally, since: datetime, now: datetime) -> None:
        self._aws, self._tally, self._since, self._now = aws, tally, since, now
        self._sources: list[str] = []
        self._partial: list[str] = []
        self._complete: list[datetime] = []
        self._newest: datetime | None = None
        self._tells_data = False

    def trails(self) -> tuple[Trail, ...]:
        try:
            return trail_files.trails_of(self._aws)
        except KennelError as problem:
            self._partial.append(f"Trails were not looked at: {problem.what}.")
            return ()

    def files(self, trail: Trail, most: int) -> None:
        name = self._tally.role_arn.rpartition("/")[2].encode()
        try:
            listing = trail_files.files_of(self._aws, trail, self._since, self._now, most)
        except KennelError as problem:
            self._partial.append(f"The files of the trail {trail.name} were not read: {problem.what}.")
            return
        failed: list[str] = []
        for _, events in trail_files.read(self._aws, trail, listing.files, lambda text: name in text):
            if isinstance(events, str):
                failed.append(events)
            else:
                self._tally.add(events, self._since)
        if failed:
            self._partial.append(
                f"{len(failed)} of {len(listing.files)} files of the trail {trail.name} could not be read: {failed[0]}."
            )
        if listing.is_cut:
            self._partial.append(
                f"Only the newest {len(listing.files)} files of the trail {trail.name} were read, "
                f"those since {listing.complete_from:%d %B %Y %H:%M} UTC."
            )
        if not listing.files and not listing.is_cut and trail.delivered and trail.delivered > self._since:
            self._partial.append(
                f"The trail {trail.name} delivered last on {trail.delivered:%d %B %Y}, and no file of it was found in "
                f"{trail.bucket} for this account and region."
            )
        if not trail.is_logging:
            self._partial.append(f"The trail {trail.name} is switched off.")
        self._sources.append(f"the trail {trail.name}")
        self._complete.append(max(listing.complete_from, trail.since or listing.complete_from))
        self._tells_data = self._tells_data or trail.tells_data
        if listing.files and trail.is_logging and not failed:
            at = listing.files[0].at
            self._newest = at if self._newest is None else min(self._newest, at)

    def history(self, pace: Callable[[], None], most_pages: int) -> None:
        """What no file tells yet, or everything where there are none."""
        since = self._since if self._newest is None else max(self._since, self._newest - LATE)
        pages, oldest, more = 0, self._now, True
        try:
            pace()
            for page in self._aws.pages("cloudtrail", "LookupEvents", limit=most_pages, StartTime=since):
                pages += 1
                events = page.get("Events", [])
                self._tally.add([one for told in events if (one := _document(told))], self._since)
                oldest = min([oldest, *(told["EventTime"] for told in events)])
                more = bool(page.get("NextToken"))
                if more and pages < most_pages:
                    pace()
        except KennelError as problem:
            self._partial.append(f"{SOURCE_HISTORY} was not read: {problem.what}.")
            return
        if more:
            self._partial.append(
                f"{SOURCE_HISTORY} was read back to {oldest:%d %B %Y %H:%M} UTC only: it holds many events of others."
            )
        if not self._complete:
            self._complete.append(oldest if more else since)
        self._sources.append(SOURCE_HISTORY)

    def told(self, role_arn: str) -> Recorded:
        if self._sources and not self._tells_data:
            self._partial.append(
                "No trail tells data events: what was done with objects in S3, and calls of endpoints and functions, "
                "are not among these."
            )
        if self._tally.unknown:
            many = sum(self._tally.unknown.values())
            names = ", ".join(sorted(self._tally.unknown)[:3])
            self._partial.append(f"{many} calls are left out, as it is not known which right they need ({names}).")
        if self._tally.left_out:
            self._partial.append(f"More than {MOST_RIGHTS:,} different rights were used; the others are left out.")
        return Recorded(
            role_arn,
            self._tally.calls,
            max(self._complete) if self._sources else None,
            " and ".join(self._sources),
            tuple(self._partial),
            lacks_data=bool(self._sources) and not self._tells_data,
        )


def _document(told: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The event within one of LookupEvents' answers; None for one that cannot be read."""
    try:
        document = json.loads(told["CloudTrailEvent"])
    except (KeyError, TypeError, ValueError):
        return None
    return document if isinstance(document, Mapping) else None
