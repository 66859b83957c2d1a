"""One event of CloudTrail as the rights that its call needed, and many of them counted. Pure.

Source of the form: CloudTrail User Guide, "CloudTrail record contents" and "userIdentity element".
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dashboard.core.aws_errors import DENIAL, DENIED
from dashboard.core.iam.actions import canonical, known
from dashboard.core.iam.recorded import RecordedCall
from dashboard.core.iam.requests import UnknownRequest, rights_of
from dashboard.core.iam.rights import ANYTHING, Right, Where

MOST_RIGHTS = 5_000
"""Different rights that are kept of one role; a role that writes a million objects needs no million lines."""
_SERVICES = {
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "autoscaling": "application-autoscaling",
    "elasticfilesystem": "efs",
}
"""botocore's name of a service, where an event's source has another."""
_PREFIXES = {"monitoring": "cloudwatch"}
_RUNTIME = ("InvokeEndpoint", "InvokeEndpointAsync", "InvokeEndpointWithResponseStream")
_DATED = re.compile(r"\d{4}_?\d{2}_?\d{2}(v\d+)?$")  # CreateFunction20150331
_S3 = {"bucketName": "Bucket", "x-amz-copy-source": "CopySource", "versionId": "VersionId", "max-keys": "MaxKeys"}
_EC2_SETS = {
    "instancesSet": ("InstanceIds", "instanceId"),
    "resourcesSet": ("Resources", "resourceId"),
    "groupSet": ("SecurityGroupIds", "groupId"),
    "volumeSet": ("VolumeIds", "volumeId"),
}


@dataclass
class Tally:
    """Counts what one role did. Each event counts once, however often it is told of."""

    role_arn: str
    where: Where
    unknown: dict[str, int] = field(default_factory=dict)
    """Calls of which no table says what they need, by "service:Operation"."""
    left_out: int = 0
    _seen: set[str] = field(default_factory=set)
    _calls: dict[tuple[Right, Any], "_Count"] = field(default_factory=dict)

    def add(self, events: Iterable[Mapping[str, Any]], since: datetime) -> None:
        """Count those that the role did since then; events of another form are passed over."""
        for one in events:
            try:
                at = _moment(one["eventTime"])
                identity = one["userIdentity"]
                if at < since or not is_of(identity, self.role_arn) or one["eventID"] in self._seen:
                    continue
                self._seen.add(one["eventID"])
                self._count(one, at, str(identity["arn"]).rpartition("/")[2])
            except (KeyError, TypeError, ValueError, AttributeError):
                continue  # somebody else's event in a form that nobody foresaw must not hide all others

    @property
    def calls(self) -> tuple[RecordedCall, ...]:
        """The most used first."""
        found = [
            RecordedCall(right, one.count, one.first, one.last, one.denied, tuple(sorted(one.sessions)))
            for (right, _), one in self._calls.items()
        ]
        return tuple(sorted(found, key=lambda one: (-one.count, one.right.action, one.right.resource)))

    def _count(self, event: Mapping[str, Any], at: datetime, session: str) -> None:
        rights = rights_in(event, self.where)
        if rights is None:
            name = f"{source_of(event)}:{event['eventName']}"
            self.unknown[name] = self.unknown.get(name, 0) + 1
            return
        denied = is_denied(event)
        for right in _lacking(event, rights) if denied else rights:
            key = (right, tuple(sorted(right.context.items())))
            if key not in self._calls:
                if len(self._calls) >= MOST_RIGHTS:
                    self.left_out += 1
                    continue
                self._calls[key] = _Count(at, at)
            self._calls[key].note(at, session, denied=denied)


@dataclass
class _Count:
    first: datetime
    last: datetime
    count: int = 0
    denied: int = 0
    sessions: set[str] = field(default_factory=set)

    def note(self, at: datetime, session: str, *, denied: bool) -> None:
        self.first, self.last = min(self.first, at), max(self.last, at)
        self.count += 1
        self.denied += denied
        self.sessions.add(session)


def is_of(identity: Mapping[str, Any], role_arn: str) -> bool:
    """Whether a session of the role did it. A session's ARN does not tell the role's path, and names are unique."""
    if identity.get("type") != "AssumedRole":
        return False
    issuer = (identity.get("sessionContext") or {}).get("sessionIssuer") or {}
    told = str(issuer.get("arn") or "")
    if not told:
        parts = str(identity.get("arn", "")).split(":", 5)
        told = f"arn:{parts[1]}:iam::{parts[4]}:{parts[5].rpartition('/')[0]}" if len(parts) == 6 else ""
    return _account_and_name(told) == _account_and_name(role_arn)


def is_denied(event: Mapping[str, Any]) -> bool:
    """Whether the call was refused for want of a right."""
    return str(event.get("errorCode") or "").removeprefix("Client.") in DENIED


def source_of(event: Mapping[str, Any]) -> str:
    """The prefix of actions of an event's source: "monitoring.amazonaws.com" → "cloudwatch"."""
    source = str(event["eventSource"]).partition(".")[0]
    return _PREFIXES.get(source, source)


def rights_in(event: Mapping[str, Any], where: Where) -> tuple[Right, ...] | None:
    """What the call needed; () for one that needs nothing; None where that is not known."""
    source = str(event["eventSource"]).partition(".")[0]
    name = str(event["eventName"])
    service = "sagemaker-runtime" if name in _RUNTIME else _SERVICES.get(source, source)
    at = Where(where.account, str(event.get("awsRegion") or where.region), where.partition)
    try:
        return rights_of(service, name, parameters(service, event.get("requestParameters") or {}), at)
    except UnknownRequest:
        action = f"{source_of(event)}:{_DATED.sub('', name)}"
        return (Right(canonical(action), ANYTHING),) if known(action) else None


def parameters(service: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """An event's requestParameters as boto3 takes them."""
    if service == "s3":
        return {_S3.get(name, _upper(name)): one for name, one in asked.items()}
    if service == "ec2":
        return dict(_of_ec2(asked))
    # some services' own members begin with small letters too (logGroupName): those stay beside the others
    return {**{_upper(name): _capitalised(one) for name, one in asked.items()}, **asked}


def _of_ec2(asked: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """EC2's events put lists into sets of items, and name them as its older protocol did."""
    for name, one in asked.items():
        items = one.get("items") if isinstance(one, Mapping) else None
        if items is None:
            yield _upper(name), _capitalised(one)
        elif name == "tagSpecificationSet":
            tags = [{"ResourceType": i.get("resourceType"), "Tags": _capitalised(i.get("tags") or [])} for i in items]
            yield "TagSpecifications", tags
        elif name == "tagSet":
            yield "Tags", _capitalised(items)
        elif name in _EC2_SETS:
            member, inner = _EC2_SETS[name]
            yield member, [item[inner] for item in items if inner in item]
            if name == "instancesSet" and items and "imageId" in items[0]:
                yield "ImageId", items[0]["imageId"]
        else:
            yield _upper(name), _capitalised(items)


def _capitalised(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_upper(str(name)): _capitalised(one) for name, one in value.items()}
    return [_capitalised(one) for one in value] if isinstance(value, list) else value


def _upper(name: str) -> str:
    return name[:1].upper() + name[1:]


def _lacking(event: Mapping[str, Any], rights: tuple[Right, ...]) -> tuple[Right, ...]:
    """Of a refused call, the right it lacked as far as the message says; the others may be there or not."""
    found = DENIAL.search(str(event.get("errorMessage") or ""))
    named = tuple(one for one in rights if found and one.action.lower() == found["action"].lower())
    return named or rights


def _account_and_name(role_arn: str) -> tuple[str, str]:
    parts = role_arn.split(":", 5)
    return (parts[4], parts[5].rpartition("/")[2]) if len(parts) == 6 else ("", role_arn)


def _moment(told: str) -> datetime:
    moment = datetime.fromisoformat(told.replace("Z", "+00:00"))
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
