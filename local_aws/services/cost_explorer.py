"""Cost Explorer over the bill of the embedded AWS, which is simulated: nobody is charged, not for the requests either.

It answers to the moment, where AWS's lags by up to a day, and every request, each page of an answer, puts $0.01 on the
bill, as AWS's does. A cost allocation tag can be activated once something on the bill has carried it, and counts from
then on at once. Usage without a known price has a quantity and no cost: DimensionValueAttributes of the answer name it.
"""

import asyncio
import base64
import hashlib
import json
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from botocore.model import OperationModel
from starlette.requests import Request
from starlette.responses import Response

from local_aws.errors import ServiceError
from local_aws.protocol import Caller, Service
from local_aws.services import sagemaker_constraints as constraints
from local_aws.services.billing import Bill, Item
from local_aws.services.billing_journal import Journal, Usage, Used
from local_aws.services.billing_meters import Meters
from local_aws.services.billing_names import HOME
from local_aws.services.billing_tags import CostTags
from local_aws.services.cost_explorer_query import (
    Grouping,
    Matches,
    Spans,
    check_dimension,
    dimension,
    groupings,
    matcher,
    metrics,
    wrong,
)

Params = dict[str, Any]
GROUPS_A_PAGE = 1000
VALUES_A_PAGE = 1000
TAGS_A_PAGE = 100
FINAL_AFTER = timedelta(days=5)
"""How long after a month its bill may still change (AWS closes a month's bill within its first days)."""


class CostExplorer(Service):
    """The service; it starts and stops the meters too. now: epoch seconds; groups: most of them on one page."""

    name = "ce"

    def __init__(
        self,
        journal: Journal,
        tags: CostTags,
        bill: Bill,
        meters: Meters,
        *,
        now: Callable[[], float] = time.time,
        groups: int = GROUPS_A_PAGE,
    ) -> None:
        self._journal = journal
        self._tags = tags
        self._bill = bill
        self._meters = meters
        self._now = now
        self._groups = groups

    async def start(self) -> None:
        await asyncio.to_thread(self._meters.start)

    async def stop(self) -> None:
        await asyncio.to_thread(self._meters.stop)

    async def handle(self, request: Request, operation: OperationModel, caller: Caller) -> Response:
        response = await super().handle(request, operation, caller)
        moment = self._now()
        told = Usage(Used.REQUEST, f"request/{response.headers['x-amzn-RequestId']}", HOME, moment, ended=moment)
        await asyncio.to_thread(self._journal.add, told)
        return response

    def parse(self, request: Request, operation: OperationModel, body: bytes) -> Params:
        params = super().parse(request, operation, body)
        constraints.check(operation.input_shape, params)
        return params

    def get_cost_and_usage(self, params: Params, caller: Caller) -> Params:
        _refuse(params, "BillingViewArn")
        names, grouped = metrics(params["Metrics"]), groupings(params.get("GroupBy") or ())
        spans = Spans.read(params["TimePeriod"], params["Granularity"], self._today())
        cells: list[dict[tuple[str, ...], list[Item]]] = [{} for _ in spans.names]
        starts = [moment.timestamp() for moment in spans.moments]
        unpriced: dict[str, set[str]] = {}
        for item in self._items(spans, matcher(params.get("Filter"), caller.account)):
            cell = cells[bisect_right(starts, item.started) - 1]
            keys = tuple(one.of(item, caller.account) for one in grouped)
            cell.setdefault(keys, []).append(item)
            if item.amount is None:
                for value in keys or (item.service,):
                    unpriced.setdefault(value, set()).add(f"{item.usage_type} in {item.region}")
        rows = [(number, keys) for number, cell in enumerate(cells) for keys in sorted(cell)] if grouped else []
        page, token = _page(rows, params, self._groups)
        shown = set(page)
        results = [
            self._result(number, spans, cell, names, grouped, shown)
            for number, cell in enumerate(cells)
            if not token or any(row == number for row, _ in page)
        ]
        return {
            "GroupDefinitions": [{"Type": one.type, "Key": one.key} for one in grouped],
            "ResultsByTime": results,
            "DimensionValueAttributes": [
                {"Value": value, "Attributes": {"withoutPrice": ", ".join(sorted(types))}}
                for value, types in sorted(unpriced.items())
            ],
            **({"NextPageToken": token} if token else {}),
        }

    def _result(
        self,
        number: int,
        spans: Spans,
        cell: Mapping[tuple[str, ...], list[Item]],
        names: Sequence[str],
        grouped: Sequence[Grouping],
        shown: set[tuple[int, tuple[str, ...]]],
    ) -> Params:
        start, end = spans.names[number]
        told: Params = {"TimePeriod": {"Start": start, "End": end}}
        if grouped:
            groups = [
                {"Keys": list(keys), "Metrics": _metrics(cell[keys], names)}
                for keys in sorted(cell)
                if (number, keys) in shown
            ]
            told |= {"Total": {}, "Groups": groups}
        else:
            told |= {"Total": _metrics([item for items in cell.values() for item in items], names), "Groups": []}
        month = spans.moments[number].replace(day=1)
        closed = (month + timedelta(days=31)).replace(day=1, hour=0) + FINAL_AFTER
        return told | {"Estimated": self._today() < closed}

    def get_dimension_values(self, params: Params, caller: Caller) -> Params:
        _refuse(params, "BillingViewArn", "SortBy", "DimensionKey")
        if params.get("Context", "COST_AND_USAGE") != "COST_AND_USAGE":
            raise wrong(f"The embedded AWS has no {params['Context']}: its Context is COST_AND_USAGE.")
        key = params["Dimension"]
        check_dimension(key)
        spans = Spans.read(params["TimePeriod"], _granularity(params), self._today())
        items = self._items(spans, matcher(params.get("Filter"), caller.account))
        found = _searched({dimension(item, key, caller.account) for item in items} - {""}, params)
        page, token = _page(found, params, params.get("MaxResults", VALUES_A_PAGE))
        return {
            "DimensionValues": [{"Value": value, "Attributes": {}} for value in page],
            "ReturnSize": len(page),
            "TotalSize": len(found),
            **({"NextPageToken": token} if token else {}),
        }

    def get_tags(self, params: Params, caller: Caller) -> Params:
        _refuse(params, "BillingViewArn", "SortBy")
        spans = Spans.read(params["TimePeriod"], _granularity(params), self._today())
        key = params.get("TagKey")
        items = self._items(spans, matcher(params.get("Filter"), caller.account))
        values = {item.tags.get(key, "") for item in items} if key else {one for item in items for one in item.tags}
        found = _searched(values, params)
        page, token = _page(found, params, params.get("MaxResults", VALUES_A_PAGE))
        more = {"NextPageToken": token} if token else {}
        return {"Tags": list(page), "ReturnSize": len(page), "TotalSize": len(found), **more}

    def list_cost_allocation_tags(self, params: Params, caller: Caller) -> Params:
        used, activations = self._journal.tag_keys(), self._tags.all()
        rows = []
        for key in sorted({*used, *activations}):
            active = key in activations and activations[key].is_active
            row: Params = {"TagKey": key, "Type": "UserDefined", "Status": "Active" if active else "Inactive"}
            if key in activations:
                row["LastUpdatedDate"] = _stamp(activations[key].changed)
            if key in used:
                row["LastUsedDate"] = _stamp(used[key], month=True)
            rows.append(row)
        wanted = [
            row
            for row in rows
            if params.get("Status") in (None, row["Status"])
            and params.get("Type") in (None, row["Type"])
            and (not params.get("TagKeys") or row["TagKey"] in params["TagKeys"])
        ]
        page, token = _page(wanted, params, params.get("MaxResults", TAGS_A_PAGE), name="NextToken")
        return {"CostAllocationTags": list(page), **({"NextToken": token} if token else {})}

    def update_cost_allocation_tags_status(self, params: Params, caller: Caller) -> Params:
        asked = params["CostAllocationTagsStatus"]
        keys = [one["TagKey"] for one in asked]
        if len(set(keys)) < len(keys):
            raise wrong("A tag key is given twice.")
        known = {*self._journal.tag_keys(), *self._tags.all()}
        missing = [key for key in keys if key not in known]
        if missing:
            raise wrong(f"Tag keys not found: {','.join(missing)}")
        for one in asked:
            self._tags.set(one["TagKey"], active=one["Status"] == "Active", now=self._now())
        return {"Errors": []}

    def _today(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)

    def _items(self, spans: Spans, matches: Matches) -> Iterable[Item]:
        moments = [moment.timestamp() for moment in spans.moments]
        return (item for item in self._bill.items(moments[0], moments[-1], moments) if matches(item))


def _metrics(items: Sequence[Item], names: Sequence[str]) -> Params:
    """The metrics of a group. Usage in several units has no unit, as on AWS."""
    units = {item.unit for item in items}
    told = {}
    for name in names:
        if name == "UsageQuantity":
            amount = sum((item.quantity for item in items), Decimal(0))
            told[name] = {"Amount": _text(amount), "Unit": units.pop() if len(units) == 1 else "N/A"}
        else:
            amount = sum((item.amount for item in items if item.amount is not None), Decimal(0))
            told[name] = {"Amount": _text(amount), "Unit": "USD"}
    return told


def _text(amount: Decimal) -> str:
    """To ten places, as AWS writes amounts."""
    text = f"{amount:.10f}".rstrip("0").rstrip(".")
    return text or "0"


def _granularity(params: Params) -> str:
    return "HOURLY" if "T" in params["TimePeriod"]["Start"] else "DAILY"


def _searched(values: Iterable[str], params: Params) -> list[str]:
    wanted = params.get("SearchString", "").casefold()
    return sorted(value for value in values if wanted in value.casefold())


def _refuse(params: Params, *members: str) -> None:
    for member in members:
        if params.get(member):
            raise wrong(f"The embedded AWS has no {member}. Leave it out.")


def _page(found: Sequence[Any], params: Params, most: int, *, name: str = "NextPageToken") -> tuple[Sequence[Any], str]:
    """So many of what was found, from where the token says; and the next token, "" at the end.

    Raises ServiceError InvalidNextTokenException, or RequestChangedException for a token of another request.
    """
    digest = hashlib.sha256(
        json.dumps({key: value for key, value in params.items() if key != name}, sort_keys=True).encode()
    ).hexdigest()[:12]
    first = 0
    if params.get(name):
        try:
            of, first = json.loads(base64.b64decode(params[name], validate=True))
        except (ValueError, TypeError):
            of, first = "", -1
        if not isinstance(first, int) or first < 0:
            raise ServiceError("InvalidNextTokenException", "The pagination token is invalid.")
        if of != digest:
            raise ServiceError("RequestChangedException", "Your request parameters changed between pages.")
    rest = first + most
    token = base64.b64encode(json.dumps([digest, rest]).encode()).decode() if rest < len(found) else ""
    return found[first:rest], token


def _stamp(moment: float, *, month: bool = False) -> str:
    found = datetime.fromtimestamp(moment, UTC)
    return f"{found:%Y-%m-01T00:00:00Z}" if month else f"{found:%Y-%m-%dT%H:%M:%SZ}"
