"""What the choices that were made teach, in a sentence each: for the first screen of a page about money. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from dashboard.core.costs.frontier import Wish, cheapest
from dashboard.core.costs.groups import Grouping, group
from dashboard.core.costs.outcomes import Outcome, by_work
from dashboard.core.costs.versus import platforms, sentence, spot_savings
from dashboard.core.format import count, percent

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
    groups = group(here, Grouping.WAY)
    if len(groups) > 1 and (answer := cheapest(groups, Wish())).choice is not None:
        said = f"{here[0].run.dataset}, {count(len(groups), 'way')} of training: {answer.sentence.removesuffix('.')}."
        told.append(Advice("cheapest", said, spent, query))
    for pair in platforms(works):
        if pair.is_alike and pair.saved is not None and abs(pair.saved) >= LEAST:
            told.append(Advice("SageMaker against EC2", f"{sentence(pair)}.", spent, query))
            break
    for saving in spot_savings(works):
        share = saving.pair.saved if saving.pair else saving.billed
        if share is not None and share >= LEAST:
            runs = count(saving.spot.n, "run")
            told.append(Advice("spot", f"Spot saved {percent(share)} on {saving.spot.title} ({runs}).", spent, query))
            break
    return tuple(told)


def _dearest(found: Sequence[Outcome]) -> str:
    """The address of the data whose trainings cost most."""
    sums: dict[str, Decimal] = {}
    for one in found:
        uri = one.run.dataset_uri.rstrip("/")
        sums[uri] = sums.get(uri, Decimal(0)) + (one.amount or 0)
    return max(sums, key=lambda uri: (sums[uri], uri))


def _sum(found: Sequence[Outcome]) -> Decimal:
    return sum((one.amount for one in found if one.amount is not None), Decimal(0))
