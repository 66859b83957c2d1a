"""CloudWatch's metrics: what runs here and what clients put, read back as CloudWatch bins it.

Its operations on alarms are in cloudwatch_alarms.
"""

import asyncio
import base64
import json
import logging
import math
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool

from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services import cloudwatch_store
from local_aws.services.cloudwatch_alarms import Alarms
from local_aws.services.cloudwatch_alarms_states import Transitions
from local_aws.services.cloudwatch_data import metric_data
from local_aws.services.cloudwatch_statistics import SIMPLE, Bin, Statistic
from local_aws.services.cloudwatch_store import DAY, HOUR, Datum, Metric, MetricStore, StatisticSet
from local_aws.services.cloudwatch_times import check_period, check_window, reach, rounded, seconds
from local_aws.services.cloudwatch_wire import ManyProtocols

log = logging.getLogger(__name__)

MOST_PUT = 1000  # metrics in one PutMetricData
MOST_VALUES = 150  # values of one metric in it
MOST_DIMENSIONS = 30
LARGEST = 2.0**360  # of a value, either way
PAGE = 500  # metrics on one page of ListMetrics
MOST_DATAPOINTS = 1440  # of one GetMetricStatistics
RECENT = 3 * HOUR
COMPACTED_EVERY = HOUR  # seconds

Params = dict[str, Any]


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterValue", message)


def _clash(message: str) -> ServiceError:
    return ServiceError("InvalidParameterCombination", message)


class CloudWatch(Alarms, ManyProtocols):
    """metrics: the store that others put into as well; closed with the service. now: epoch seconds.

    transitions: what becomes of alarms; without it there are none.
    """

    name = "cloudwatch"
    invalid_code = "ValidationError"

    def __init__(
        self, metrics: MetricStore, transitions: Transitions | None = None, *, now: Callable[[], float] = time.time
    ) -> None:
        self._metrics = metrics
        self._transitions = transitions
        self._now = now
        self._compacting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._compacting = asyncio.create_task(self._compact())

    async def stop(self) -> None:
        if self._compacting:
            self._compacting.cancel()
            with suppress(asyncio.CancelledError):  # it ends with the round it is in, which uses the store
                await self._compacting
        self._metrics.close()

    async def _compact(self) -> None:
        while True:
            try:
                await run_in_threadpool(self._metrics.compact, self._now())
            except sqlite3.Error:  # a full disk: nothing is lost, and the next round tries again
                log.exception("old metrics could not be made coarser")
            await asyncio.sleep(COMPACTED_EVERY)

    def put_metric_data(self, params: Params, caller: Caller) -> Params:
        namespace = params["Namespace"]
        if namespace.startswith(":"):
            raise _invalid("The value : for parameter Namespace is invalid.")
        if namespace.startswith("AWS/"):
            raise _invalid("The value AWS/ for parameter Namespace is invalid.")
        if params.get("EntityMetricData"):
            raise ServiceError(
                "ValidationError",
                "The embedded AWS cannot keep metrics of entities yet (EntityMetricData). Use MetricData.",
            )
        given = params.get("MetricData") or []
        if not given:
            raise ServiceError("MissingParameter", "The parameter MetricData is required.")
        if len(given) > MOST_PUT:
            raise _invalid(f"The collection MetricData must not have a size greater than {MOST_PUT}.")
        now = self._now()
        by_resolution: dict[int, list[Datum | StatisticSet]] = {60: [], 1: []}
        for number, one in enumerate(given, 1):
            where = f"MetricData.member.{number}"
            resolution = one.get("StorageResolution") or 60
            if resolution not in by_resolution:
                raise _invalid(f"The parameter {where}.StorageResolution must be 1 or 60.")
            by_resolution[resolution] += _data(where, one, now)
        for resolution, data in by_resolution.items():
            self._metrics.put(caller.region, namespace, data, resolution=resolution)
        return {}

    def get_metric_data(self, params: Params, caller: Caller) -> Params:
        return metric_data(self._metrics, params, caller, self._now())

    def get_metric_statistics(self, params: Params, caller: Caller) -> Params:
        plain, extended = params.get("Statistics") or [], params.get("ExtendedStatistics") or []
        if not plain and not extended:
            raise _clash("At least one of the parameters Statistics and ExtendedStatistics must be specified.")
        if wrong := [name for name in plain if name not in SIMPLE]:
            raise _invalid(f"The value {wrong[0]} for parameter Statistics is not one of {', '.join(SIMPLE)}.")
        if both := [name for name in extended if name in SIMPLE]:
            raise _invalid(f"The value {both[0]} for parameter ExtendedStatistics is not supported.")
        statistics = {name: Statistic.named(name, "InvalidParameterValue") for name in (*plain, *extended)}
        period = check_period(params["Period"], "InvalidParameterValue")
        now = self._now()
        start, end = check_window(params, "InvalidParameterValue")
        points = math.ceil((end - start) / period)
        if points > MOST_DATAPOINTS:
            raise _clash(
                f"You have requested up to {points:,} datapoints, which exceeds the limit of {MOST_DATAPOINTS:,}. You "
                "may reduce the datapoints requested by increasing Period, or decreasing the time range."
            )
        start = rounded(start, period, now)
        bins = self._metrics.bins(
            caller.region,
            Metric(params["Namespace"], params["MetricName"], _dimensions(params)),
            start=start,
            since=reach(period, now),
            end=math.ceil(end),
            period=period,
            unit=params.get("Unit"),
            values=bool(extended),
        )
        return {
            "Label": params["MetricName"],
            "Datapoints": [_datapoint(bin, plain, extended, statistics) for bin in bins],
        }

    def list_metrics(self, params: Params, caller: Caller) -> Params:
        if params.get("OwningAccount") not in (None, caller.account) or params.get("IncludeLinkedAccounts"):
            raise ServiceError(
                "ValidationError",
                "The embedded AWS has one account: leave IncludeLinkedAccounts and OwningAccount out.",
            )
        filters = [(one["Name"], one.get("Value")) for one in params.get("Dimensions") or ()]
        since = self._now() - (RECENT if params.get("RecentlyActive") else cloudwatch_store.LISTED)
        found = self._metrics.metrics(
            caller.region,
            since=int(since),
            namespace=params.get("Namespace"),
            name=params.get("MetricName"),
            after=_read_token(params.get("NextToken")),
        )
        page: list[Params] = []
        last = 0
        for number, metric in found:
            of = dict(metric.dimensions)
            if any(name not in of or value not in (None, of[name]) for name, value in filters):
                continue
            if len(page) == PAGE:
                return {"Metrics": page, "NextToken": _token(last)}
            page.append(
                {
                    "Namespace": metric.namespace,
                    "MetricName": metric.name,
                    "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
                }
            )
            last = number
        return {"Metrics": page}


def _data(where: str, one: Params, now: float) -> list[Datum | StatisticSet]:
    """One MetricDatum as what is kept of it. Raises ServiceError for what CloudWatch refuses."""
    name, unit, dimensions = one["MetricName"], one.get("Unit") or "None", _dimensions(one, where)
    at = seconds(one["Timestamp"]) if one.get("Timestamp") else now
    if at < now - 14 * DAY:
        raise _invalid(f"The parameter {where}.Timestamp must specify a time within the past two weeks.")
    if at > now + 2 * HOUR:
        raise _invalid(f"The parameter {where}.Timestamp must specify a time no more than two hours in the future.")
    ways = [key for key in ("Value", "Values", "StatisticValues") if one.get(key) is not None]
    if len(ways) > 1:
        raise _clash(f"The parameters {where}.{ways[0]} and {where}.{ways[1]} are mutually exclusive.")
    match ways:
        case ["Value"]:
            return [Datum(name, dimensions, at, _number(f"{where}.Value", one["Value"]), unit)]
        case ["StatisticValues"]:
            figures = one["StatisticValues"]
            count, total, low, high = (
                _number(f"{where}.StatisticValues.{key}", figures[key])
                for key in ("SampleCount", "Sum", "Minimum", "Maximum")
            )
            if low > high:
                raise _invalid(f"The parameter {where}.StatisticValues.Maximum must be greater than Minimum.")
            if count <= 0:
                raise _invalid(f"The parameter {where}.StatisticValues.SampleCount must be greater than 0.")
            return [StatisticSet(name, dimensions, at, count, total, low, high, unit)]
        case ["Values"]:
            values, counts = one["Values"], one.get("Counts") or [1.0] * len(one["Values"])
            if len(values) != len(counts):
                raise _invalid(f"The parameters {where}.Values and {where}.Counts must be of the same size.")
            if not 0 < len(values) <= MOST_VALUES:
                raise _invalid(f"The collection {where}.Values must have a size of 1 to {MOST_VALUES}.")
            numbers = [_number(f"{where}.Values.member.{i}", value) for i, value in enumerate(values, 1)]
            often = [_number(f"{where}.Counts.member.{i}", count) for i, count in enumerate(counts, 1)]
            if any(count <= 0 for count in often):
                raise _invalid(f"The collection {where}.Counts must hold numbers greater than 0.")
            return [
                Datum(name, dimensions, at, *pair) for pair in zip(numbers, [unit] * len(numbers), often, strict=True)
            ]
    raise ServiceError("MissingParameter", f"At least one of the parameters {where}.Value is required.")


def _number(where: str, value: float) -> float:
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise _invalid(f"The value {value} for parameter {where} is invalid.")
    return float(value)


def _dimensions(params: Params, where: str = "") -> tuple[tuple[str, str], ...]:
    found = tuple((one["Name"], one["Value"]) for one in params.get("Dimensions") or ())
    if len(found) > MOST_DIMENSIONS:
        raise _invalid(
            f"The collection {where + '.' if where else ''}Dimensions must not have a size greater than "
            f"{MOST_DIMENSIONS}."
        )
    if len({name for name, _ in found}) < len(found):
        raise _invalid(f"The collection {where + '.' if where else ''}Dimensions must not have duplicate names.")
    return found


def _datapoint(bin: Bin, plain: list[str], extended: list[str], statistics: dict[str, Statistic]) -> Params:
    point: Params = {"Timestamp": datetime.fromtimestamp(bin.at, UTC), "Unit": bin.unit}
    point |= {name: statistics[name].of(bin) for name in plain}
    figures = {name: figure for name in extended if (figure := statistics[name].of(bin)) is not None}
    return point | ({"ExtendedStatistics": figures} if figures else {})


def _token(number: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([number]).encode()).decode()


def _read_token(token: str | None) -> int:
    if token is None:
        return 0
    try:
        (number,) = json.loads(base64.b64decode(token.encode(), b"-_", validate=True))
    except (ValueError, TypeError):
        number = None
    if not isinstance(number, int):
        raise _invalid("The value for parameter NextToken is invalid.")
    return number
