"""Notebook instances, those that are there and those that are gone: read, and made into receipts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.costs import charges
from dashboard.core.costs.ledger.switched import Life, notebook_lives
from dashboard.core.costs.ledger.trail import Happening
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Fact, Line, Nature, Receipt, Service
from dashboard.core.notebooks.model import NotebookStatus
from dashboard.core.parallel import gather

ON = ("InService", "Updating")
LAST_START = "CloudTrail tells nothing of its earlier starts and stops: counted from its last start"
SINCE_LAST = "CloudTrail tells nothing of its starts and stops: only its volume is counted"
FROM_START = "a start counts from when it was asked for: AWS bills from when the instance is there, minutes later"
NO_BEGINNING = "what it cost before CloudTrail's history is not told"
NO_TYPE = "CloudTrail does not tell what it ran on"
GONE = "it is gone, and CloudTrail does not tell (yet) when it was deleted"


def notebooks(aws: Aws, prices: PriceBook, now: datetime, happenings: Sequence[Happening]) -> tuple[Receipt, ...]:
    """Receipts of all notebook instances that are known. Raises the errors of `Aws.call`."""
    names = [
        one["NotebookInstanceName"]
        for page in aws.pages("sagemaker", "ListNotebookInstances")
        for one in page["NotebookInstances"]
    ]

    def look(name: str) -> tuple[dict[str, Any], dict[str, str]]:
        told = aws.call("sagemaker", "DescribeNotebookInstance", NotebookInstanceName=name)
        return told, tags.of_run(aws, told["NotebookInstanceArn"])

    there = {told["NotebookInstanceName"]: (told, marks) for told, marks in gather(look, names)}
    receipts = []
    for name, lives in notebook_lives(happenings).items():
        for life in lives:
            present = there.pop(name, None) if life is lives[-1] and life.ended is None else None
            receipts.append(_receipt(_joined(life, *present) if present else life, present, aws, prices, now))
    receipts += [_receipt(_untold(*present), present, aws, prices, now) for present in there.values()]
    return tuple(receipts)


def _joined(life: Life, told: Mapping[str, Any], marks: Mapping[str, str]) -> Life:
    """What CloudTrail tells of a notebook that is there, with what it is now."""
    is_on = told["NotebookInstanceStatus"] in ON
    size = told["InstanceType"]
    known = replace(
        life,
        created=min(told["CreationTime"], life.created),
        size=size,
        gigabytes=int(told.get("VolumeSizeInGB", life.gigabytes)),
        tags=marks or life.tags,
        on=tuple(replace(one, size=one.size or size) for one in life.on),
    )
    if is_on and not known.is_on:
        return known.switched_on(told["LastModifiedTime"])
    return known if is_on else known.switched_off(told["LastModifiedTime"])


def _untold(told: Mapping[str, Any], marks: Mapping[str, str]) -> Life:
    life = Life(
        told["NotebookInstanceName"],
        told["CreationTime"],
        size=told["InstanceType"],
        gigabytes=int(told.get("VolumeSizeInGB", 0)),
        tags=marks,
        began_before=True,
    )
    return life.switched_on(told["LastModifiedTime"]) if told["NotebookInstanceStatus"] in ON else life


def _receipt(
    life: Life, present: tuple[Mapping[str, Any], Mapping[str, str]] | None, aws: Aws, prices: PriceBook, now: datetime
) -> Receipt:
    account = aws.account
    told = present[0] if present else {}
    is_lost = present is None and life.ended is None
    ended = min(life.ended or now, now)
    begun = min(life.created, now)
    return Receipt(
        key=f"notebook:{life.name}" if present else f"notebook:{life.name}@{int(life.created.timestamp())}",
        name=life.name,
        service=Service.NOTEBOOKS,
        nature=Nature.of(life.tags, is_embedded=account.is_embedded),
        started=begun,
        ended=None if life.ended is None else max(begun, ended),
        lines=tuple(_lines(life, prices, account.region, now, is_lost=is_lost)),
        status=NotebookStatus(told["NotebookInstanceStatus"]).word if told else "deleted",
        project=life.tags.get(tags.PROJECT, ""),
        owner=life.tags.get(tags.OWNER, ""),
        instance_type=life.size,
        facts=tuple(
            Fact("DescribeNotebookInstance", name, str(told[name]))
            for name in ("NotebookInstanceStatus", "InstanceType", "VolumeSizeInGB", "CreationTime", "LastModifiedTime")
            if name in told
        ),
        notes=(_note(life, is_there=present is not None),),
    )


def _note(life: Life, *, is_there: bool) -> str:
    if not life.began_before:
        return FROM_START
    if not is_there:
        return NO_BEGINNING
    return LAST_START if life.on else SINCE_LAST


def _lines(life: Life, prices: PriceBook, region: str, now: datetime, *, is_lost: bool) -> list[Line]:
    lines: list[Line] = []
    begun = min(life.created, now)
    for one in life.on:
        started = min(one.started, now)
        if is_lost and one.ended is None:
            lines.append(
                Line("running until it was deleted", None, "instance-hours", None, None, started, now, "", GONE)
            )
        elif not one.size:
            ended = max(started, min(one.ended or now, now))
            lines.append(Line("running", None, "instance-hours", None, None, started, ended, "", NO_TYPE))
        else:
            ended = max(started, min(one.ended or now, now))
            lines += charges.notebook(prices, one.size, region, started=started, ended=ended)
    if life.gigabytes and not is_lost:
        ended = max(begun, min(life.ended or now, now))
        lines += charges.ml_storage(prices, region, gb=life.gigabytes, started=begun, ended=ended)
    if not lines and life.began_before:
        ended = max(begun, min(life.ended or now, now))
        lines.append(
            Line("before and after it ran", None, "instance-hours", None, None, begun, ended, "", NO_BEGINNING)
        )
    if not any(line.amount is not None for line in lines):
        return lines
    return [line if line.quantity is not None else replace(line, essential=False) for line in lines]
