"""Pairs and what-ifs as rows, sentences and spans: what was set against what, and how an estimate was made. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from textwrap import wrap
from typing import Any

from dashboard.core.costs.choices.groups import Group
from dashboard.core.costs.choices.outcomes import Outcome, Work
from dashboard.core.costs.choices.scaling import Scaling, Step
from dashboard.core.costs.choices.versus import Pair, SpotSaving, trained
from dashboard.core.costs.choices.what_if import Option
from dashboard.core.format import count, duration, money, percent
from dashboard.ui.figures_choice_bars import Span

WHAT_IF_NOTE = (
    "A full mark was measured, a diamond is replayed from a write-up, a hollow one is an estimate; the line is its "
    "range. In another region the data must lie there too: moving it is not in the sum."
)


SUMS = ("Cost", "Cost from", "Cost to")
"""Columns of tables that hold sums of money."""


def work_names(works: Iterable[Work]) -> dict[str, Work]:
    """Each work by a name that tells it from the others."""
    named: dict[str, Work] = {}
    for one in works:
        word, number = one.word, 2
        while word in named:
            word, number = f"{one.word} ({number})", number + 1
        named[word] = one
    return named


def plain(row: Mapping[str, Any], money: str) -> dict[str, Any]:
    """A row as a file has it: durations in seconds, sums as numbers of US dollars to a billionth, each with its unit,
    and the kind of `money` that they are."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, timedelta):
            found[f"{name} (s)"] = value.total_seconds()
        elif name in SUMS and not isinstance(value, str):
            found[f"{name} (USD)"] = None if value is None else round(value, 9)
        else:
            found[name] = value
    return found | {"Money": money}


def spot_sentence(found: Sequence[SpotSaving]) -> str:
    """What spot saved, of the pair that most runs say."""
    paired = [one for one in found if one.pair is not None and one.pair.saved is not None]
    if paired:
        one = max(paired, key=lambda saving: saving.pair.n if saving.pair else 0)
        pair = one.pair
        if pair is not None and pair.saved is not None:
            verb = f"saved {percent(pair.saved)}" if pair.saved >= 0 else f"cost {percent(-pair.saved)} more"
            longer = pair.slower or 0.0
            took = f"{duration(abs(longer))} {'longer' if longer >= 0 else 'shorter'}"
            runs = f"{count(pair.one.n, 'run')} against {pair.other.n}"
            return f"Spot {verb} on {one.spot.title.removesuffix(' spot')} and trained {took} ({runs})."
    told = next((one for one in found if one.billed is not None), None)
    if told is None:
        return "None of these was run on demand too, so that nobody can say what spot saved."
    said = f"AWS billed {percent(told.billed)} less than it trained on {told.spot.title}"
    return f"{said}; the same was not run on demand, so that there is no pair."


def scaling_rows(found: Sequence[Scaling]) -> list[dict[str, Any]]:
    """One row a number of instances: T1, TN, efficiency, what it costs more."""
    return [
        {
            "Instances": f"{step.count} × {one.instance_type}",
            "Runs": f"{step.n} against {one.base.n}",
            "Fewest": f"{duration(one.base.seconds)} on {one.base.count}",
            "All": duration(step.seconds),
            "Faster": _times(one.speedup(step)),
            "Efficiency": " or ".join(_whole(one.efficiency(read)) for read in _readings(one, step)),
            "Cost": " or ".join(_more(one.dearer(read)) for read in _readings(one, step)),
            "Paid": one.capacity.value.replace("-", " ") + (", one on demand" if one.is_mixed else ""),
            "Work": one.work.word,
        }
        for one in found
        for step in one.steps
    ]


def spot_rows(found: Sequence[SpotSaving]) -> list[dict[str, Any]]:
    """One row a way that was run on spot: saved against the same on demand, and AWS's own figure."""
    return [
        {
            "Choice": one.spot.title,
            "Runs": f"{one.spot.n} against {one.pair.other.n}" if one.pair else f"{one.spot.n} against 0",
            "Cost": money(one.spot.cost.median if one.spot.cost else None),
            "On demand": money(one.pair.other.cost.median if one.pair and one.pair.other.cost else None),
            "Saved": _whole(one.pair.saved if one.pair else None),
            "By AWS": _whole(one.billed),
            "Longer": "unknown" if one.pair is None else duration(one.pair.slower),
            "Work": one.work.word,
        }
        for one in found
    ]


def pair_rows(found: Sequence[Pair]) -> list[dict[str, Any]]:
    """One row a pair of SageMaker and EC2 for the same work."""
    return [
        {
            "SageMaker": one.one.title.removeprefix("SageMaker "),
            "EC2": one.other.title.removeprefix("EC2 "),
            "Runs": f"{one.one.n} and {one.other.n}",
            "On SageMaker": _cost_in(one.one),
            "On EC2": _cost_in(one.other),
            "Cheaper": _cheaper(one),
            "Machines": "alike" if one.is_alike else "others",
            "Work": one.work.word,
        }
        for one in found
    ]


def option_rows(found: Sequence[Option], deadline: float | None) -> list[dict[str, Any]]:
    """One row an option of a what-if, with how its figures were made or why there are none."""
    return [
        {
            "Choice": one.way.word,
            "Region": one.region,
            "Rests on": one.basis.value,
            "Took": duration(one.seconds.likely if one.seconds else None),
            "Cost": about(one),
            "Cost from": None if one.cost is None else float(one.cost.low),
            "Cost to": None if one.cost is None else float(one.cost.high),
            **({"Within": within(one, deadline)} if deadline is not None else {}),
            "How": one.how if one.cost is not None else one.why_unknown,
        }
        for one in found
    ]


def option_files(found: Sequence[Option], deadline: float | None) -> list[dict[str, Any]]:
    """The same rows for a file: a figure that a page says with "about" is a number, and what it rests on is beside."""
    likely = [
        {
            "Took": None if one.seconds is None else timedelta(seconds=round(one.seconds.likely, 1)),
            "Cost": None if one.cost is None else float(one.cost.likely),
        }
        for one in found
    ]
    return [row | figures for row, figures in zip(option_rows(found, deadline), likely, strict=True)]


def option_spans(found: Sequence[Option], deadline: float | None, *, several: bool) -> list[Span]:
    """The options of known cost as they are drawn; the region is named where there are several, what is late grey."""
    return [
        Span(
            f"{one.way.word}, {one.region}" if several else one.way.word,
            float(one.cost.low),
            float(one.cost.likely),
            float(one.cost.high),
            one.basis,
            f"{about(one)}, {duration(one.seconds.likely if one.seconds else None)}",
            "<br>".join(
                (
                    f"{one.way.word} in {one.region}",
                    f"{money(one.cost.low)} to {money(one.cost.high)}",
                    *wrapped(one.how),
                )
            ),
            deadline is not None and within(one, deadline) == "no",
        )
        for one in found
        if one.cost is not None
    ]


def about(one: Option) -> str:
    """What an option costs, "≈" before an estimate."""
    if one.cost is None:
        return "unknown"
    return f"{'≈ ' if one.basis.is_estimate else ''}{money(one.cost.likely)}"


def within(one: Option, deadline: float) -> str:
    """Whether an option ends in time: surely, perhaps, or not."""
    if one.seconds is None:
        return "unknown"
    return "yes" if one.seconds.high <= deadline else "perhaps" if one.seconds.low <= deadline else "no"


def best_option(found: Sequence[Option], deadline: float | None) -> Option | None:
    """The cheapest that surely, or perhaps, ends in time; `found` are the cheapest first."""
    known = [one for one in found if one.cost is not None]
    return next((one for one in known if deadline is None or within(one, deadline) in ("yes", "perhaps")), None)


def again(best: Option | None, works: Sequence[Outcome], home: str) -> dict[str, str]:
    """The query of Train that does this work in that way; {} where it cannot: elsewhere, or data that is not there."""
    like = next((one.run for one in works if not one.run.is_replayed), None)
    if best is None or like is None or best.region != home:
        return {}
    way = best.way
    told = {"like": like.key, "platform": way.platform.value, "instance": way.instance_type}
    return told | {"capacity": way.capacity.value, "count": str(way.count)}


def what_if_sentence(found: Sequence[Option], deadline: float | None, home: str) -> str:
    """The finding of a what-if: the cheapest that surely, or perhaps, does it, and how it is known."""
    best = best_option(found, deadline)
    if best is None:
        has_cost = any(one.cost is not None for one in found)
        return f"Nothing that was asked for {'ends in time' if has_cost else 'has a known cost'}"
    where = "" if best.region == home else f" in {best.region}"
    sure = "as measured" if not best.basis.is_estimate else best.basis.value
    if deadline is not None and within(best, deadline) == "perhaps":
        sure += ", perhaps in time"
    asked = "" if deadline is None else f" within {duration(deadline)}"
    return f"Cheapest{asked}: {best.way.word}{where} at {about(best)} ({sure})"


def wrapped(text: str, width: int = 70) -> list[str]:
    """A long sentence in lines, for a hover."""
    return wrap(text, width)


def _readings(one: Scaling, step: Step) -> list[Step]:
    """A step as its time is read, and as it can be read too."""
    return [read for read in (step, one.otherwise(step)) if read is not None]


def _cost_in(side: Group) -> str:
    return f"{money(side.alone.median if side.alone else None)} in {duration(trained(side))}"


def _cheaper(pair: Pair) -> str:
    if pair.saved is None:
        return "unknown"
    if round(pair.saved, 3) == 0:
        return "alike"
    share = pair.saved if pair.saved > 0 else pair.saved / (pair.saved - 1)
    return f"{'SageMaker' if pair.saved > 0 else 'EC2'} by {percent(share)}"


def _times(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}×"


def _whole(share: float | None) -> str:
    if share is None:
        return "unknown"
    return f"−{percent(-share)}" if share < 0 else percent(share)


def _more(share: float | None) -> str:
    if share is None:
        return "unknown"
    return f"{'+' if share >= 0 else '−'}{percent(abs(share))}"
