"""What EC2 charges for beside running instances: volumes that no running one uses, and addresses that are kept.

The volume and the address of a training's instance are on the receipt of its run for as long as that ran.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.costs import charges
from dashboard.core.costs.ledger.trail import Happening
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Fact, Line, Nature, Receipt, Service
from dashboard.core.runs.model import Run

AFTER_RUN = "counted from the end of {}, whose receipt has what it cost before"
NO_BEGINNING = "CloudTrail does not tell since when it is kept"


def volumes(aws: Aws, prices: PriceBook, now: datetime, runs: Sequence[Run]) -> tuple[Receipt, ...]:
    """Receipts of the volumes that no running instance uses. Raises the errors of `Aws.call`."""
    found = [one for page in aws.pages("ec2", "DescribeVolumes") for one in page["Volumes"]]
    attached = sorted({where["InstanceId"] for one in found for where in one.get("Attachments", [])})
    stopped = _stopped(aws) if attached else frozenset()
    ended = {run.instance_id: run for run in runs if run.instance_id}
    by_name = {run.name: run for run in runs if run.is_on_ec2}
    receipts = []
    for one in found:
        instances = [where["InstanceId"] for where in one.get("Attachments", [])]
        if one["State"] != "available" and not (instances and set(instances) <= stopped):
            continue
        marks = tags.as_dict(one.get("Tags", []))
        run = next((ended[name] for name in instances if name in ended), None) or by_name.get(marks.get(tags.RUN, ""))
        if instances and run is None and marks.get(tags.MADE_BY) != tags.KENNEL:
            continue  # somebody else's stopped machine is theirs, all of it
        receipts.append(_volume(one, marks, run, aws, prices, now))
    return tuple(receipts)


def addresses(aws: Aws, prices: PriceBook, now: datetime, happenings: Sequence[Happening]) -> tuple[Receipt, ...]:
    """Receipts of the addresses that the account keeps. Raises the errors of `Aws.call`."""
    since = {str(one.asked.get("allocationId", "")): one.at for one in happenings if one.name == "AllocateAddress"}
    found = aws.call("ec2", "DescribeAddresses")["Addresses"]
    return tuple(_address(one, since.get(one.get("AllocationId", "")), aws, prices, now) for one in found)


def _stopped(aws: Aws) -> frozenset[str]:
    filters = [{"Name": "instance-state-name", "Values": ["stopped"]}]
    pages = aws.pages("ec2", "DescribeInstances", Filters=filters)
    return frozenset(
        one["InstanceId"] for page in pages for group in page["Reservations"] for one in group["Instances"]
    )


def _volume(
    one: Mapping[str, Any], marks: Mapping[str, str], run: Run | None, aws: Aws, prices: PriceBook, now: datetime
) -> Receipt:
    account = aws.account
    started = min(one["CreateTime"], now)
    if run is not None and run.ended is not None:
        started = min(max(started, run.ended), now)
    kind = str(one.get("VolumeType", ""))
    return Receipt(
        key=f"volume:{one['VolumeId']}",
        name=one["VolumeId"],
        service=Service.EC2,
        nature=Nature.of(marks, is_embedded=account.is_embedded),
        started=started,
        ended=None,
        lines=charges.volume(prices, account.region, gb=int(one["Size"]), started=started, ended=now, kind=kind),
        status="attached to nothing" if one["State"] == "available" else "of a stopped instance",
        project=marks.get(tags.PROJECT, ""),
        owner=marks.get(tags.OWNER, ""),
        facts=(
            Fact("DescribeVolumes", "State", one["State"]),
            Fact("DescribeVolumes", "Size", f"{one['Size']} GB"),
            Fact("DescribeVolumes", "VolumeType", kind),
            Fact("DescribeVolumes", "CreateTime", one["CreateTime"].isoformat(timespec="seconds")),
        ),
        notes=(AFTER_RUN.format(run.name),) if run is not None else (),
    )


def _address(one: Mapping[str, Any], since: datetime | None, aws: Aws, prices: PriceBook, now: datetime) -> Receipt:
    account = aws.account
    marks = tags.as_dict(one.get("Tags", []))
    name = one.get("AllocationId") or one["PublicIp"]
    started = now if since is None else min(since, now)
    lines: tuple[Line, ...] = charges.address(prices, account.region, started=started, ended=now)
    if since is None:
        lines = (Line("public IPv4 address", None, "hours", lines[0].price, None, now, now, "", NO_BEGINNING),)
    used = one.get("InstanceId") or one.get("NetworkInterfaceId") or one.get("AssociationId")
    return Receipt(
        key=f"address:{name}",
        name=name,
        service=Service.EC2,
        nature=Nature.of(marks, is_embedded=account.is_embedded),
        started=started,
        ended=None,
        lines=lines,
        status="in use" if used else "unused",
        project=marks.get(tags.PROJECT, ""),
        owner=marks.get(tags.OWNER, ""),
        facts=(Fact("DescribeAddresses", "PublicIp", one.get("PublicIp", "")),),
    )
