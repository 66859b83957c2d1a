"""CloudTrail: the event history of the last 90 days, and trails that deliver events to S3. The front records both.

Other than AWS's, neither holds reads of the account's root, which is the dashboard here, and an event is in the
history at once.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from starlette.concurrency import run_in_threadpool

from local_aws.errors import ServiceError
from local_aws.protocol import Caller, Service
from local_aws.services.cloudtrail_delivery import TrailFiles
from local_aws.services.cloudtrail_event import utc
from local_aws.services.cloudtrail_recorder import Recorder
from local_aws.services.cloudtrail_store import COLUMNS, KEPT, Row, moment
from local_aws.services.cloudtrail_trail_calls import TrailCalls
from local_aws.services.iam_uses import Uses

PAGE = 50
AHEAD = timedelta(days=1)

Params = dict[str, Any]


class CloudTrail(TrailCalls, Service):
    """LookupEvents over what `recorder` has written down, and its trails. bucket_region: of a bucket by its name,
    raises ServiceError NoSuchBucket."""

    name = "cloudtrail"
    invalid_code = "InvalidParameterCombinationException"

    def __init__(
        self,
        recorder: Recorder,
        now: Callable[[], datetime],
        delivery: TrailFiles,
        bucket_region: Callable[[str], str],
        uses: Uses,
    ) -> None:
        self._recorder = recorder
        self.trails = recorder.trails
        self._now = now
        self._delivery = delivery
        self._bucket_region = bucket_region
        self._uses = uses

    async def start(self) -> None:
        self._uses.start()
        self._recorder.start()
        self._delivery.start()

    async def stop(self) -> None:
        await run_in_threadpool(self._delivery.stop)
        await run_in_threadpool(self._uses.stop)
        self._recorder.stop()  # closes the store of all three

    def lookup_events(self, params: Params, caller: Caller) -> Params:
        if params.get("EventCategory"):
            raise ServiceError(
                "InvalidEventCategoryException", "The embedded AWS records no insight events. Leave EventCategory out."
            )
        most = params.get("MaxResults", PAGE)
        if not 1 <= most <= PAGE:
            raise ServiceError("InvalidMaxResultsException", f"MaxResults lies between 1 and {PAGE}.")
        since, until = self._span(params)
        attribute = _attribute(params.get("LookupAttributes", []))
        asked = _digest(params, attribute, caller.region)
        before = _place(params["NextToken"], asked) if params.get("NextToken") else None
        self._recorder.settle()
        found = self._recorder.store.find(caller.region, attribute, since, until, before, most + 1)
        answer: Params = {"Events": [_told(row) for row in found[:most]]}
        if len(found) > most:
            number, at, _ = found[most - 1]
            answer["NextToken"] = base64.b64encode(json.dumps([asked, at, number]).encode()).decode()
        return answer

    def _span(self, params: Params) -> tuple[datetime, datetime]:
        now = self._now()
        since, until = utc(params.get("StartTime") or now - KEPT), utc(params.get("EndTime") or now + AHEAD)
        if since > until:
            raise ServiceError("InvalidTimeRangeException", "The start time is after the end time.")
        return max(since, now - KEPT), until


def _attribute(told: list[dict[str, str]]) -> tuple[str, str] | None:
    if len(told) > 1:
        raise ServiceError("InvalidLookupAttributesException", "One lookup attribute can be given, not more.")
    if told and told[0]["AttributeKey"] not in COLUMNS:
        raise ServiceError(
            "InvalidLookupAttributesException",
            f"{told[0]['AttributeKey']} is no lookup attribute. Use one of {', '.join(sorted(COLUMNS))}.",
        )
    return (told[0]["AttributeKey"], told[0]["AttributeValue"]) if told else None


def _digest(params: Params, attribute: tuple[str, str] | None, region: str) -> str:
    """What a token belongs to: it is of no use with other parameters, as AWS has it."""
    asked = (attribute, params.get("StartTime"), params.get("EndTime"), region)
    return hashlib.sha256(repr(asked).encode()).hexdigest()[:16]


def _place(token: str, asked: str) -> tuple[float, int]:
    try:
        of, at, number = json.loads(base64.b64decode(token, validate=True))
        place = float(at), int(number)
    except (ValueError, TypeError):
        of, place = "", (0.0, 0)
    if of != asked:
        raise ServiceError(
            "InvalidNextTokenException", "The token is not valid, or was given for another lookup. Look up again."
        )
    return place


def _told(row: Row) -> Params:
    _, at, text = row
    document = json.loads(text)
    resources = document.pop("resources")
    identity = document["userIdentity"]
    return {
        "EventId": document["eventID"],
        "EventName": document["eventName"],
        "ReadOnly": "true" if document.get("readOnly") else "false",
        "AccessKeyId": identity["accessKeyId"],
        "EventTime": moment(at),
        "EventSource": document["eventSource"],
        "Username": "root" if identity["type"] == "Root" else identity.get("userName") or identity["principalId"],
        "Resources": [{"ResourceType": kind, "ResourceName": name} for kind, name in resources],
        "CloudTrailEvent": json.dumps(document),
    }
