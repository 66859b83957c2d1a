"""GetMetricData: many series and expressions in one answer, in pages of at most so many figures."""

import base64
import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services import cloudwatch_math
from local_aws.services.cloudwatch_functions import ExpressionError, Grid, Series, Value
from local_aws.services.cloudwatch_math import Node
from local_aws.services.cloudwatch_statistics import Bin, Statistic
from local_aws.services.cloudwatch_store import Metric, MetricStore
from local_aws.services.cloudwatch_times import check_period, check_window, reach, rounded

MOST_QUERIES = 500
MOST_FIGURES = 100_800  # in one answer
INVALID = "ValidationError"
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")

Params = dict[str, Any]


def _invalid(message: str) -> ServiceError:
    return ServiceError(INVALID, message)


@dataclass(frozen=True)
class Reading:
    """A statistic of a metric in periods of so many seconds."""

    metric: Metric
    statistic: Statistic
    period: int
    unit: str | None


@dataclass(frozen=True)
class Query:
    """One of MetricDataQueries: what is read, or the expression to work out."""

    id: str
    label: str
    returned: bool
    what: Reading | Node

    @property
    def period(self) -> int:
        """0 for an expression."""
        return self.what.period if isinstance(self.what, Reading) else 0


def metric_data(store: MetricStore, params: Params, caller: Caller, now: float) -> Params:
    """The answer to GetMetricData. Raises ServiceError ValidationError or InvalidNextToken."""
    given = params["MetricDataQueries"]
    if not 0 < len(given) <= MOST_QUERIES:
        raise _invalid(f"The collection MetricDataQueries must have a size of 1 to {MOST_QUERIES}.")
    most = params.get("MaxDatapoints", MOST_FIGURES)
    if not 0 < most <= MOST_FIGURES:
        raise _invalid(f"The parameter MaxDatapoints must be between 1 and {MOST_FIGURES}.")
    queries = [read_query(number, one, caller) for number, one in enumerate(given, 1)]
    if len({query.id for query in queries}) < len(queries):
        raise _invalid("The values for parameter id in MetricDataQueries are not unique.")
    if not any(query.returned for query in queries):
        raise _invalid("At least one of the MetricDataQueries must have ReturnData set to true.")
    start, end = check_window(params, INVALID)
    _check_size(queries, end - start)
    results = series_of(store, queries, caller.region, start, math.ceil(end), now)
    descending = params.get("ScanBy") != "TimestampAscending"
    return _page(results, most, descending=descending, token=params.get("NextToken"))


def read_query(number: int, one: Params, caller: Caller) -> Query:
    """The member numbered `number` of MetricDataQueries. Raises ServiceError ValidationError."""
    id, where = one["Id"], f"MetricDataQueries.member.{number}"
    if not _ID.fullmatch(id):
        raise _invalid(
            f"The value {id} for parameter {where}.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
        )
    if one.get("AccountId") not in (None, caller.account):
        raise _invalid(f"The embedded AWS has one account ({where}.AccountId). Leave it out.")
    label, returned = one.get("Label") or "", one.get("ReturnData") is not False
    if "${" in label:
        raise _invalid(f"The embedded AWS cannot do dynamic labels yet ({where}.Label). Use plain text.")
    asked, expression = one.get("MetricStat"), one.get("Expression")
    if asked is not None and expression is None:
        return Query(id, label or asked["Metric"].get("MetricName", ""), returned, _reading(where, asked))
    if expression is not None and asked is None:
        if one.get("Period"):
            raise _invalid(
                f"The embedded AWS gives an expression the period of its metrics ({where}.Period). Leave it out."
            )
        try:
            return Query(id, label or expression, returned, cloudwatch_math.parse(expression))
        except ExpressionError as wrong:
            raise _invalid(f"Error in expression '{id}' [{wrong}]") from wrong
    raise _invalid(f"Exactly one of {where}.MetricStat and {where}.Expression must be given.")


def _reading(where: str, asked: Params) -> Reading:
    metric = asked["Metric"]
    if not metric.get("Namespace") or not metric.get("MetricName"):
        raise _invalid(f"The parameters {where}.MetricStat.Metric.Namespace and MetricName are required.")
    dimensions = tuple((pair["Name"], pair["Value"]) for pair in metric.get("Dimensions") or ())
    return Reading(
        Metric(metric["Namespace"], metric["MetricName"], dimensions),
        Statistic.named(asked["Stat"], INVALID),
        check_period(asked["Period"], INVALID),
        asked.get("Unit"),
    )


def _check_size(queries: list[Query], length: float) -> None:
    """No more moments than one could want: a series filled for every second of a year would fill the memory instead."""
    moments = sum(math.ceil(length / query.period) for query in queries if query.period)
    if moments > 100 * MOST_FIGURES:
        raise _invalid(f"The request spans up to {moments:,} datapoints. Ask for a shorter time or a longer period.")


def series_of(
    store: MetricStore, queries: list[Query], region: str, start: float, end: int, now: float, *, exact: bool = False
) -> list[Series]:
    """What each query gives, in the order of the queries; an expression may give several series.

    exact: periods are counted from `start` itself, which CloudWatch otherwise rounds down.
    """
    known: dict[str, Value] = {}
    for query in queries:
        if isinstance(query.what, Reading):
            first = int(start) if exact else rounded(start, query.what.period, now)
            points = _read(store, query.what, region, first, end, now)
            known[query.id] = Series(query.id, points, query.period, query.label)
    metrics = [value for value in known.values() if isinstance(value, Series)]
    periods = [query.period for query in queries if query.period]
    period = max(periods, default=60)
    grid = Grid(int(start) if exact else rounded(start, period, now), end, period)
    for id, expression in _in_order(queries):
        try:
            known[id] = cloudwatch_math.evaluate(expression, known, metrics, grid)
        except ExpressionError as wrong:
            raise _invalid(f"Error in expression '{id}' [{wrong}]") from wrong
    found: list[Series] = []
    for query in queries:
        if query.returned:
            found += _returned(query, known[query.id])
    return found


def _read(store: MetricStore, query: Reading, region: str, start: int, end: int, now: float) -> dict[int, float]:
    bins = store.bins(
        region,
        query.metric,
        start=start,
        since=reach(query.period, now),
        end=end,
        period=query.period,
        unit=query.unit,
        values=query.statistic.needs_values,
    )
    figures = ((bin.at, query.statistic.of(bin)) for bin in _of_any_unit(bins))
    return {at: figure for at, figure in figures if figure is not None}


def _of_any_unit(bins: list[Bin]) -> list[Bin]:
    """The bins with those of one moment made one, whatever their units: GetMetricData does not tell them apart."""
    found: list[Bin] = []
    for bin in bins:
        if found and found[-1].at == bin.at:
            last = found.pop()
            values = None
            if last.values is not None and bin.values is not None:
                values = sorted([*last.values, *bin.values])
            low, high = min(last.low, bin.low), max(last.high, bin.high)
            bin = Bin(bin.at, bin.unit, last.count + bin.count, last.total + bin.total, low, high, values)
        found.append(bin)
    return found


def _in_order(queries: list[Query]) -> list[tuple[str, Node]]:
    """The expressions, each behind those it refers to. Raises ServiceError where they go round in a circle."""
    ids = {query.id for query in queries}
    waiting = [(query.id, query.what) for query in queries if isinstance(query.what, Node)]
    done = ids - {id for id, _ in waiting}
    found: list[tuple[str, Node]] = []
    while waiting:
        # an id that is nowhere is told of when the expression is worked out
        ready = [(id, expression) for id, expression in waiting if not (expression.names() & ids) - done]
        if not ready:
            raise _invalid(f"Error in expression '{waiting[0][0]}' [It refers to itself, if by way of others]")
        found += ready
        done |= {id for id, _ in ready}
        waiting = [one for one in waiting if one[0] not in done]
    return found


def _returned(query: Query, value: Value) -> list[Series]:
    match value:
        case Series():
            return [Series(query.id, value.points, value.period, query.label)]
        case list():
            return [Series(query.id, one.points, one.period, f"{query.label} {one.label}".strip()) for one in value]
    raise _invalid(
        f"Error in expression '{query.id}' [It gives one number: an answer is a series. Use TIME_SERIES, or set "
        "ReturnData to false]"
    )


def _page(results: list[Series], most: int, *, descending: bool, token: str | None) -> Params:
    """The figures behind what the token names, at most `most`; a result cut short is PartialData."""
    first, beyond = _read_token(token, len(results)) if token else (0, None)
    page: list[Params] = []
    for number in range(first, len(results)):
        series = results[number]
        moments = sorted(series.points, reverse=descending)
        if number == first and beyond is not None:
            moments = [at for at in moments if (at < beyond if descending else at > beyond)]
        shown = moments[:most]
        most -= len(shown)
        whole = len(shown) == len(moments)
        if whole or shown:
            page.append(_result(series, shown, whole=whole))
        if not whole:
            last = shown[-1] if shown else beyond if number == first else None
            return {"MetricDataResults": page, "NextToken": _token(number, last), "Messages": []}
    return {"MetricDataResults": page, "Messages": []}


def _result(series: Series, moments: list[int], *, whole: bool) -> Params:
    return {
        "Id": series.id,
        "Label": series.label,
        "Timestamps": [datetime.fromtimestamp(at, UTC) for at in moments],
        "Values": [float(series.points[at]) for at in moments],
        "StatusCode": "Complete" if whole else "PartialData",
    }


def _token(number: int, last: int | None) -> str:
    return base64.urlsafe_b64encode(json.dumps([number, last]).encode()).decode()


def _read_token(token: str, results: int) -> tuple[int, int | None]:
    try:
        number, last = json.loads(base64.b64decode(token.encode(), b"-_", validate=True))
    except (ValueError, TypeError):
        number = last = ""
    if not isinstance(number, int) or not 0 <= number < results or not isinstance(last, int | None):
        raise ServiceError("InvalidNextToken", "The next token specified is invalid.")
    return number, last
