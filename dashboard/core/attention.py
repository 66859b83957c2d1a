"""What money says needs attention: budgets burst or about to be, what is past its time, what nobody uses. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from dashboard.core.costs.budgets.budgets import Budget
from dashboard.core.costs.budgets.standing import Level, Standing, against
from dashboard.core.costs.ledger.ledger import Ledger
from dashboard.core.costs.receipt import Nature, Service
from dashboard.core.costs.selection import Period, Selection
from dashboard.core.costs.spend.statement import month_forecast
from dashboard.core.costs.waste.expiry import expires, is_past
from dashboard.core.costs.waste.waste import Finding, Kind, Sweep, Thing, by_thing, together, told
from dashboard.core.format import count, money
from dashboard.core.overview import Attention, Overview, Severity, in_order
from dashboard.core.serving.model import Endpoint

MOST = 3
"""Things that are named one by one; what else is wasted is one item together."""


def with_money(
    seen: Overview, ledger: Ledger, budgets: Iterable[Budget], sweep: Sweep | None, now: datetime, *, is_embedded: bool
) -> Overview:
    """The overview with what money says, among the rest by its weight. `sweep` is None while none has been made.

    Waste is of the one nature of money that pages show first; what a schedule deletes anyway needs nobody.
    """
    nature = ledger.usual(is_embedded=is_embedded)
    over = budgets_burst(budgets, ledger, Nature.of({}, is_embedded=is_embedded), now)
    scheduled = {one.name for one in ledger.receipts if one.ends is not None and one.service is Service.ENDPOINTS}
    scheduled |= {one.name for one in (sweep.findings if sweep else ()) if one.scheduled is not None}
    past = [
        one
        for one in seen.endpoints
        if one.status.is_billed and is_past(one.tags, now) and Nature.of(one.tags, is_embedded=is_embedded) is nature
    ]
    wasted = past_their_time([one for one in past if one.name not in scheduled], nature)
    there = {one.name for one in seen.endpoints if one.status.is_billed}
    told_of = {one.name for one in past} | scheduled
    unused = [
        one
        for one in (sweep.of(nature) if sweep else ())
        if one.scheduled is None and (one.thing is not Thing.ENDPOINT or one.name in there - told_of)
    ]
    wasted += nobody_uses(unused, nature)
    about = told_of | {one.name for one in unused if one.thing is Thing.ENDPOINT}
    rest = [one for one in seen.attention if one.severity is not Severity.HINT or one.name not in about]
    return replace(seen, attention=in_order([*rest, *over, *wasted]))


def budgets_burst(budgets: Iterable[Budget], ledger: Ledger, nature: Nature, now: datetime) -> list[Attention]:
    """An item for each budget that the month that goes on has burst, or is about to."""
    found = []
    for budget in budgets:
        only = ((budget.scope.by, budget.group),) if budget.scope.by is not None else ()
        selection = Selection(nature, Period.parse("", now), only=only)
        if not budget.is_of(selection):
            continue
        coming = month_forecast(ledger, selection, now.astimezone(UTC).date())
        stands = against(budget, ledger.total(selection).amount, now, coming)
        if stands.level.is_warning:
            found.append(_burst(stands, selection))
    return found


def _burst(stands: Standing, selection: Selection) -> Attention:
    is_over = stands.level is Level.OVER
    beyond = (stands.spent if is_over else stands.expected or stands.spent) - stands.budget.limit
    return Attention(
        Severity.CRITICAL if is_over else Severity.WARNING,
        f"budget of {stands.budget.words}: {stands.level}",
        stands.warning,
        "see what it goes to, or change the limit",
        "spend",
        stands.budget.name,
        nature=selection.nature,
        dollars=max(beyond, Decimal(0)),
        query=selection.query(),
    )


def past_their_time(endpoints: Iterable[Endpoint], nature: Nature) -> list[Attention]:
    """An item for each endpoint that was to be gone by now."""
    found = []
    for one in endpoints:
        when, hourly = expires(one.tags), one.hourly.amount
        per_day = None if hourly is None else hourly * 24
        why = f"it was to be gone on {told(when)}" if when else ""
        what = f"endpoint {one.name} is {Kind.EXPIRED.word}"
        found.append(_waste(what, why, "delete it, or keep it for longer", one.name, per_day, nature))
    return found


def nobody_uses(findings: Sequence[Finding], nature: Nature) -> list[Attention]:
    """An item for each of the dearest things that nobody uses, and one for all others together."""
    things = by_thing(findings)
    found = []
    for about in things[:MOST]:
        one = about[0]
        why = next((fact.what for fact in one.evidence if fact.what), "")
        what = f"{one.thing} {one.of or one.name}: {one.kind.word}"
        found.append(_waste(what, why, "see what can be done", one.name, one.per_day, nature))
    others = [one for about in things[MOST:] for one in about]
    if others:
        rest = together(others)
        what = f"{count(rest.things, 'more thing')} that cost for nothing"
        per_day = rest.per_day if rest.unknown < rest.things else None
        found.append(_waste(what, "each with its evidence under Waste", "see what can be done", "", per_day, nature))
    return found


def _waste(what: str, why: str, next_step: str, name: str, per_day: Decimal | None, nature: Nature) -> Attention:
    cost = "at an unknown price" if per_day is None else f"{money(per_day)} a day"
    query = {"of": nature.value}
    return Attention(
        Severity.WARNING,
        f"{what}, {cost}",
        why,
        next_step,
        "waste",
        name,
        nature=nature,
        dollars=per_day or Decimal(0),
        query=query,
    )
