"""What needs attention though it costs nothing yet: roles at risk, alarms, endpoints that fail requests. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from dashboard.core import tags
from dashboard.core.alarms import Alarm
from dashboard.core.costs.receipt import Nature
from dashboard.core.format import ago, count, percent
from dashboard.core.iam import finding
from dashboard.core.iam.finding import Finding
from dashboard.core.iam.judge.audited import Audited, by_subject
from dashboard.core.overview import Attention, Severity
from dashboard.core.serving.health import MOSTLY, Answering, Health
from dashboard.core.setup.missing import Found, kinds
from dashboard.core.setup.pieces import Piece
from dashboard.core.setup.quotas import Zero

MOST = 3
"""Roles that are named one by one; the others with as grave a finding are one item together."""
NAMED = 3
"""Things of one item that are named."""
SET_UP = {"part": "Set up"}
"""The part of Settings, in its address."""
LATER = (Piece.SCHEDULER_ROLE, Piece.TRAINING_LOG, Piece.INSTANCE_LOG)
"""Pieces that are made by what needs them, or whose lack stops nothing."""
LONGEST = 240
"""Characters of a reason that somebody else wrote."""

BEING_SET_UP = (
    Attention(
        Severity.HINT,
        "this account is being set up",
        "CloudFormation is making what Kennel needs",
        "see how far it is",
        "setup",
        "",
        query=SET_UP,
    ),
)


def of_findings(findings: Sequence[Finding], audited: Audited) -> list[Attention]:
    """The roles, policies and functions with critical findings, the worst first; lesser ones are Security's."""
    critical = [one for one in findings if one.severity is finding.Severity.CRITICAL]
    about = by_subject(critical)
    items = [_at_risk(name, found, audited) for name, found in list(about.items())[:MOST]]
    others = len(about) - MOST
    if others > 0:
        items.append(
            Attention(
                Severity.CRITICAL,
                f"{count(others, 'more thing')} with critical findings",
                "each with its statement under Security",
                "see what mends them",
                "security",
                "",
            )
        )
    return items


def _at_risk(name: str, found: Sequence[Finding], audited: Audited) -> Attention:
    worst = found[0]
    role = audited.role(worst.role) if worst.role else None
    is_sample = role is not None and tags.is_sample(role.tags)
    more = f" ({count(len(found) - 1, 'more critical finding')})" if len(found) > 1 else ""
    return Attention(
        Severity.CRITICAL,
        f"{'role ' if role else ''}{name} is at risk",
        f"{worst.attack or worst.reason}{more}",
        worst.fix or "see what mends it",
        "security",
        name,
        nature=Nature.SAMPLE if is_sample else None,
        query={"finding": worst.key},
    )


def of_alarms(alarms: Iterable[Alarm], now: datetime) -> list[Attention]:
    """An item for each alarm that has gone off, leading to what it watches where Kennel has a page of that."""
    items = []
    for one in alarms:
        since = f"since {ago(one.since, now)}: " if one.since else ""
        leads = ("endpoint", {"endpoint": one.endpoint}) if one.endpoint else ("function", {"function": one.function})
        page, query = leads if one.endpoint or one.function else ("", {})
        items.append(
            Attention(
                Severity.WARNING,
                f"alarm {one.name} has gone off",
                f"{since}{one.why[:LONGEST] or one.metric}",
                "look at what it watches",
                page,
                one.name,
                query=query,
            )
        )
    return items


def of_missing(lacking: Iterable[Found]) -> list[Attention]:
    """One item while something is missing without which something does not start; what is made when it is needed
    counts with it, as Settings counts.
    """
    gone = [one for one in lacking if one.is_missing]
    stops = [one for one in gone if one.piece not in LATER]
    if not stops:
        return []
    return [
        Attention(
            Severity.WARNING,
            f"{count(len(gone), 'piece')} that Kennel needs {'is' if len(gone) == 1 else 'are'} missing",
            f"{stops[0].piece.without}: {kinds(gone)}",
            "set this account up",
            "setup",
            "",
            query=SET_UP,
        )
    ]


def of_quotas(zero: Sequence[Zero]) -> list[Attention]:
    """One item for the quotas that are zero: nothing of that kind starts until AWS raises them."""
    if not zero:
        return []
    stopped = list(dict.fromkeys(one.stops for one in zero))
    more = f" and {len(stopped) - NAMED} more" if len(stopped) > NAMED else ""
    return [
        Attention(
            Severity.HINT,
            f"{count(len(zero), 'quota')} of this account {'is' if len(zero) == 1 else 'are'} zero",
            f"not possible until AWS raises them: {', '.join(stopped[:NAMED])}{more}",
            "ask for those that are needed",
            "setup",
            "",
            query=SET_UP,
        )
    ]


def of_health(answering: Mapping[str, Answering]) -> list[Attention]:
    """An item for each endpoint, by name, that fails requests; one that is down is told of by its status already."""
    return [
        Attention(
            Severity.CRITICAL if one.share >= MOSTLY else Severity.WARNING,
            f"endpoint {name} fails {percent(one.share, 1 if one.share < MOSTLY else 0)} of its requests",
            f"{count(round(one.failed))} of {count(round(one.requests), 'request')} in the last 15 minutes were 5xx",
            "read its log",
            "endpoint",
            name,
            query={"endpoint": name},
        )
        for name, one in answering.items()
        if one.health is Health.FAILING
    ]
