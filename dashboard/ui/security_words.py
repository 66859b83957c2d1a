"""What the Security page says: its sentence, figures, filter and rows. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dashboard.core.format import ago, count
from dashboard.core.iam.entities import Role
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.judge import unused
from dashboard.core.iam.judge.audited import ACCOUNT, Audited, by_severity, by_subject, subject
from dashboard.core.iam.judge.risks import Accepted, Point
from dashboard.core.iam.judge.score import Score
from dashboard.core.iam.judge.unused import last_use
from dashboard.ui.figures_security import steady
from dashboard.ui.page import Place
from dashboard.ui.role_words import KINDS, TONES
from dashboard.ui.strip import Figure
from dashboard.ui.tones import LOOKS, Tone

STALE = timedelta(minutes=6)
"""A reading is made anew after five minutes, at the next look; one that is older is being made, or could not be."""
DAYS = (30, 90, 180, 365)
USUAL_DAYS = unused.DAYS
"""After how many days without a use a role may count as unused."""
WEEK = timedelta(days=7)
CLEAN, ACCEPTED = "✓ nothing found", "○ accepted"
"""Of a role without a finding that counts: whether it has one whose risk is accepted."""


@dataclass(frozen=True)
class Asked:
    """What the filter says; nothing chosen leaves everything in. kinds: in words, as the field and the address have
    them.
    """

    text: str = ""
    severities: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    def fits(self, finding: Finding) -> bool:
        """Whether a finding is left in. Each word of the text has to be somewhere in what is said of it."""
        told = " ".join((subject(finding), finding.policy, finding.reason, KINDS[finding.kind], finding.arn)).lower()
        return (
            (not self.severities or finding.severity in self.severities)
            and (not self.kinds or KINDS[finding.kind] in self.kinds)
            and all(word in told for word in self.text.lower().split())
        )


def age(at: datetime, now: datetime) -> str:
    """How old a reading of roles is, once it should have been made anew; "" before."""
    return f"as of {ago(at, now)}" if now - at > STALE else ""


def sentence(audited: Audited, findings: Sequence[Finding]) -> str:
    """The live sentence: who is the worst, and how many have anything that counts."""
    if not audited.roles and audited.unread:
        return "the roles could not be read"
    found = by_subject(findings)
    if not found:
        return f"{count(audited.judged, 'role')} looked at, nothing was found" + _as_far(audited)
    roles = {one.name for one in audited.roles}
    of_roles = sum(name in roles for name in found)
    beside = len(found) - of_roles
    told = [f"{of_roles:,} of {count(audited.judged, 'role')}"] if of_roles else []
    told += [count(beside, *_beside(found, roles))] if beside else []
    name, worst = next(iter(found.items()))
    have = "has" if of_roles + beside == 1 else "have"
    return f"{' and '.join(told)} {have} findings, the worst is {name}: {worst[0].severity}"


def _beside(found: Mapping[str, Sequence[Finding]], roles: set[str]) -> tuple[str, str]:
    """What it is that has findings beside roles: one of it, and several."""
    there = {
        "account" if name == ACCOUNT else "policy" if one.kind is Kind.UNUSED_POLICY else "function"
        for name, of in found.items()
        if name not in roles
        for one in of
    }
    if there == {"policy"}:
        return "policy", "policies"
    return ("function", "functions") if there == {"function"} else ("other thing", "other things")


def _as_far(audited: Audited) -> str:
    return ", as far as could be looked" if audited.unread else ""


def figures(
    audited: Audited,
    score: Score | None,
    findings: Sequence[Finding],
    held: Sequence[Finding] = (),
    points: Sequence[Point] = (),
    beside: str = "",
) -> list[Figure]:
    """The strip: score, critical, high, roles, accepted. beside: what the score says instead of how it went."""
    counts = by_severity(findings)
    named = by_subject(findings)
    with_findings = sum(1 for one in audited.roles if one.name in named)
    lesser = counts[Severity.MEDIUM] + counts[Severity.LOW]
    return [
        Figure(
            "score",
            "Score",
            f"{score.value} of 100" if score else "unknown",
            (beside or change(points)) if score else "the roles could not be read",
        ),
        Figure("critical", "Critical", count(counts[Severity.CRITICAL]), *_tone(counts, Severity.CRITICAL)),
        Figure("high", "High", count(counts[Severity.HIGH]), *_tone(counts, Severity.HIGH)),
        Figure("lesser", "Medium and low", count(lesser), f"{counts[Severity.MEDIUM]:,} medium"),
        Figure("roles", "Roles", count(audited.judged), _accepted(with_findings, held)),
    ]


def _tone(counts: Mapping[Severity, int], severity: Severity) -> tuple[str]:
    return ("none",) if not counts[severity] else (f"of {count(sum(counts.values()), 'finding')}",)


def _accepted(with_findings: int, held: Sequence[Finding]) -> str:
    found = f"{with_findings:,} with findings" if with_findings else "none with a finding"
    return f"{found}, {count(len(held), 'risk')} accepted" if held else found


def change(points: Sequence[Point]) -> str:
    """What the score is compared to: what it was a week ago, or when it was first counted."""
    if len(points) < 2:
        return "counted for the first time"
    last = points[-1]
    before = [one for one in points if one.at <= last.at - WEEK]
    then = before[-1] if before else points[0]
    by = last.score - then.score
    when = f"since {then.at:%-d %b}" if (last.at - then.at).days else f"since {then.at:%H:%M} UTC"
    return f"{by:+d} {when}" if by else steady([one for one in points if one.at >= then.at])


def rows(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """The table, a row a finding."""
    return [
        {
            "Role": subject(one),
            "Severity": [severity_label(one.severity)],
            "Kind": KINDS[one.kind],
            "What": _beside_its_policy(one),
            "Policy": one.policy or "–",
        }
        for one in findings
    ]


def _beside_its_policy(finding: Finding) -> str:
    """What is wrong, without the name of the policy, which has a column of its own."""
    for whose in ("AWS's policy", "the policy", "the inline policy"):
        told = finding.reason.removeprefix(f"{whose} {finding.policy} ")
        if told != finding.reason:
            return told
    return finding.reason


def ordered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The worst first, and of equals those of the role that is the worst as a whole, as the chart has them."""
    places = {name: place for place, name in enumerate(by_subject(findings))}
    return tuple(sorted(findings, key=lambda one: (one.severity.rank, places[subject(one)])))


def way(finding: Finding) -> tuple[Place, dict[str, str]] | None:
    """The page of what a finding is about; None where it has none."""
    if finding.role:
        return Place.ROLE, {"role": finding.role}
    return (Place.FUNCTION, {"function": subject(finding)}) if ":function:" in finding.arn else None


def severity_label(severity: Severity) -> str:
    """ "✕ critical"."""
    shapes = {Severity.CRITICAL: "✕", Severity.HIGH: "▲", Severity.MEDIUM: "◆"}
    return f"{shapes.get(severity, LOOKS[Tone.AHEAD].shape)} {severity}"


def looks(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    """The tone and label of each severity that there is, for the table's colours."""
    return [(TONES[one], severity_label(one)) for one in {finding.severity for finding in findings}]


def kinds(findings: Sequence[Finding]) -> list[Kind]:
    """Those kinds that there are, in the order of Kind."""
    there = {one.kind for one in findings}
    return [kind for kind in Kind if kind in there]


def plain(findings: Sequence[Finding], accepted: Mapping[str, Accepted]) -> list[dict[str, Any]]:
    """A row a finding for a file: what `as_record` tells, with the risk's acceptance beside it."""
    found = []
    for one in findings:
        record = one.as_record()
        record["statement"] = "" if one.statement is None else json.dumps(record["statement"], ensure_ascii=False)
        held = accepted.get(one.key)
        found.append(record | _acceptance(held))
    return found


def records(findings: Sequence[Finding], accepted: Mapping[str, Accepted]) -> list[dict[str, Any]]:
    """The same for JSON: a list of objects, as the command line prints it."""
    return [one.as_record() | _acceptance(accepted.get(one.key)) for one in findings]


def _acceptance(held: Accepted | None) -> dict[str, str]:
    if held is None:
        return {"accepted_until": "", "accepted_by": "", "accepted_why": ""}
    return {
        "accepted_until": held.until.isoformat(timespec="seconds"),
        "accepted_by": held.by,
        "accepted_why": held.reason,
    }


def role_rows(
    audited: Audited, findings: Sequence[Finding], held: Sequence[Finding], now: datetime
) -> list[dict[str, Any]]:
    """A row a role that can be changed, the worst first, those without a finding last. held: whose risk is accepted."""
    found = by_subject(findings)
    accepted = by_subject(held)
    order = {name: place for place, name in enumerate(found)}
    shown = [one for one in audited.roles if not one.is_service_linked and not one.is_reserved]
    shown.sort(key=lambda one: (order.get(one.name, len(order)), one.name))
    return [_role_row(one, audited, found.get(one.name, ()), len(accepted.get(one.name, ())), now) for one in shown]


def _role_row(
    role: Role, audited: Audited, findings: Sequence[Finding], accepted: int, now: datetime
) -> dict[str, Any]:
    last = last_use(role, audited.usage)
    counts = by_severity(findings)
    duties = audited.usage.duties(role.arn)
    return {
        "Role": role.name,
        "Worst": [severity_label(findings[0].severity) if findings else ACCEPTED if accepted else CLEAN],
        **{severity.value.capitalize(): counts[severity] or None for severity in Severity},
        "Accepted": accepted or None,
        "Works for": ", ".join(duties) or "–",
        "Last used": ago(last, now) if last is not None else "unknown",
        "Policies": len(role.policies),
        "Boundary": role.boundary.name if role.boundary is not None else "–",
    }


def switched_off(told: str, wait: timedelta, now: datetime) -> str:
    """Since when a role can do nothing, by its tag, and from when on it may be deleted."""
    try:
        since = datetime.fromisoformat(told)
    except ValueError:
        return f"is switched off; its tag does not say since when ({told})"
    if since.tzinfo is None:
        since = since.replace(tzinfo=now.tzinfo)
    due = since + wait
    when = "may be deleted now" if due <= now else f"may be deleted from {due:%Y-%m-%d} on"
    return f"is switched off since {since:%Y-%m-%d}; it {when}"


def looked(audited: Audited) -> str:
    """What was looked at, in a sentence."""
    service = len(audited.roles) - audited.judged
    parts = [count(audited.judged, "role"), count(len(audited.policies), "managed policy", "managed policies")]
    if audited.functions:
        parts.append(count(len(audited.functions), "function"))
    told = ", ".join(parts)
    beside = f"; {count(service, 'role')} that AWS keeps itself left out" if service else ""
    return f"Looked at: {told}{beside}. As of {audited.at:%Y-%m-%d %H:%M} UTC."
