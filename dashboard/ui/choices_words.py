"""Choices in words, rows and drawn figures. Pure."""

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from html import escape
from typing import Any

from dashboard.core.costs.choices.frontier import Answer, Wish
from dashboard.core.costs.choices.groups import Group, Spread
from dashboard.core.costs.choices.outcomes import Outcome
from dashboard.core.format import count, duration, money, percent
from dashboard.ui.figures_choice_bars import Bar
from dashboard.ui.figures_choices import Dot, letters

MOST_DOTS = 60
MOST_REASONS = 2


def title_sentence(groups: Sequence[Group], by: str, data: str = "") -> str:
    """Choices' live sentence: how many runs, put together how, and what the dearest cost more than the cheapest."""
    runs = sum(one.n for one in groups)
    of = f" of {data}" if data else ""
    told = f"{count(runs, 'completed run')}{of}, {count(len(groups), 'choice')} by {by}"
    known = [one.cost.median for one in groups if one.cost is not None]
    if len(known) > 1 and min(known) > 0:
        times = max(known) / min(known)
        if times >= Decimal("1.05"):
            told += f", the dearest {float(times):.2g} times the cheapest" if times < 100 else ", far apart in cost"
    return told


def marked(groups: Sequence[Group]) -> dict[str, str]:
    """The letter of each group, by its name, in their order."""
    return dict(zip((one.name for one in groups), letters(len(groups)), strict=True))


def drawn(groups: Sequence[Group], beaten: Mapping[str, str]) -> list[Group]:
    """The groups that can be drawn: of known cost and duration, the first MOST_DOTS, those that none beats before."""
    known = [one for one in groups if one.cost is not None and one.seconds is not None]
    if len(known) <= MOST_DOTS:
        return known
    first = [one for one in known if one.name not in beaten][:MOST_DOTS]
    rest = [one for one in known if one.name in beaten][: MOST_DOTS - len(first)]
    chosen = {one.name for one in (*first, *rest)}
    return [one for one in known if one.name in chosen]


def dots(groups: Sequence[Group], beaten: Mapping[str, str], answer: Answer) -> list[Dot]:
    """The groups as they are drawn, under the letters that they have in the table."""
    marks = marked(groups)
    return [
        Dot(
            marks[one.name],
            one.title,
            (one.seconds.least, one.seconds.median, one.seconds.most),
            (float(one.cost.least), float(one.cost.median), float(one.cost.most)),
            one.accuracy.median if one.accuracy else None,
            is_grey=one.name in beaten,
            is_answer=answer.choice is not None and answer.choice.name == one.name,
            told="<br>".join(
                (
                    f"{marks[one.name]} {escape(one.title, quote=False)}, {count(one.n, 'run')}",
                    _spread(one.cost.median, one.cost.least, one.cost.most),
                    f"{duration(one.seconds.median)} from launch to end",
                    f"{_right(one)} right" if one.accuracy else "accuracy unknown",
                )
            ),
        )
        for one in drawn(groups, beaten)
        if one.cost is not None and one.seconds is not None
    ]


def finding(groups: Sequence[Group], beaten: Mapping[str, str]) -> str:
    """The sentence above the frontier: which choices are left once those are gone that another one beats."""
    priced = [one for one in groups if one.cost is not None]
    marks = marked(groups)
    if len(priced) < 2:
        return "One choice so far: train the same in another way to compare"
    left = [marks[one.name] for one in priced if one.name not in beaten]
    if len(left) == len(priced):
        return f"None of {count(len(priced), 'choice')} is beaten: each is cheaper, quicker or more accurate"
    gone = count(len(priced) - len(left), "choice")
    if len(left) == 1:
        return f"{left[0]} beats all others in cost, time and accuracy as far as known"
    named = ", ".join(left[:-1]) + f" and {left[-1]}" if len(left) <= 6 else f"{len(left)} choices"
    return f"{named} are worth choosing between; {gone} another one beats"


def choice_rows(groups: Sequence[Group], beaten: Mapping[str, str]) -> list[dict[str, Any]]:
    """One row a choice: figures are numbers underneath, so that they can be sorted and written to a file."""
    marks = marked(groups)
    return [
        {
            "Mark": marks[one.name],
            "Choice": one.title,
            "Runs": one.n,
            "Cost": None if one.cost is None else float(one.cost.median),
            "Took": None if one.seconds is None else timedelta(seconds=round(one.seconds.median)),
            "Accuracy": None if one.accuracy is None else one.accuracy.median * 100,
            "Cost from": None if one.cost is None else float(one.cost.least),
            "Cost to": None if one.cost is None else float(one.cost.most),
            "Beaten by": marks.get(beaten.get(one.name, ""), ""),
        }
        for one in groups
    ]


def cost_bars(groups: Sequence[Group], beaten: Mapping[str, str]) -> list[Bar]:
    """Each group's cost."""
    return [
        Bar(
            mark,
            one.title,
            None if one.cost is None else float(one.cost.median),
            0.0 if one.cost is None else float(one.cost.least),
            0.0 if one.cost is None else float(one.cost.most),
            f"{middle(one)} ({one.n})",
            one.name in beaten,
        )
        for mark, one in zip(letters(len(groups)), groups, strict=True)
    ]


def time_bars(groups: Sequence[Group], beaten: Mapping[str, str], length: float) -> list[Bar]:
    """Each group's duration, in units of `length` seconds."""
    found = []
    for mark, one in zip(letters(len(groups)), groups, strict=True):
        its: Spread[float] | None = one.seconds
        found.append(
            Bar(
                mark,
                one.title,
                None if its is None else its.median / length,
                0.0 if its is None else its.least / length,
                0.0 if its is None else its.most / length,
                f"{duration(its.median if its else None)} ({one.n})",
                one.name in beaten,
                one.cost is None,
            )
        )
    return found


def middle(one: Group) -> str:
    """A group's cost: "$0.0012", "about $0.0012" at an estimated price, or "unknown"."""
    return f"{'about ' if one.is_estimate and one.cost else ''}{money(one.cost.median if one.cost else None)}"


def amount(one: Outcome) -> str:
    """What one run cost, written the same way."""
    return f"{'about ' if one.is_estimate and one.amount is not None else ''}{money(one.amount)}"


def ends(bars: Sequence[Bar]) -> str:
    """The finding of some bars: which has the least, and how much more the most has: "B least, D 4.2 times that"."""
    known = [(one.value, one.letter) for one in bars if one.value is not None]
    if not known:
        return "unknown"
    (least, first), (most, last) = min(known), max(known)
    if first == last or not least or most / least < 1.05:
        return f"{first} least" if len(known) > 1 else first
    times = most / least
    return f"{first} least, {last} {f'{times:.2g}' if times < 10 else f'{times:,.0f}'} times that"


def places(groups: Sequence[Group]) -> int:
    """Places after the point of a column of these costs: three digits of the least, 2 to 5."""
    least = min((float(one.cost.least) for one in groups if one.cost and one.cost.least > 0), default=1.0)
    return max(2, min(5, 2 - math.floor(math.log10(least))))


def cached(found: Sequence[Outcome]) -> str:
    """What is to be known of the runs whose features came from a cache; "" without one.

    Beside others they are not judged by; where there are no others all of what is said is said of them.
    """
    number = sum(one.is_cached for one in found)
    if not number:
        return ""
    if number < len(found):
        told = f"{count(number, 'run')} took the features from the cache of an earlier run and did less work"
        return f"{told}: such runs stand apart, and no other choice is judged by them."
    who, them = ("The one run", "it") if number == 1 else (f"All {number:,} runs", "them")
    return (
        f"{who} took the features from the cache of an earlier run: what is said of {them} holds where the next run "
        "finds them there too. One that computes its features takes longer and costs more."
    )


def silent_on_cache(silent: int, runs: int) -> str:
    """What is to be known of runs of which nobody knows whether their features came from a cache."""
    if runs == 1:
        return (
            "The one run does not say whether its features came from a cache: where they did, its time and cost are "
            "those of less work."
        )
    told = f"{silent} of {count(runs, 'run')} do not say whether their features came from a cache"
    return f"{told}: where they did, their time and cost are those of less work."


def unknowns(groups: Sequence[Group]) -> str:
    """Why costs are unknown: of the first such choices by name, and how many more there are; "" when all are known."""
    silent = [one for one in groups if one.cost is None]
    if not silent:
        return ""
    told = "; ".join(f"{one.title}: {one.why_unknown or 'its receipts say why'}" for one in silent[:MOST_REASONS])
    more = len(silent) - MOST_REASONS
    return f"Unknown cost: {told}{f'; {more} more' if more > 0 else ''}."


def legend(dots: Sequence[Dot], wish: Wish, hidden: int = 0) -> str:
    """What the marks of the frontier mean, as far as they are in it."""
    parts = ["larger is more accurate"] if any(one.accuracy is not None for one in dots) else []
    if any(one.accuracy is None for one in dots):
        parts.append("hollow with ? has no known accuracy")
    if wish.accuracy is not None:
        parts.append("a cross falls short of what is asked")
    if any(one.is_grey for one in dots):
        parts.append("grey is beaten: another was no dearer, no slower and no worse")
    if any(one.seconds[2] > one.seconds[0] for one in dots):
        parts.append("lines reach from the least to the most of its runs")
    if hidden:
        parts.append(f"{count(hidden, 'choice')} more are in the table only")
    said = "; ".join(parts)
    return f"{said[:1].upper()}{said[1:]}." if said else ""


def _right(one: Group) -> str:
    return percent(one.accuracy.median if one.accuracy else None, 1)


def _spread(middle: Decimal, least: Decimal, most: Decimal) -> str:
    return money(middle) if least == most else f"{money(middle)}, {money(least)} to {money(most)}"
