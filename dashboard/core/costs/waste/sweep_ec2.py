"""EC2: instances that are past their time or stopped with volumes, volumes and addresses that nothing uses."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.costs import charges
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Line, Nature
from dashboard.core.costs.waste.expiry import expires, is_past
from dashboard.core.costs.waste.waste import DAY, Act, Evidence, Finding, Kind, Look, Thing, is_kennels, told
from dashboard.core.format import count

SPOT = "it pays the spot price, which moves and is not read for it"
_STOPPED_AT = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:GMT|UTC)\)")


def instances(aws: Aws, prices: PriceBook, now: datetime) -> Look:
    """Instances past their time, and stopped ones whose volumes are kept. Raises the errors of `Aws.call`."""
    states = [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]
    pages = aws.pages("ec2", "DescribeInstances", Filters=states)
    found = [one for page in pages for group in page["Reservations"] for one in group["Instances"]]
    stopped = [one for one in found if one["State"]["Name"] == "stopped"]
    volumes = _volumes_of(aws, stopped) if stopped else {}
    findings = [_stopped(one, volumes, aws, prices, now) for one in stopped if _volume_ids(one)]
    findings += [
        _expired(one, aws, prices, now)
        for one in found
        if one["State"]["Name"] in ("pending", "running") and is_past(_tags(one), now)
    ]
    return Look(len(found), tuple(findings))


def volumes(aws: Aws, prices: PriceBook, now: datetime) -> Look:
    """Volumes that are attached to nothing. Raises the errors of `Aws.call`."""
    all_volumes = [one for page in aws.pages("ec2", "DescribeVolumes") for one in page["Volumes"]]
    loose = [one for one in all_volumes if one["State"] == "available"]
    return Look(len(all_volumes), tuple(_loose_volume(one, aws, prices, now) for one in loose))


def addresses(aws: Aws, prices: PriceBook, now: datetime) -> Look:
    """Addresses that nothing uses. Raises the errors of `Aws.call`."""
    found = aws.call("ec2", "DescribeAddresses")["Addresses"]
    return Look(len(found), tuple(_loose_address(one, aws, prices, now) for one in found if is_loose(one)))


def is_loose(address: Mapping[str, Any]) -> bool:
    """Whether nothing uses an address (of DescribeAddresses)."""
    return not any(address.get(name) for name in ("AssociationId", "InstanceId", "NetworkInterfaceId"))


def _stopped(
    one: Mapping[str, Any], volumes: Mapping[str, Mapping[str, Any]], aws: Aws, prices: PriceBook, now: datetime
) -> Finding:
    marks, ids = _tags(one), _volume_ids(one)
    since = _STOPPED_AT.search(one.get("StateTransitionReason", ""))
    at = datetime.fromisoformat(since[1]).replace(tzinfo=UTC) if since else None
    when = f"stopped since {told(at)}" if at else "stopped"
    known = [volumes[name] for name in ids if name in volumes]
    sizes = ", ".join(f"{name} ({volumes[name]['Size']} GB)" if name in volumes else name for name in ids)
    missing = len(ids) - len(known)
    return Finding(
        kind=Kind.STOPPED_INSTANCE,
        thing=Thing.INSTANCE,
        name=one["InstanceId"],
        of=_of(marks),
        nature=Nature.of(marks, is_embedded=aws.account.is_embedded),
        evidence=(
            Evidence(when, "DescribeInstances StateTransitionReason"),
            Evidence(f"{count(len(ids), 'volume')} kept for it: {sizes}", "DescribeVolumes"),
        ),
        lines=() if missing else tuple(line for one in known for line in _volume_lines(one, aws, prices, now)),
        why_unknown=f"{count(missing, 'volume')} of it could not be read" if missing else "",
        is_kennels=is_kennels(marks),
        acts=(Act.DELETE,) if is_kennels(marks) else (),
        receipt=f"volume:{ids[0]}" if len(ids) == 1 else "",
    )


def _expired(one: Mapping[str, Any], aws: Aws, prices: PriceBook, now: datetime) -> Finding:
    marks, until = _tags(one), expires(_tags(one))
    return Finding(
        kind=Kind.EXPIRED,
        thing=Thing.INSTANCE,
        name=one["InstanceId"],
        of=_of(marks),
        nature=Nature.of(marks, is_embedded=aws.account.is_embedded),
        evidence=(
            Evidence(f"it was to be gone on {told(until)}" if until else "", "tag kennel:expires"),
            Evidence(f"1 × {one['InstanceType']}, started on {told(one['LaunchTime'])}", "DescribeInstances"),
        ),
        lines=_running(one, prices, aws.account.region, now),
        is_kennels=is_kennels(marks),
        acts=(Act.STOP, Act.DELETE) if is_kennels(marks) else (),
        expires=until,
    )


def _running(one: Mapping[str, Any], prices: PriceBook, region: str, now: datetime) -> tuple[Line, ...]:
    """A day of it, with the public address that it has; not of its volumes, which stay when it is stopped."""
    has_address = bool(one.get("PublicIpAddress"))
    kind = one["InstanceType"]
    lines = charges.ec2(prices, kind, region, started=now - DAY, ended=now, public_address=has_address)
    if one.get("InstanceLifecycle") != "spot":
        return lines
    spot = replace(lines[0], what=f"{kind}, spot", price=None, amount=None, why_unknown=SPOT)
    return (spot, *lines[1:])


def _loose_volume(one: Mapping[str, Any], aws: Aws, prices: PriceBook, now: datetime) -> Finding:
    marks = _tags(one)
    return Finding(
        kind=Kind.LOOSE_VOLUME,
        thing=Thing.VOLUME,
        name=one["VolumeId"],
        of=_of(marks),
        nature=Nature.of(marks, is_embedded=aws.account.is_embedded),
        evidence=(
            Evidence(
                f"{one['Size']} GB {one.get('VolumeType', 'of an unknown type')}, attached to nothing",
                "DescribeVolumes State available",
            ),
            Evidence(f"made on {told(one['CreateTime'])}", "DescribeVolumes CreateTime"),
        ),
        lines=_volume_lines(one, aws, prices, now),
        is_kennels=is_kennels(marks),
        acts=(Act.DELETE,) if is_kennels(marks) else (),
        receipt=f"volume:{one['VolumeId']}",
    )


def _loose_address(one: Mapping[str, Any], aws: Aws, prices: PriceBook, now: datetime) -> Finding:
    marks, name = _tags(one), one.get("AllocationId") or one["PublicIp"]
    return Finding(
        kind=Kind.LOOSE_ADDRESS,
        thing=Thing.ADDRESS,
        name=name,
        of=_of(marks),
        nature=Nature.of(marks, is_embedded=aws.account.is_embedded),
        evidence=(Evidence(f"{one['PublicIp']} belongs to no instance", "DescribeAddresses AssociationId"),),
        lines=charges.address(prices, aws.account.region, started=now - DAY, ended=now),
        is_kennels=is_kennels(marks),
        acts=(Act.DELETE,) if is_kennels(marks) and one.get("AllocationId") else (),
        receipt=f"address:{name}",
    )


def _volume_lines(one: Mapping[str, Any], aws: Aws, prices: PriceBook, now: datetime) -> tuple[Line, ...]:
    kind = one.get("VolumeType", "unknown")
    return charges.volume(prices, aws.account.region, gb=one["Size"], started=now - DAY, ended=now, kind=kind)


def _volumes_of(aws: Aws, stopped: list[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    ids = [name for one in stopped for name in _volume_ids(one)]
    return {one["VolumeId"]: one for chunk in _chunks(ids) for one in _described(aws, chunk)}


def _described(aws: Aws, ids: list[str]) -> Iterator[Mapping[str, Any]]:
    # by filter: a volume that is gone meanwhile is left out, where VolumeIds would fail for all of them
    for page in aws.pages("ec2", "DescribeVolumes", Filters=[{"Name": "volume-id", "Values": ids}]):
        yield from page["Volumes"]


def _chunks(ids: list[str], size: int = 200) -> Iterator[list[str]]:
    for first in range(0, len(ids), size):
        yield ids[first : first + size]


def _volume_ids(one: Mapping[str, Any]) -> list[str]:
    mapped = one.get("BlockDeviceMappings", [])
    return [device["Ebs"]["VolumeId"] for device in mapped if device.get("Ebs", {}).get("VolumeId")]


def _tags(one: Mapping[str, Any]) -> dict[str, str]:
    return tags.as_dict(one.get("Tags", ()))


def _of(marks: Mapping[str, str]) -> str:
    """The run that it belongs to, or a person's own name for it; "" without one."""
    return marks.get(tags.RUN) or marks.get("Name", "")
