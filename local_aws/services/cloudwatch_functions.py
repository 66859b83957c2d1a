"""The functions of metric math, as CloudWatch documents them; those that are not here are refused by name."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import pstdev


class ExpressionError(Exception):
    """The expression cannot be worked out; the sentence says why."""


@dataclass(frozen=True)
class Series:
    """Figures by moment (epoch seconds, ascending), the period they stand for, and whose they are."""

    id: str
    points: Mapping[int, float]
    period: int
    label: str = ""


Value = float | Series | list[Series]


@dataclass(frozen=True)
class Grid:
    """The moments an answer can have: from `start` on every `period` seconds, before `end`."""

    start: int
    end: int
    period: int

    def moments(self, period: int) -> range:
        """Raises ExpressionError for more than MOST_FILLED: each would become a figure in memory."""
        found = range(self.start, self.end, period)
        if len(found) > MOST_FILLED:
            raise ExpressionError(f"It would fill {len(found):,} moments; {MOST_FILLED:,} are the most")
        return found


MOST_FILLED = 100_800  # as many figures as one answer may hold
WORDS = ("REPEAT", "LINEAR")  # what FILL takes besides a value
_NOT_DONE = (
    *("SEARCH", "SORT", "SLICE", "REMOVE_EMPTY", "LAMBDA", "SERVICE_QUOTA", "INSIGHT_RULE_METRIC", "DB_PERF_INSIGHTS"),
    *("ANOMALY_DETECTION_BAND", "EPOCH", "MINUTE", "HOUR", "DAY", "DATE", "MONTH", "YEAR", "LOGS"),
)


def check(name: str) -> None:
    """Raises ExpressionError for a function that is none, or not part of this."""
    if name in _NOT_DONE:
        raise ExpressionError(f"The embedded AWS cannot do the function {name} yet")
    if name not in _FUNCTIONS and name != "METRICS":
        raise ExpressionError(f"Unknown function {name}")


def call(name: str, arguments: Sequence[Value | str], grid: Grid) -> Value:
    """Raises ExpressionError where the function cannot do with those arguments."""
    function, least, most = _FUNCTIONS[name]
    if not least <= len(arguments) <= most:
        raise ExpressionError(f"{name} takes {least if least == most else f'{least} to {most}'} arguments")
    return function(name, arguments, grid)


def gathered(values: Sequence[Value]) -> list[Series]:
    """The series of a list [m1, m2]."""
    found: list[Series] = []
    for value in values:
        if isinstance(value, float):
            raise ExpressionError("A list holds series, not numbers")
        found += [value] if isinstance(value, Series) else value
    return found


def each(function: Callable[[float], float], value: Value) -> Value:
    """A function of one figure, on every figure; where it has none (the logarithm of 0), the moment is left out."""
    match value:
        case float():
            result = _figure(function, value)
            return math.nan if result is None else result
        case Series():
            found = {at: _figure(function, figure) for at, figure in value.points.items()}
            return replace(value, points={at: figure for at, figure in found.items() if figure is not None})
    return [series for one in value if isinstance(series := each(function, one), Series)]


def both(function: Callable[[float, float], float], left: Value, right: Value) -> Value:
    """A function of two figures: number and number, series and number, or the moments that two series share."""
    if isinstance(left, list) and isinstance(right, list):
        raise ExpressionError("Two lists of series cannot be combined")
    if isinstance(left, list):
        return [series for one in left if isinstance(series := both(function, one, right), Series)]
    if isinstance(right, list):
        return [series for one in right if isinstance(series := both(function, left, one), Series)]
    if isinstance(left, Series):
        if isinstance(right, Series):
            shared = {at: (figure, right.points[at]) for at, figure in left.points.items() if at in right.points}
        else:
            shared = {at: (figure, right) for at, figure in left.points.items()}
        base = left
    elif isinstance(right, Series):
        shared = {at: (left, figure) for at, figure in right.points.items()}
        base = right
    else:
        result = _figure(function, left, right)
        return math.nan if result is None else result
    points = {at: _figure(function, *pair) for at, pair in shared.items()}
    return replace(base, points={at: figure for at, figure in points.items() if figure is not None})


def _figure(function: Callable[..., float], *figures: float) -> float | None:
    try:
        result = function(*figures)
    except (ZeroDivisionError, OverflowError, ValueError):
        return None
    return result if math.isfinite(result) else None


def _one(name: str, value: Value | str) -> Series:
    if not isinstance(value, Series):
        raise ExpressionError(f"{name} takes one series")
    return value


def _apply(name: str, arguments: Sequence[Value | str], grid: Grid) -> Value:
    (value,) = arguments
    if isinstance(value, str):
        raise ExpressionError(f"{name} cannot take {value}")
    return each(_OF_ONE[name], value)


def _aggregate(name: str, arguments: Sequence[Value | str], grid: Grid) -> Value:
    """Of one series its figure over all moments; of several a series, over those that have the moment."""
    values = list(arguments)
    if len(values) > 1:  # MAX(m1, m2) is MAX([m1, m2])
        values = [gathered([value for value in values if not isinstance(value, str)])]
    (value,) = values
    function = _OF_MANY[name]
    if isinstance(value, Series):
        return function(list(value.points.values())) if value.points else math.nan
    if not isinstance(value, list):
        raise ExpressionError(f"{name} takes series")
    moments = sorted({at for series in value for at in series.points})
    points = {at: function([series.points[at] for series in value if at in series.points]) for at in moments}
    return Series(name, points, max((series.period for series in value), default=grid.period), name)


def _first_or_last(name: str, arguments: Sequence[Value | str], grid: Grid) -> Value:
    (value,) = arguments
    if isinstance(value, list) and value:
        return value[0 if name == "FIRST" else -1]
    figures = list(_one(name, value).points.values())
    return figures[0 if name == "FIRST" else -1] if figures else math.nan


def _between(name: str, arguments: Sequence[Value | str], grid: Grid) -> Value:
    """DIFF, DIFF_TIME and RATE: each moment against the one before it."""
    series = _one(name, arguments[0])
    points = {}
    for (before, was), (at, now) in pairwise(series.points.items()):
        seconds = float(at - before)
        points[at] = {"DIFF": now - was, "DIFF_TIME": seconds, "RATE": (now - was) / seconds}[name]
    return replace(series, points=points)


def _running_sum(name: str, arguments: Sequence[Value | str], grid: Grid) -> Value:
    series, total, points = _one(name, arguments[0]), 0.0, {}
    for at, figure in series.points.items():
        total += figure
        points[at] = total
    return replace(series, points=points)


def _count(name: str, arguments: Sequence[Value | str], grid: Grid) -> Value:
    (value,) = arguments
    if name == "PERIOD":
        return float(_one(name, value).period)
    if name == "METRIC_COUNT":
        return float(len(value)) if isinstance(value, list) else 1.0
    return float(len(_one(name, value).points))


def _fill(name: str, arguments: Sequence[Value | str], grid: Grid) -> Value:
    value, how = arguments
    if isinstance(value, list):
        return [series for one in value if isinstance(series := _fill(name, [one, how], grid), Series)]
    series = _one(name, value)
    moments = grid.moments(series.period)
    if isinstance(how, Series):
        filled = {at: how.points[at] for at in moments if at in how.points}
    elif isinstance(how, float):
        filled = dict.fromkeys(moments, how)
    elif how == "REPEAT":
        filled = _repeated(series.points, moments)
    elif how == "LINEAR":
        filled = _linear(series.points, moments)
    else:
        raise ExpressionError("FILL takes a number, a series, REPEAT or LINEAR")
    return replace(series, points=dict(sorted({**filled, **series.points}.items())))


def _repeated(points: Mapping[int, float], moments: range) -> dict[int, float]:
    filled: dict[int, float] = {}
    last: float | None = None
    for at in moments:
        last = points.get(at, last)
        if last is not None:
            filled[at] = last
    return filled


def _linear(points: Mapping[int, float], moments: range) -> dict[int, float]:
    filled = _repeated(points, moments)  # behind the last there is nothing to aim at
    for (before, was), (after, then) in pairwise(points.items()):
        for at in moments:
            if before < at < after:
                filled[at] = was + (then - was) * (at - before) / (after - before)
    return filled


def _if(name: str, arguments: Sequence[Value | str], grid: Grid) -> Value:
    condition, then = arguments[0], arguments[1]
    otherwise = arguments[2] if len(arguments) > 2 else None
    if isinstance(condition, float):
        chosen = then if condition else otherwise
        if isinstance(chosen, str) or chosen is None:
            raise ExpressionError("IF has nothing to give where its condition is 0")
        return chosen
    series = _one(name, condition)
    points: dict[int, float] = {}
    for at, figure in series.points.items():
        chosen = then if figure else otherwise
        value = chosen.points.get(at) if isinstance(chosen, Series) else chosen
        if isinstance(value, float):
            points[at] = value
        elif value is not None:
            raise ExpressionError("IF takes series and numbers")
    return replace(series, points=points)


def _time_series(name: str, arguments: Sequence[Value | str], grid: Grid) -> Value:
    (value,) = arguments
    if not isinstance(value, float):
        raise ExpressionError("TIME_SERIES takes a number")
    return Series(name, dict.fromkeys(grid.moments(grid.period), value), grid.period, name)


_OF_ONE: dict[str, Callable[[float], float]] = {
    "ABS": abs,
    "CEIL": lambda figure: float(math.ceil(figure)),
    "FLOOR": lambda figure: float(math.floor(figure)),
    "LOG": math.log,
    "LOG10": math.log10,
}
_OF_MANY: dict[str, Callable[[list[float]], float]] = {
    "SUM": math.fsum,
    "AVG": lambda figures: math.fsum(figures) / len(figures),
    "MIN": min,
    "MAX": max,
    "STDDEV": pstdev,
}


# how it is worked out, and the fewest and most arguments
_FUNCTIONS: dict[str, tuple[Callable[[str, Sequence[Value | str], Grid], Value], int, int]] = {
    **dict.fromkeys(_OF_ONE, (_apply, 1, 1)),
    **dict.fromkeys(_OF_MANY, (_aggregate, 1, 100)),
    **dict.fromkeys(("DIFF", "DIFF_TIME", "RATE"), (_between, 1, 1)),
    **dict.fromkeys(("FIRST", "LAST"), (_first_or_last, 1, 1)),
    **dict.fromkeys(("DATAPOINT_COUNT", "METRIC_COUNT", "PERIOD"), (_count, 1, 1)),
    "RUNNING_SUM": (_running_sum, 1, 1),
    "FILL": (_fill, 2, 2),
    "IF": (_if, 2, 3),
    "TIME_SERIES": (_time_series, 1, 1),
}
