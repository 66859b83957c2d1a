"""The endpoints of an account, those that are there and those that are gone: read, and made into receipts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.costs.ledger.endpoint_receipt import endpoint_receipt
from dashboard.core.costs.ledger.endpoint_seen import came_into_service, last_seen, seen, untold_configs, variant_of
from dashboard.core.costs.ledger.lifetimes import NEVER_SERVED, Fleet, Present, endpoint_lifetimes
from dashboard.core.costs.ledger.trail import Happening
from dashboard.core.costs.ledger.trail_book import TrailBook
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Receipt
from dashboard.core.costs.waste import schedule as waste_schedule
from dashboard.core.errors import AccessDenied, NotFound, ServiceFault
from dashboard.core.parallel import gather
from dashboard.core.serving.model import EndpointStatus

AGAIN = timedelta(minutes=2)
MOST, MOST_CONFIGS = 500, 50
"""Endpoints that are read, the newest, and configurations that are looked up for one reading."""


@dataclass
class EndpointReader:
    """Reads the endpoints of ONE account; one that has not changed is looked at again after AGAIN only."""

    _known: dict[str, tuple[tuple[object, ...], datetime, Present]] = field(default_factory=dict)
    _looked: datetime | None = None

    def receipts(self, aws: Aws, prices: PriceBook, now: datetime, trail: TrailBook) -> tuple[Receipt, ...]:
        """Of all endpoints that are known. Raises the errors of `Aws.call` when they cannot be listed.

        What CloudTrail does not tell and AWS still does is put into `trail`, so that it stays known. Without CloudTrail
        the endpoints that are there are counted as if they had never changed.
        """
        before, looked = [one for _, _, one in self._known.values()], self._looked
        present = self.present(aws, now)
        if looked is not None:
            there = {(one.name, one.created) for one in present}
            gone = [one for one in before if (one.name, one.created) not in there]
            trail.add(last_seen(gone, trail.happenings, looked))
        self._looked = now
        trail.add([*_configs(aws, trail), *seen(present, trail.happenings, now)])
        trail.add(came_into_service(present, trail.happenings))
        lives = endpoint_lifetimes(trail.happenings, present, trail.failed)
        trail.note_failed(tuple(one.key for one in lives if NEVER_SERVED in one.notes))
        region, is_embedded = aws.account.region, aws.account.is_embedded
        ends = _scheduled(aws) if present else {}
        return tuple(
            endpoint_receipt(one, prices, region, now, is_embedded=is_embedded, ends=ends.get(one.name))
            for one in lives
        )

    def present(self, aws: Aws, now: datetime) -> tuple[Present, ...]:
        """The endpoints that are there, the newest `MOST`."""
        summaries = [
            one
            for page in aws.pages(
                "sagemaker",
                "ListEndpoints",
                limit=MOST // 100,
                SortBy="CreationTime",
                SortOrder="Descending",
                PaginationConfig={"PageSize": 100},
            )
            for one in page["Endpoints"]
        ]

        def look(summary: dict[str, Any]) -> tuple[tuple[object, ...], datetime, Present] | None:
            name = summary["EndpointName"]
            stamp = (summary["CreationTime"], summary["LastModifiedTime"], summary["EndpointStatus"])
            known = self._known.get(name)
            if known is not None and known[0] == stamp and now - known[1] < AGAIN and not known[2].is_changing:
                return known
            try:
                return stamp, now, _present(aws, name)
            except NotFound:
                return None  # deleted since it was listed

        found = [one for one in gather(look, summaries) if one]
        self._known = {one.name: (stamp, at, one) for stamp, at, one in found}
        return tuple(one for _, _, one in found)


def _scheduled(aws: Aws) -> dict[str, datetime]:
    """When schedules delete which endpoints; without the right to read them each goes on until somebody stops it."""
    try:
        return waste_schedule.scheduled(aws)
    except (AccessDenied, ServiceFault):  # the sweep for waste says that it was not read
        return {}


def _configs(aws: Aws, trail: TrailBook) -> list[Happening]:
    """Configurations that are still there, as if CloudTrail told of their making; they never change."""
    names = [name for name in untold_configs(trail.happenings) if name not in trail.lost][:MOST_CONFIGS]

    def look(name: str) -> Happening | None:
        try:
            told = aws.call("sagemaker", "DescribeEndpointConfig", EndpointConfigName=name)
        except NotFound:
            return None
        variants = tuple(variant_of(fleet) for fleet in _fleets(told["ProductionVariants"], ()))
        made = told["CreationTime"]
        return Happening(f"config:{name}", made, "CreateEndpointConfig", {"endpointConfigName": name}, variants)

    looked = gather(look, names)
    trail.lost.update(name for name, one in zip(names, looked, strict=True) if one is None)
    return [one for one in looked if one]


def _present(aws: Aws, name: str) -> Present:
    told = aws.call("sagemaker", "DescribeEndpoint", EndpointName=name)
    asked = _variants(aws, told["EndpointConfigName"])
    running = told.get("ProductionVariants", [])
    count = sum(int(one.get("CurrentInstanceCount", 0)) for one in running)
    status = EndpointStatus.of(told["EndpointStatus"], count if running else 1)
    return Present(
        name=told["EndpointName"],
        created=told["CreationTime"],
        modified=told.get("LastModifiedTime", told["CreationTime"]),
        status=status.word,
        is_billed=status.is_billed,
        is_coming=status.is_coming,
        has_failed=status is EndpointStatus.FAILED,
        fleets=_fleets(asked, running),
        tags=tags.of_run(aws, told["EndpointArn"]),
        is_changing=status.is_changing,
    )


def _variants(aws: Aws, config: str) -> Sequence[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = aws.call("sagemaker", "DescribeEndpointConfig", EndpointConfigName=config)[
            "ProductionVariants"
        ]
    except NotFound:
        return []  # a configuration may be deleted while its endpoint goes on
    return found


def _fleets(asked: Sequence[dict[str, Any]], running: Sequence[dict[str, Any]]) -> tuple[Fleet, ...]:
    counts = {one["VariantName"]: int(one["CurrentInstanceCount"]) for one in running if "CurrentInstanceCount" in one}
    return tuple(
        Fleet(
            one["VariantName"],
            str(one.get("InstanceType", "")),
            counts.get(one["VariantName"], int(one.get("InitialInstanceCount", 0))),
            "ServerlessConfig" in one,
        )
        for one in asked
    )
