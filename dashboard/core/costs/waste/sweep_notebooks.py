"""Notebook instances that run while nobody works in them, as their own log tells it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.costs import charges
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.waste.expiry import expires, is_past
from dashboard.core.costs.waste.waste import DAY, Act, Evidence, Finding, Kind, Look, Thing, is_kennels, told
from dashboard.core.errors import NotFound

LOG_GROUP = "/aws/sagemaker/NotebookInstances"


def look(aws: Aws, prices: PriceBook, now: datetime, idle: timedelta) -> Look:
    """Raises the errors of `Aws.call`."""
    pages = aws.pages("sagemaker", "ListNotebookInstances", StatusEquals="InService")
    listed = [one for page in pages for one in page["NotebookInstances"]]
    found = [finding for one in listed for finding in _judge(one, aws, prices, now, idle)]
    return Look(len(listed), tuple(found))


def _judge(one: Mapping[str, Any], aws: Aws, prices: PriceBook, now: datetime, idle: timedelta) -> list[Finding]:
    name, started = one["NotebookInstanceName"], one["LastModifiedTime"]
    marks = tags.of_sagemaker(aws, one["NotebookInstanceArn"])
    reasons: list[tuple[Kind, Evidence]] = []
    until = expires(marks)
    if until and is_past(marks, now):
        reasons.append((Kind.EXPIRED, Evidence(f"it was to be stopped on {told(until)}", "tag kennel:expires")))
    if now - started >= idle:
        last = _last_line(aws, name)
        if last is None or now - last >= idle:
            since = f"since {told(last)}" if last else "at all"
            reasons.append(
                (Kind.IDLE_NOTEBOOK, Evidence(f"Jupyter logged nothing {since}", f"log stream {name}/jupyter.log"))
            )
    ours, kind = is_kennels(marks), one["InstanceType"]
    return [
        Finding(
            kind=why,
            thing=Thing.NOTEBOOK,
            name=name,
            nature=Nature.of(marks, is_embedded=aws.account.is_embedded),
            evidence=(evidence, Evidence(f"1 × {kind}, in service since {told(started)}", "ListNotebookInstances")),
            # its volume is paid for while it is stopped too, so that stopping saves the instance alone
            lines=charges.notebook(prices, kind, aws.account.region, started=now - DAY, ended=now),
            is_kennels=ours,
            acts=(Act.STOP,) if ours else (),
            receipt=f"notebook:{name}",
            expires=until,
        )
        for why, evidence in reasons
    ]


def _last_line(aws: Aws, name: str) -> datetime | None:
    """When Jupyter last logged something: it writes a line for what a person does. None when it never did."""
    try:
        told_streams = aws.call(
            "logs", "DescribeLogStreams", logGroupName=LOG_GROUP, logStreamNamePrefix=f"{name}/jupyter.log"
        )
    except NotFound:
        return None
    lasts = [one["lastEventTimestamp"] for one in told_streams["logStreams"] if one.get("lastEventTimestamp")]
    return datetime.fromtimestamp(max(lasts) / 1000, UTC) if lasts else None
