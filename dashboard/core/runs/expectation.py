"""What a launch was expected to cost and take, kept with the run in its tags, and set against what it did. Pure."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from dashboard.core import tags
from dashboard.core.costs.quote import Quote
from dashboard.core.costs.receipt import Expectation
from dashboard.core.format import duration, money, percent
from dashboard.core.runs.model import Run

CURRENCY = "USD"
"""The marks name no currency: sums in another one are not kept."""
LONGEST_FIGURE = 40
"""Characters of a figure; a tag that somebody wrote by hand may hold anything."""


def marks_of(likely: Quote, most: Quote, seconds: float | None) -> dict[str, str]:
    """The tags that keep a plan's expectation with its run; what is unknown has none."""
    told = {
        tags.EXPECTED_COST: _written(likely),
        tags.EXPECTED_MOST: _written(most),
        tags.EXPECTED_SECONDS: "" if seconds is None else f"{seconds:.1f}".removesuffix(".0"),
    }
    return {name: value for name, value in told.items() if value}


def expectation_of(run: Run) -> Expectation | None:
    """What was expected when a run was launched; None for one that does not say.

    A trial carries the tags of its tuning job, whose sums are of the whole search: it has none of its own.
    """
    if run.parent:
        return None
    amount, most = _figure(run.tags, tags.EXPECTED_COST), _figure(run.tags, tags.EXPECTED_MOST)
    seconds = _figure(run.tags, tags.EXPECTED_SECONDS)
    if amount is None and most is None and seconds is None:
        return None
    return Expectation(amount, most, None if seconds is None else float(seconds))


def seconds_taken(run: Run) -> float | None:
    """What its expected time is held against: the seconds of a training on its instances, a search's from end to end.

    None while it goes on. AWS counts a begun second as a whole one: a training takes no longer than from end to end.
    """
    if not run.status.is_final:
        return None
    whole = (run.ended - run.created).total_seconds() if run.ended else None
    if run.is_tuning:
        return whole
    told = run.training_seconds if run.training_seconds is not None else run.billable_seconds
    return told if told is None or whole is None else min(told, whole)


def off_by(expected: Decimal | None, actual: Decimal | None) -> Decimal | None:
    """How far what came is from what was expected, as a share of the latter: 0.17 for 17 % more.

    None when one of them is unknown, or nothing was expected.
    """
    return None if expected is None or actual is None or not expected else (actual - expected) / expected


def cost_against(expected: Expectation, actual: Decimal | None, *, has_ended: bool = True) -> str:
    """ "expected $0.012, cost $0.014 (+17 %)"; "" when neither the cost nor a bound was known at the launch."""
    if expected.amount is None:
        if expected.most is None:
            return ""
        return f"expected: unknown, at most {money(expected.most)}; {_cost(actual, has_ended=has_ended)}"
    return f"expected {money(expected.amount)}, {came(expected, actual, has_ended=has_ended)}"


def came(expected: Expectation, actual: Decimal | None, *, has_ended: bool = True) -> str:
    """What came of it: "cost $0.014 (+17 %)"; without the share while it goes on, or where nothing was expected."""
    return _cost(actual, has_ended=has_ended) + (_share(off_by(expected.amount, actual)) if has_ended else "")


def time_against(expected: Expectation, seconds: float | None, *, has_ended: bool = True) -> str:
    """ "expected 5 min, took 6 min (+20 %)"; "" when no time was expected."""
    if expected.seconds is None:
        return ""
    told = f"expected {duration(expected.seconds)}"
    if seconds is None:
        return told
    if not has_ended:
        return f"{told}, {duration(seconds)} so far"
    return f"{told}, took {duration(seconds)}" + _share(
        off_by(Decimal(str(expected.seconds)), Decimal(str(seconds)))
    )  # fmt: skip


def _cost(actual: Decimal | None, *, has_ended: bool) -> str:
    if actual is None:
        return "its cost is unknown"
    return f"cost {money(actual)}" if has_ended else f"{money(actual)} so far"


def _share(share: Decimal | None) -> str:
    if share is None:
        return ""
    if abs(share) < Decimal("0.005"):
        return " (as expected)"
    return f" ({'+' if share > 0 else '−'}{percent(float(abs(share)))})"


def _written(quote: Quote) -> str:
    return "" if quote.amount is None or quote.currency != CURRENCY else format(quote.amount, "f")[:LONGEST_FIGURE]


def _figure(told: Mapping[str, str], name: str) -> Decimal | None:
    """A figure of 0 or more; None for anything else."""
    text = told.get(name, "")
    try:
        figure = Decimal(text) if 0 < len(text) <= LONGEST_FIGURE else None
    except InvalidOperation:
        return None
    return figure if figure is not None and figure.is_finite() and figure >= 0 else None
