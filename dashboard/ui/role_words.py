"""What the pages of roles say: sentences, figures and table rows from what core found. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dashboard.core.format import ago, count
from dashboard.core.iam.effective import Difference
from dashboard.core.iam.entities import Role
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.policy_text import PolicyText
from dashboard.core.iam.proposal import Basis, Evidence, Proposal
from dashboard.core.iam.recorded import Recorded
from dashboard.core.iam.seen.role_seen import RoleSeen
from dashboard.core.iam.usage import Duty, Use
from dashboard.ui.document_text import Mark
from dashboard.ui.page import Place
from dashboard.ui.strip import Figure
from dashboard.ui.tones import Tone

TRUST = "trust"
TONES = {
    Severity.CRITICAL: Tone.FAILED,
    Severity.HIGH: Tone.FAILED,
    Severity.MEDIUM: Tone.WAITING,
    Severity.LOW: Tone.STOPPED,
}
KINDS = {
    Kind.FULL_ACCESS: "full access",
    Kind.WILDCARD: "wildcard",
    Kind.PASS_ROLE: "passes roles on",
    Kind.PRIVILEGE_ESCALATION: "can give itself more",
    Kind.TRUST: "who may become it",
    Kind.SHARED_ROLE: "shared by several duties",
    Kind.UNUSED_ROLE: "unused",
    Kind.UNUSED_POLICY: "policy attached to nothing",
    Kind.RESOURCE_POLICY: "who may call it",
    Kind.FUNCTION_URL: "open address",
    Kind.UNKNOWN: "could not be judged",
}
DUTIES = {
    Duty.TRAINING: "training",
    Duty.ENDPOINT: "endpoints",
    Duty.FUNCTION: "functions",
    Duty.INSTANCE: "EC2 instances",
    Duty.NOTEBOOK: "notebooks",
}
PLACES = {
    Duty.TRAINING: (Place.RUN, "run"),
    Duty.ENDPOINT: (Place.ENDPOINT, "endpoint"),
    Duty.FUNCTION: (Place.FUNCTION, "function"),
}
BASES = {Basis.RECORDED: Tone.DONE, Basis.NEEDED: Tone.RUNNING, Basis.DROPPED: Tone.STOPPED}


def sentence(seen: RoleSeen, now: datetime) -> str:
    """The page's live sentence: what was found, what works as the role, when last."""
    found, worst = seen.findings, seen.worst
    if worst is None:
        told = "nothing was found"
    else:
        told = f"1 finding, {worst}" if len(found) == 1 else f"{count(len(found), 'finding')}, the worst {worst}"
    return f"{told}; {works(seen.duties)}; {when(seen.last, now)}"


def works(duties: Sequence[Duty]) -> str:
    """ "works for training and functions"."""
    return f"works for {joined([DUTIES[one] for one in duties])}" if duties else "nothing was seen to work as it"


def when(last: datetime | None, now: datetime) -> str:
    """When a role last acted. AWS keeps that for 400 days: never, it cannot say."""
    return f"last used {ago(last, now)}" if last else "no use on record"


def joined(words: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else list(words))


def figures(seen: RoleSeen, now: datetime) -> list[Figure]:
    """The strip: findings, policies, boundary, duties, last use."""
    role, worst, duties, last = seen.role, seen.worst, seen.duties, seen.last
    inline = sum(one.is_inline for one in role.policies)
    statements = sum(len(one.written) for one in role.policies)
    return [
        Figure(
            "role-findings",
            "Findings",
            count(len(seen.findings)),
            f"the worst is {worst}" if worst else "every check passed",
            tone=TONES[worst] if worst and worst is not Severity.LOW else "",
        ),
        Figure(
            "role-policies",
            "Policies",
            count(len(role.policies)),
            f"{count(statements, 'statement')}, {f'{inline} inline' if inline else 'none inline'}",
        ),
        Figure(
            "role-boundary",
            "Boundary",
            role.boundary.name if role.boundary else "none",
            "it may do no more than that" if role.boundary else "only its policies limit it",
        ),
        Figure(
            "role-duties",
            "Works for",
            count(len(duties), "duty", "duties") if duties else "nothing seen",
            joined([DUTIES[one] for one in duties]) if duties else "no job, endpoint, function or instance",
        ),
        Figure(
            "role-last",
            "Last used",
            ago(last, now) if last else "unknown",
            f"{last:%d %b %Y, %H:%M} UTC" if last else "AWS keeps the last 400 days",
        ),
    ]


def unchangeable(role: Role) -> str:
    """Why nobody may change the role here, in a sentence; "" where Kennel would."""
    if role.is_service_linked:
        return "A service made this role for itself and keeps it right: AWS refuses every change of it."
    if role.is_reserved:
        return "IAM Identity Center made this role: what it may do is changed there, in its permission set."
    return ""


def ordered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The worst first, then by kind and place."""
    return tuple(sorted(findings, key=lambda one: (one.severity.rank, one.kind, one.policy, one.place or 0)))


def marks(findings: Sequence[Finding], policy: str) -> dict[int, list[Mark]]:
    """What stands out in a policy: by the place of the statement, the worst first."""
    found: dict[int, list[Mark]] = {}
    for one in ordered(findings):
        if one.policy == policy and one.place is not None:
            found.setdefault(one.place, []).append(
                Mark(TONES[one.severity], f"{one.severity}, {KINDS[one.kind]}", one.reason)
            )
    return found


def kind_of(policy: PolicyText) -> str:
    """ "AWS managed", "customer managed", "inline"."""
    if policy.is_inline:
        return "inline"
    return "AWS managed" if policy.is_aws_managed else "customer managed"


def use_rows(uses: Sequence[Use]) -> list[dict[str, Any]]:
    """What works as the role, the latest first."""
    latest = sorted(uses, key=lambda one: (one.last is not None, one.last), reverse=True)
    return [
        {
            "Name": one.name,
            "Is": one.duty.value,
            "Last": one.last,
            "Origin": "sample" if one.sample else "",
            "ARN": one.arn,
        }
        for one in latest
    ]


def recorded_rows(recorded: Recorded) -> list[dict[str, Any]]:
    """What the role was seen to do, the latest first."""
    return [
        {
            "Action": one.right.action,
            "Resource": one.right.resource,
            "Calls": one.count,
            "Denied": one.denied,
            "First": one.first,
            "Last": one.last,
        }
        for one in sorted(recorded.calls, key=lambda one: one.last, reverse=True)
    ]


def evidence_rows(evidence: Sequence[Evidence]) -> list[dict[str, Any]]:
    """Each action with why it is in the proposal or not, in the order of Basis."""
    order = tuple(Basis)
    return [
        {"Action": one.action, "Basis": one.basis.value, "Why": one.detail, "Last seen": one.last}
        for one in sorted(evidence, key=lambda one: (order.index(one.basis), one.action.lower()))
    ]


def proposal_sentence(proposal: Proposal) -> str:
    """ "14 actions: 3 used as recorded and 11 needed by the code path; 873 not seen, dropped, 18 whole services among
    them".
    """
    by = evidence_of(proposal.evidence)
    kept = by[Basis.RECORDED] + by[Basis.NEEDED]
    words = {Basis.RECORDED: "used as recorded", Basis.NEEDED: "needed by the code path"}
    inside = joined([f"{by[basis]:,} {word}" for basis, word in words.items() if by[basis]])
    dropped = sum(one.stands_for for one in proposal.dropped)
    services = sum(one.action.endswith(":*") for one in proposal.dropped)
    among = f", {count(services, 'whole service')} among them" if services else ""
    told = f"{dropped:,} not seen, dropped{among}" if dropped else "nothing is dropped"
    return f"{count(kept, 'action')}{f': {inside}' if inside else ''}; {told}"


def effect_sentence(found: Difference) -> str:
    """ "most of them in sagemaker (412), s3 (98) and ec2 (40)"."""
    services = Counter(name.partition(":")[0] for name in found.lost)
    if not services:
        return ""
    most = joined([f"{name} ({number:,})" for name, number in services.most_common(3)])
    return f"{'most of them ' if len(services) > 3 else ''}in {most}"


def evidence_of(evidence: Sequence[Evidence]) -> Mapping[Basis, int]:
    """How many actions each basis has."""
    return {basis: sum(one.basis is basis for one in evidence) for basis in Basis}
