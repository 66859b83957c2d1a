"""Lambda on the bill: requests, the milliseconds that they ran, and environments that are kept ready.

What is kept ready is billed until it is disabled, also while this server is down, as AWS would bill it.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from local_aws.services.billing_journal import Journal, Usage, Used

log = logging.getLogger(__name__)

MINUTE = 60.0
Document = Mapping[str, Any]


@dataclass
class _Ran:
    """What one version of a function has run since a moment, and when last."""

    since: float
    tags: Mapping[str, str]
    until: float = 0.0
    requests: int = 0
    milliseconds: int = 0


class FunctionMeters:
    """now: epoch seconds."""

    def __init__(self, journal: Journal, *, now: Callable[[], float] = time.time) -> None:
        self._journal = journal
        self._now = now
        self._ran: dict[tuple[str, int, str, bool], _Ran] = {}
        self._lock = threading.Lock()

    def ran(self, document: Document, version: str, milliseconds: int, ready: bool) -> None:
        """A request was answered. ready: in an environment that had been kept ready, which has a rate of its own."""
        told = document["Versions"].get(version, document["Latest"])
        key = str(told["FunctionArn"]), int(told["MemorySize"]), str(told["Architectures"][0]), ready
        now = self._now()
        with self._lock:
            one = self._ran.setdefault(key, _Ran(now, document["Tags"]))
            one.requests += 1
            one.milliseconds += milliseconds
            one.until = now

    def write(self, *, everything: bool = False) -> None:
        """Requests are added up for a minute, so that one costs no write. everything: also those of this minute."""
        now = self._now()
        with self._lock:
            due = {key: one for key, one in self._ran.items() if everything or now - one.since >= MINUTE}
            for key in due:
                del self._ran[key]
        for (arn, memory, architecture, ready), one in due.items():
            thing = f"{arn} {memory} {architecture}{' ready' if ready else ''}"
            requests = Usage(
                Used.FUNCTION_REQUESTS,
                f"{thing} requests",
                arn.split(":")[3],
                one.since,
                str(memory),
                one.requests,
                ended=one.until,
                detail=architecture,
                tags=one.tags,
            )
            used = Used.PROVISIONED_SECONDS if ready else Used.FUNCTION_SECONDS
            ran = replace(requests, used=used, thing=f"{thing} seconds", size=1, seconds=one.milliseconds / 1000)
            self._add(requests, ran)

    def kept(self, documents: Iterable[Document]) -> None:
        """What is kept ready at this moment, of all functions."""
        now = self._now()
        things = [
            _kept(document, qualifier, int(one["Count"]), now)
            for document in documents
            for qualifier, one in document["Provisioned"].items()
        ]
        try:
            self._journal.there("lambda", things, now)
        except sqlite3.Error:  # the next change says it again
            log.exception("the billing journal")

    def _add(self, *usages: Usage) -> None:
        try:
            self._journal.add(*usages)
        except sqlite3.Error:  # a full disk must not keep functions from answering
            log.exception("the billing journal")


def _kept(document: Document, qualifier: str, count: int, now: float) -> Usage:
    """What is kept ready for an alias or a version, which has a size of its own, whatever $LATEST has become."""
    arn = str(document["Latest"]["FunctionArn"])
    alias = document["Aliases"].get(qualifier)
    version = document["Versions"][alias["FunctionVersion"] if alias else qualifier]
    memory, architecture = str(version["MemorySize"]), str(version["Architectures"][0])
    return Usage(
        Used.PROVISIONED,
        f"{arn}:{qualifier}",
        arn.split(":")[3],
        now,
        memory,
        count,
        detail=architecture,
        tags=document["Tags"],
    )
