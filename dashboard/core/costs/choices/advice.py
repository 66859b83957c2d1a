"""What the choices that were made teach, in a sentence each: for the first screen of a page about money. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from dashboard.core.costs.choices.frontier import Wish, beaten, cheapest
from dashboard.core.costs.choices.groups import Group, Grouping, group
from dashboard.core.costs.choices.outcomes import Outcome, Work, by_work
from dashboard.core.costs.choices.versus import ALONE, platforms, sentence, spot_savings
from dashboard.core.format import apart, count, duration, money, percent

LEAST = 0.02
"""A saving under this share of the cost is not worth a sentence."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One finding: what it says, the money that such runs have cost so far, and the query of Choices that shows it."""

    what: str
    sentence: str
    spent: Decimal
    query: Mapping[str, str] = field(default_factory=dict)


def advise(found: Sequence[Outcome]) -> tuple[Advice, ...]:
    """At most one sentence a kind of question, of the data that most money went to. `found` are of one nature."""
    if not found:
        return ()
    data = _dearest(found)
    here = [one for one in found if one.run.dataset_uri.rstrip("/") == data]
    query = {"of": here[0].nature.value, "data": here[0].run.dataset}
    spent = _sum(here)
    works = by_work(here)
    told = []
    told_change = _change(works)
    if told_change:
        told.append(Advice("change", told_change, spent, query))
    else:
        groups = [one for one in group(here, Grouping.WAY) if not one.is_cached]
        if len(groups) > 1 and (best := _cheapest(groups)) is not None:
            said = (
                f"Of {count(len(groups), 'way')} of training on {here[0].run.dataset} the cheapest is {told_of(best)}."
            )
            told.append(Advice("cheapest", said, spent, query))
    for pair in platforms(works):
        if pair.is_alike and pair.saved is not None and abs(pair.saved) >= LEAST and pair.is_sure:
            told.append(Advice("SageMaker against EC2", f"{sentence(pair)}.", spent, query))
            break
    for saving in spot_savings(works):
        share = saving.pair.saved if saving.pair else saving.billed
        is_told = told_change.startswith(f"{saving.spot.title} at ")
        is_sure = saving.pair is None or saving.pair.is_sure
        if share is not None and share >= LEAST and is_sure and not is_told:
            runs = count(saving.spot.n, "run")
            told.append(Advice("spot", f"Spot saved {percent(share)} on {saving.spot.title} ({runs}).", spent, query))
            break
    return tuple(told)


def _change(works: Mapping[Work, Sequence[Outcome]]) -> str:
    """The way of training that another one beats for the same work, and that it would have saved most on; "" without.

    Only where the runs took a measured or published time: an estimate is no reason to change anything.
    """
    best: tuple[Decimal, str] = (Decimal(0), "")
    for members in works.values():
        groups = {one.name: one for one in group([one for one in members if not one.is_guessed], Grouping.WAY)}
        for name, by in beaten(tuple(groups.values())).items():
            worse, better = groups[name], groups[by]
            if worse.cost is None or better.cost is None:
                continue
            is_alone = better.platforms != worse.platforms  # whose sums hold unlike things
            before, after = (_cost(one, is_alone=is_alone) for one in (worse, better))
            each = before - after
            if each < before * Decimal(str(LEAST)):
                continue
            told = f"{told_of(better, is_alone=is_alone)} did the work of {told_of(worse, is_alone=is_alone)}"
            has_more = is_alone and any(one.instances is not None for one in (*better.outcomes, *worse.outcomes))
            said = f"{told}: {apart(before, after)} less a run{ALONE if has_more else ''}."
            said += "".join(f" {read}." for one in (better, worse) if (read := one.reading))
            best = max(best, (each * worse.n, said))
    return best[1]


def _cheapest(groups: Sequence[Group]) -> Group | None:
    """The cheapest, where it stays that however a time is read that can be read in two ways."""
    best = cheapest(groups, Wish()).choice
    read = cheapest([one.otherwise or one for one in groups], Wish()).choice
    return best if best is None or (read is not None and read.name == best.name) else None


def _cost(one: Group, *, is_alone: bool) -> Decimal:
    cost = one.alone if is_alone and one.alone else one.cost
    return cost.median if cost else Decimal(0)


def told_of(one: Group, *, is_alone: bool = False) -> str:
    """A choice with cost and duration: "EC2 c5.large at $0.0012 in 1 min 9 s"; the cost of its instances alone."""
    took = duration(one.seconds.median if one.seconds else None)
    guessed = "an estimated " if any(outcome.is_guessed for outcome in one.outcomes) else ""
    return f"{one.title} at {money(_cost(one, is_alone=is_alone) if one.cost else None)} in {guessed}{took}"


def _dearest(found: Sequence[Outcome]) -> str:
    """The address of the data whose trainings cost most."""
    sums: dict[str, Decimal] = {}
    for one in found:
        uri = one.run.dataset_uri.rstrip("/")
        sums[uri] = sums.get(uri, Decimal(0)) + (one.amount or 0)
    return max(sums, key=lambda uri: (sums[uri], uri))


def _sum(found: Sequence[Outcome]) -> Decimal:
    return sum((one.amount for one in found if one.amount is not None), Decimal(0))
