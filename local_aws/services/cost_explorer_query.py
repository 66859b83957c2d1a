"""What a request of Cost Explorer asks for: its days, which items, and how they are put together. Pure.

What this bill has no answer to (reservations, savings plans, cost categories …) is refused by name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from local_aws.errors import ServiceError
from local_aws.services.billing import Item
from local_aws.services.billing_names import NO_REGION

Params = Mapping[str, Any]
Matches = Callable[[Item], bool]
HISTORY_MONTHS = 14
HOURLY_DAYS = 14
_DAY = timedelta(days=1)
_MOST_DEPTH = 20
_VALUES: dict[str, Callable[[Item, str], str]] = {
    "SERVICE": lambda item, _: item.service,
    "USAGE_TYPE": lambda item, _: item.usage_type,
    "REGION": lambda item, _: item.region or NO_REGION,
    "INSTANCE_TYPE": lambda item, _: item.instance_type,
    "PURCHASE_TYPE": lambda item, _: item.purchase or "",
    "LINKED_ACCOUNT": lambda _, account: account,
    "RECORD_TYPE": lambda _item, _account: "Usage",
}
_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "EQUALS": lambda value, wanted: value == wanted,
    "STARTS_WITH": lambda value, wanted: value.startswith(wanted),
    "ENDS_WITH": lambda value, wanted: value.endswith(wanted),
    "CONTAINS": lambda value, wanted: wanted in value,
}
METRICS = (
    "AmortizedCost",
    "BlendedCost",
    "NetAmortizedCost",
    "NetUnblendedCost",
    "UnblendedCost",
    "UsageQuantity",
)
"""All costs are the same here: one account, no reservations, no savings plans, no discounts."""


def wrong(sentence: str) -> ServiceError:
    return ServiceError("ValidationException", sentence)


@dataclass(frozen=True)
class Spans:
    """The stretches of time of an answer, in order: (start, end) as a request writes them, and their moments."""

    names: tuple[tuple[str, str], ...]
    moments: tuple[datetime, ...]  # one more than names

    @classmethod
    def read(cls, period: Mapping[str, str], granularity: str, now: datetime) -> "Spans":
        """From TimePeriod, whose End is not in it. Raises ServiceError ValidationException in AWS's words."""
        hourly = granularity == "HOURLY"
        start, end = (_moment(period[name], hourly=hourly) for name in ("Start", "End"))
        if start >= end:
            raise wrong("Start date (and hour) should be before end date (and hour)")
        if start > now:
            raise wrong("Start date cannot be after the current date")
        first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        if end > _next_month(first):
            raise wrong("end date past the beginning of next month")
        oldest = first
        for _ in range(HISTORY_MONTHS):
            oldest = (oldest - _DAY).replace(day=1)
        if start < oldest:
            raise wrong(f"You haven't enabled historical data beyond {HISTORY_MONTHS} months")
        if hourly and start < now - HOURLY_DAYS * _DAY:
            raise wrong(
                f"Hourly data is available for the last {HOURLY_DAYS} days only. Start later, or ask for DAILY."
            )
        moments = [start]
        while moments[-1] < end:
            moments.append(min(end, _after(moments[-1], granularity)))
        form = "%Y-%m-%dT%H:%M:%SZ" if hourly else "%Y-%m-%d"
        texts = [one.strftime(form) for one in moments]
        return cls(tuple(pairwise(texts)), tuple(moments))


def _after(moment: datetime, granularity: str) -> datetime:
    match granularity:
        case "HOURLY":
            return moment + timedelta(hours=1)
        case "DAILY":
            return moment + _DAY
        case _:
            return _next_month(moment.replace(day=1))


def _next_month(first: datetime) -> datetime:
    return (first + timedelta(days=31)).replace(day=1)


def _moment(text: str, *, hourly: bool) -> datetime:
    form = "%Y-%m-%dT%H:%M:%SZ" if hourly else "%Y-%m-%d"
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        shown = "yyyy-MM-ddTHH:mm:ssZ" if hourly else "yyyy-MM-dd"
        raise wrong(f"Start time {text} is invalid. Valid format is: {shown}.") from None


@dataclass(frozen=True)
class Grouping:
    """One of GroupBy: a dimension, or a tag key."""

    type: str
    key: str

    def of(self, item: Item, account: str) -> str:
        """The group that an item belongs to: "Amazon SageMaker", or "project$dogs", "project$" for none."""
        if self.type == "TAG":
            return f"{self.key}${item.tags.get(self.key, '')}"
        return _VALUES[self.key](item, account)


def groupings(asked: Sequence[Mapping[str, str]]) -> tuple[Grouping, ...]:
    """GroupBy. Raises ServiceError ValidationException."""
    if len(asked) > 2:
        raise wrong("Number of groups exceeds the limit of 2.")
    found = []
    for one in asked:
        kind, key = one.get("Type", ""), one.get("Key", "")
        if kind not in ("DIMENSION", "TAG"):
            raise wrong(f"The embedded AWS groups by DIMENSION and TAG only, not by {kind or 'nothing'}.")
        if not key:
            raise wrong("A group needs a Key.")
        if kind == "DIMENSION":
            check_dimension(key)
        found.append(Grouping(kind, key))
    if len(set(found)) < len(found):
        raise wrong("A group is given twice.")
    return tuple(found)


def check_dimension(key: str) -> None:
    if key not in _VALUES:
        raise wrong(f"The embedded AWS has no dimension {key}. It has {', '.join(sorted(_VALUES))}.")


def dimension(item: Item, key: str, account: str) -> str:
    """An item's value of a dimension that `check_dimension` let through; "" for none."""
    return _VALUES[key](item, account)


def metrics(asked: Sequence[str]) -> tuple[str, ...]:
    """Metrics, each once. Raises ServiceError ValidationException."""
    if not asked:
        raise wrong("At least one metric is needed.")
    for one in asked:
        if one not in METRICS:
            raise wrong(f"The embedded AWS has no metric {one}. It has {', '.join(METRICS)}.")
    return tuple(dict.fromkeys(asked))


def matcher(expression: Params | None, account: str, depth: int = 0) -> Matches:
    """Filter as a question to an item. Raises ServiceError ValidationException for what cannot be asked."""
    if not expression:
        return lambda _: True
    if depth > _MOST_DEPTH:
        raise wrong("The filter is nested too deeply.")
    parts = [name for name, value in expression.items() if value]
    if len(parts) != 1:
        raise wrong("Expression has more than one roots. Only one root is allowed for each expression")
    (name,) = parts
    match name:
        case "And" | "Or":
            inner = [matcher(one, account, depth + 1) for one in expression[name]]
            if len(inner) < 2:
                raise wrong(f"{name} needs at least two expressions.")
            together = all if name == "And" else any
            return lambda item: together(one(item) for one in inner)
        case "Not":
            one = matcher(expression["Not"], account, depth + 1)
            return lambda item: not one(item)
        case "Dimensions":
            asked = expression["Dimensions"]
            key = asked.get("Key", "")
            check_dimension(key)
            fits = _fits(asked)
            return lambda item: fits(_VALUES[key](item, account))
        case "Tags":
            asked = expression["Tags"]
            key = asked.get("Key", "")
            if not key:
                raise wrong("A filter by tag needs a Key.")
            fits = _fits(asked)
            return lambda item: fits(item.tags.get(key, ""))
        case _:
            raise wrong(f"The embedded AWS cannot filter by {name}. Use Dimensions or Tags.")


def _fits(asked: Params) -> Callable[[str], bool]:
    """Values under MatchOptions: equal by default; "" and ABSENT mean what has no such value."""
    values, options = list(asked.get("Values") or ()), set(asked.get("MatchOptions") or ())
    ways = options - {"CASE_SENSITIVE", "CASE_INSENSITIVE"} or {"EQUALS"}
    if len(ways) > 1 or {"CASE_SENSITIVE", "CASE_INSENSITIVE"} <= options:
        raise wrong(f"MatchOptions {', '.join(sorted(options))} do not go together.")
    (way,) = ways
    if way not in ("ABSENT", *_COMPARE):
        raise wrong(f"The embedded AWS has no MatchOptions {way}.")
    if way == "ABSENT":
        return lambda value: value == ""
    if not values:
        raise wrong("A filter needs Values.")
    fold = str.casefold if "CASE_INSENSITIVE" in options else str
    wanted = [fold(value) for value in values]
    compare = _COMPARE[way]
    return lambda value: any(compare(fold(value), one) for one in wanted)
