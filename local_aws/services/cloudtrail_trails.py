"""Trails: which events each delivers, where to, and how its last delivery went. Kept in the store, read from memory."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from local_aws.protocol import Caller
from local_aws.services.cloudtrail_event import Event
from local_aws.services.cloudtrail_kinds import CallKind
from local_aws.services.cloudtrail_selectors import Facts, wants
from local_aws.store import Documents, Store

GLOBAL = ("iam.amazonaws.com",)
"""Sources of "global service events": they belong to no region."""
MOST_REMEMBERED = 4_096


@dataclass(frozen=True)
class Trail:
    """region: its home. delivered, tried: epoch seconds of the last file and of the last attempt; error: why that
    failed, as AWS calls it."""

    arn: str
    name: str
    region: str
    bucket: str
    prefix: str = ""
    multi_region: bool = False
    global_events: bool = True
    basic: tuple[Mapping[str, Any], ...] = ()
    advanced: tuple[Mapping[str, Any], ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    logging: bool = False
    started: float | None = None
    stopped: float | None = None
    delivered: float | None = None
    tried: float | None = None
    error: str = ""

    def is_of(self, region: str, source: str) -> bool:
        """Whether events of that region and source are its to deliver."""
        if source in GLOBAL:
            return self.global_events
        return self.multi_region or region == self.region

    def takes(self, facts: Facts, region: str) -> bool:
        return self.logging and self.is_of(region, facts.source) and wants(self.basic, self.advanced, facts)

    def described(self) -> dict[str, Any]:
        """As DescribeTrails tells it."""
        return {
            "Name": self.name,
            "S3BucketName": self.bucket,
            **({"S3KeyPrefix": self.prefix} if self.prefix else {}),
            "IncludeGlobalServiceEvents": self.global_events,
            "IsMultiRegionTrail": self.multi_region,
            "HomeRegion": self.region,
            "TrailARN": self.arn,
            "LogFileValidationEnabled": False,
            "HasCustomEventSelectors": bool(self.basic or self.advanced),
            "HasInsightSelectors": False,
            "IsOrganizationTrail": False,
        }


class Trails:
    """All trails by ARN. `may_want` is asked with every call that is answered here, so it remembers its answers."""

    def __init__(self, store: Store) -> None:
        self._kept = Documents(store, "cloudtrail-trail")
        self._lock = threading.Lock()
        self._by_arn = {one["arn"]: _trail(one) for one in self._kept.all()}
        self._remembered: dict[tuple[CallKind, str, str, str], bool] = {}

    def all(self) -> tuple[Trail, ...]:
        """By name."""
        return tuple(sorted(self._by_arn.values(), key=lambda one: (one.name, one.arn)))

    @property
    def current(self) -> Mapping[str, Trail]:
        """All by ARN as they are now; it does not change when they do."""
        return self._by_arn

    def get(self, arn: str) -> Trail | None:
        return self._by_arn.get(arn)

    def add(self, trail: Trail) -> bool:
        """False where there is one of that ARN."""
        with self._lock:
            if trail.arn in self._by_arn:
                return False
            self._put(trail)
            return True

    def change(self, arn: str, change: Callable[[Trail], Trail]) -> Trail | None:
        """The trail as it is now; None for one that is gone."""
        with self._lock:
            before = self._by_arn.get(arn)
            if before is None:
                return None
            after = change(before)
            if after != before:
                self._put(after)
            return after

    def remove(self, arn: str) -> bool:
        with self._lock:
            self._by_arn = {one: trail for one, trail in self._by_arn.items() if one != arn}
            self._remembered = {}
            return self._kept.delete(arn)

    def note_delivery(self, arn: str, at: float, error: str = "") -> None:
        """What came of an attempt to deliver."""
        self.change(arn, lambda one: replace(one, tried=at, error=error, delivered=one.delivered if error else at))

    def may_want(self, kind: CallKind, source: str, caller: Caller) -> bool:
        """Whether a trail could take such a call by that caller, whatever it is about."""
        if not self._by_arn:
            return False
        key = (kind, source, caller.arn, caller.region)
        found = self._remembered.get(key)
        if found is None:
            facts = Facts(kind.name, f"{source}.amazonaws.com", kind.read_only, caller.arn, kind.resource_type, None)
            found = any(one.takes(facts, caller.region) for one in self._by_arn.values())
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered = {}
            self._remembered[key] = found
        return found

    def _put(self, trail: Trail) -> None:
        self._kept.put(trail.arn, asdict(trail))
        self._by_arn = {**self._by_arn, trail.arn: trail}
        self._remembered = {}


def wanting(trails: Mapping[str, Trail], event: Event) -> tuple[Trail, ...]:
    """Those of some trails, as they were when it happened, that deliver an event."""
    if event.kind is None or not trails:
        return ()
    identity = str(event.document["userIdentity"]["arn"])
    arns = tuple(one["ARN"] for one in event.document.get("resources", ()))
    kind = event.kind
    facts = Facts(kind.name, event.source, kind.read_only, identity, kind.resource_type, arns)
    return tuple(one for one in trails.values() if one.takes(facts, event.region))


def _trail(kept: Mapping[str, Any]) -> Trail:
    return Trail(**{**kept, "basic": tuple(kept["basic"]), "advanced": tuple(kept["advanced"])})
