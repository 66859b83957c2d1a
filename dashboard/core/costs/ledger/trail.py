"""What CloudTrail tells of things that cost money for as long as they are there: made, changed, started, deleted.

CloudTrail's event history holds 90 days, tells an event up to 15 minutes late, and allows two lookups a second.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dashboard.core.aws import Aws

HISTORY = timedelta(days=90)
LATE = timedelta(minutes=20)
MOST_PAGES = 200
NAMES = (
    "CreateEndpointConfig",
    "CreateEndpoint",
    "UpdateEndpoint",
    "UpdateEndpointWeightsAndCapacities",
    "DeleteEndpoint",
    "CreateNotebookInstance",
    "StartNotebookInstance",
    "StopNotebookInstance",
    "UpdateNotebookInstance",
    "DeleteNotebookInstance",
    "PutProvisionedConcurrencyConfig",
    "DeleteProvisionedConcurrencyConfig",
    "AllocateAddress",
)
IN_SERVICE = "InService"
"""No event of CloudTrail's: that an endpoint came into service, as Kennel saw it."""
LAST_SEEN = "LastSeen"
"""Nor that: until when Kennel saw an endpoint being billed that was gone when it looked again."""
KNOWN = (*NAMES, IN_SERVICE, LAST_SEEN)
"""The names that a happening may have, in the order in which they follow each other within a second."""
_MEMBERS = (
    "endpointName",
    "endpointConfigName",
    "retainAllVariantProperties",
    "notebookInstanceName",
    "instanceType",
    "volumeSizeInGB",
    "functionName",
    "qualifier",
    "provisionedConcurrentExecutions",
)
_VARIANT = ("variantName", "instanceType", "initialInstanceCount", "desiredInstanceCount")


@dataclass(frozen=True)
class Happening:
    """One event that changed something: `asked` holds what its cost depends on, `tags` what it was marked with."""

    id: str
    at: datetime
    name: str
    asked: Mapping[str, Any] = field(default_factory=dict)
    variants: tuple[Mapping[str, Any], ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Pace:
    """Lets no two lookups begin within `apart` seconds of each other. clock: seconds that only go forward."""

    apart: float = 0.5  # CloudTrail allows an account two a second
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _next: float = 0.0

    def __call__(self) -> None:
        wait = self._next - self.clock()
        if wait > 0:
            self.sleep(wait)
        self._next = self.clock() + self.apart


def at_once() -> None:
    """No pace: for an AWS that is this machine."""


def read_trail(aws: Aws, since: datetime, pace: Callable[[], None] = at_once) -> list[Happening]:
    """What happened since then, oldest first; refused calls are left out. `pace` is called before each lookup.

    Raises the errors of `Aws.call`.
    """

    def look(name: str) -> Iterator[Happening]:
        pages = aws.pages(
            "cloudtrail",
            "LookupEvents",
            limit=MOST_PAGES,
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}],
            StartTime=since,
        )
        pace()
        for page in pages:
            yield from (one for told in page.get("Events", []) if (one := happening(told)) is not None)
            if page.get("NextToken"):
                pace()

    # One after the other: side by side they would be more than CloudTrail allows.
    return in_order(one for name in NAMES for one in look(name))


def in_order(happenings: Iterable[Happening]) -> list[Happening]:
    """Each once, oldest first; in the same second a configuration is there before the endpoint that is made from it."""
    once = {one.id: one for one in happenings}
    return sorted(once.values(), key=lambda one: (one.at, KNOWN.index(one.name), one.id))


def happening(told: Mapping[str, Any]) -> Happening | None:
    """From one of LookupEvents' events; None for a call that was refused, or for an event that cannot be read."""
    try:
        document = json.loads(told["CloudTrailEvent"])
        asked = document.get("requestParameters")
        if document.get("errorCode") or not isinstance(asked, Mapping) or told["EventName"] not in NAMES:
            return None
        return Happening(
            id=str(told["EventId"]),
            at=told["EventTime"],
            name=str(told["EventName"]),
            asked={name: asked[name] for name in _MEMBERS if name in asked} | _given(document),
            variants=_variants(asked.get("productionVariants") or asked.get("desiredWeightsAndCapacities")),
            tags={str(one["key"]): str(one.get("value", "")) for one in asked.get("tags") or [] if "key" in one},
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None  # somebody else's event in a form that nobody foresaw must not hide all others


def _given(document: Mapping[str, Any]) -> dict[str, Any]:
    """What AWS named a thing itself."""
    told = document.get("responseElements")
    return {"allocationId": told["allocationId"]} if isinstance(told, Mapping) and "allocationId" in told else {}


def _variants(told: Any) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(told, Sequence):
        return ()
    return tuple(
        {name: one[name] for name in _VARIANT if name in one}
        | ({"serverless": True} if "serverlessConfig" in one else {})
        for one in told
        if isinstance(one, Mapping)
    )
