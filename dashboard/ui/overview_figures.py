"""Overview's five figures: what runs, what serves, what today and the month cost, how safe the roles are."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from dashboard.core.aws import Account
from dashboard.core.costs.ledger.ledger import Ledger
from dashboard.core.costs.receipt import Nature, Service
from dashboard.core.costs.selection import Period, Selection
from dashboard.core.costs.spend.forecast import per_hour
from dashboard.core.format import UNKNOWN, count, duration, money
from dashboard.core.iam.finding import Severity
from dashboard.core.overview import ENDPOINTS, Overview
from dashboard.core.runs.remaining import Basis, Left
from dashboard.core.serving.health import Answering, Health
from dashboard.core.serving.span import Span
from dashboard.security_readings import Standing
from dashboard.ui import receipt, security_words, spend_words
from dashboard.ui.endpoint_words import per_minute
from dashboard.ui.page import Place
from dashboard.ui.strip import Figure
from dashboard.ui.tones import Tone

DAY = timedelta(days=1)
MINUTES = Span.QUARTER.length.total_seconds() / 60
"""Of which an endpoint's health is told."""


def figures(
    seen: Overview,
    today: Figure,
    month: Figure,
    standing: Standing | None,
    answers: Mapping[str, Answering],
    left: Mapping[str, Left],
    now: datetime,
) -> list[Figure]:
    """The strip: what runs, what serves and how well, what today and the month cost, how safe the roles are."""
    ended = sum(run.ended is not None and now - run.ended < DAY for run in seen.runs if not run.parent)
    soonest = min((one.seconds for one in left.values() if one.basis is not Basis.LIMIT), default=0.0)
    note = f"the next ends in about {duration(soonest)}" if soonest >= 1 else ""
    return [
        Figure(
            "running",
            "Running now",
            count(len(seen.running), "run"),
            note or f"{count(ended, 'run')} ended since yesterday",
            Place.RUNS,
            "Open runs",
        ),
        serving(seen, answers),
        today,
        month,
        security(standing),
    ]


def serving(seen: Overview, answers: Mapping[str, Answering]) -> Figure:
    """How many endpoints serve, and whether those that do answer."""
    if seen.why_unread(ENDPOINTS) is not None:
        return Figure(
            "serving", "Serving", UNKNOWN, "the endpoints could not be read", Place.ENDPOINTS, "Open Endpoints"
        )
    failing = sum(one.health is Health.FAILING for one in answers.values())
    down = sum(one.health is Health.DOWN for one in answers.values())
    asked = sum(one.requests for one in answers.values())
    parts = [f"{failing} failing requests"] if failing else []
    parts += [f"{down} down"] if down else []
    parts += [f"{per_minute(asked / MINUTES)}, all answered"] if asked and not parts else []
    parts += [moving] if (moving := on_the_way(seen)) else []
    quiet = "nobody asked in 15 min" if seen.serving else "none on the way"
    return Figure(
        "serving",
        "Serving",
        count(len(seen.serving), "endpoint"),
        ", ".join(parts) or quiet,
        Place.ENDPOINTS,
        "Open Endpoints",
        tone=Tone.FAILED if failing or down else "",
    )


def on_the_way(seen: Overview) -> str:
    """What will serve soon, and what soon will be gone: "1 more on the way, 2 being deleted"; "" for neither."""
    coming = sum(e.status.is_coming for e in seen.endpoints)
    going = sum(e.status.is_going for e in seen.endpoints)
    parts = [f"{coming} more on the way" if coming else "", f"{going} being deleted" if going else ""]
    return ", ".join(part for part in parts if part)


def today(seen: Overview, ledger: Ledger, account: Account, now: datetime) -> Figure:
    """What this day (UTC, as AWS bills) has cost so far, what yesterday did, and what everything there costs an hour:
    runs and endpoints as they are, notebooks and what else stands as their receipts tell.

    All of it is of one kind of money, that of the month's card.
    """
    nature = ledger.usual(is_embedded=account.is_embedded)
    day = now.astimezone(UTC).date()
    selection = Selection(nature, Period(day, day))
    before = ledger.total(selection.over(Period(day - DAY, day - DAY)))
    own = Nature.of({}, is_embedded=account.is_embedded)
    beside = [per_hour(one) for one in ledger.receipts if one.nature is nature and one.service is not Service.ENDPOINTS]
    hourly = (seen.per_hour if nature is own else seen.sample_per_hour) + sum(beside, Decimal(0))
    parts = [f"{money(hourly, seen.currency)}/h now"]
    if nature is own:
        parts += [f"{seen.unpriced} without a price"] if seen.unpriced else []
        parts += [f"the sample's {money(seen.sample_per_hour)}/h apart"] if seen.sample_per_hour else []
    parts += [f"{spend_words.sum_of(before)} yesterday"] if before.receipts else []
    return Figure(
        "today",
        "Today (UTC)",
        spend_words.sum_of(ledger.total(selection)),
        ", ".join(parts),
        Place.COSTS,
        "Open today",
        receipt.of(nature),
        query=selection.query(),
    )


def security(standing: Standing | None) -> Figure:
    """The score with its change; its tone is that of the worst finding that counts."""
    if standing is None:
        return Figure("security", "Security", "…", "the roles are being read", Place.SECURITY, "Open Security")
    found = standing.posture
    critical = sum(one.severity is Severity.CRITICAL for one in found.findings)
    note = security_words.change(standing.points) if found.score else "the roles could not be read"
    return Figure(
        "security",
        "Security",
        f"{found.score.value} of 100" if found.score else "unknown",
        f"{critical} critical, {note}" if critical else note,
        Place.SECURITY,
        "Open Security",
        tone=Tone.FAILED if critical else "",
    )
