"""What speaks for each action of a proposal, and what against each that it drops. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from dashboard.core.iam import actions
from dashboard.core.iam.least.grants import Grant
from dashboard.core.iam.proposal import Basis, Evidence
from dashboard.core.iam.recorded import Recorded, RecordedCall
from dashboard.core.iam.seen.last_accessed import TRACKED, LastAccessed

NEAR = frozenset({"cloudwatch", "ec2", "ecr", "iam", "kms", "lambda", "logs", "s3", "sagemaker", "ssm", "sts"})
"""Services that this kind of work has to do with: what is dropped of them is told action by action."""


@dataclass(frozen=True)
class Seen:
    """How often an action was used, and when last."""

    count: int
    last: datetime


def seen_in(calls: Iterable[RecordedCall]) -> dict[str, Seen]:
    """What calls that were let through say of each action, by its name in lower case."""
    found: dict[str, Seen] = {}
    for call in calls:
        allowed = call.count - call.denied
        if allowed <= 0:
            continue
        name = call.right.action.lower()
        known = found.get(name, Seen(0, call.last))
        found[name] = Seen(known.count + allowed, max(known.last, call.last))
    return found


def kept(grants: Iterable[Grant], seen: Mapping[str, Seen], accessed: LastAccessed | None) -> tuple[Evidence, ...]:
    """One row an action that a proposal has, as recorded where it was, else as its duty's code path has it."""
    why: dict[str, str] = {}
    for grant in grants:
        for action in grant.actions:
            why.setdefault(action, grant.why)
    rows = []
    for action, reason in sorted(why.items()):
        used, last = seen.get(action.lower()), accessed.last(action) if accessed else None
        if used:
            rows.append(Evidence(action, Basis.RECORDED, f"Used {_times(used.count)}: {reason}.", used.last))
        elif last:
            rows.append(Evidence(action, Basis.RECORDED, f"Used, says IAM's last-accessed data: {reason}.", last))
        else:
            rows.append(Evidence(action, Basis.NEEDED, f"{reason[:1].upper()}{reason[1:]}."))
    return tuple(rows)


def dropped(
    before: frozenset[str],
    kept_actions: Iterable[str],
    seen: Mapping[str, Seen],
    recorded: Recorded | None,
    accessed: LastAccessed | None,
    refused: Mapping[str, str],
) -> tuple[Evidence, ...]:
    """One row an action that the role has and the proposal has not; a service far from its work of which nothing was
    used and nothing is left is one row.

    before: the actions of the role. refused: actions that were used and are left out all the same, each with why.
    """
    left = {action.lower() for action in kept_actions}
    services = {action.partition(":")[0] for action in left}
    by_service: dict[str, list[str]] = {}
    for action in sorted(before):
        if action.lower() not in left:
            by_service.setdefault(action.partition(":")[0], []).append(action)
    known = _known(recorded, accessed)
    untracked = _known(recorded, None)
    rows: list[Evidence] = []
    for service, names in sorted(by_service.items()):
        told = accessed.service(service) if accessed else None
        last = told.last if told else None
        used = [name for name in names if name.lower() in seen or name in refused]
        is_far = service not in services and service not in NEAR
        if is_far and not used and not last and len(names) > 1:
            said = f"{len(names):,} actions: {known}."
            rows.append(Evidence(f"{service}:*", Basis.DROPPED, said, stands_for=len(names)))
            continue
        for name in names:
            is_told = accessed is None or accessed.is_tracked(name)
            rows.append(_dropped(name, seen, accessed, refused, known if is_told else untracked))
    return tuple(rows)


def _dropped(
    name: str, seen: Mapping[str, Seen], accessed: LastAccessed | None, refused: Mapping[str, str], known: str
) -> Evidence:
    used = seen.get(name.lower())
    last = used.last if used else accessed.last(name) if accessed else None
    if name in refused:
        return Evidence(name, Basis.DROPPED, refused[name], last)
    if last:
        return Evidence(name, Basis.DROPPED, "Used, but by another duty of the role, or on nothing it may keep.", last)
    return Evidence(name, Basis.DROPPED, f"{known[:1].upper()}{known[1:]}.")


def _known(recorded: Recorded | None, accessed: LastAccessed | None) -> str:
    """How it is known that something was not used."""
    told = []
    if recorded is not None and recorded.since is not None:
        told.append(f"in {recorded.source or 'CloudTrail'} since {recorded.since:%Y-%m-%d}")
    if accessed is not None and accessed.at is not None:
        told.append(f"in IAM's last-accessed data since {accessed.at - TRACKED:%Y-%m-%d}")
    if not told:
        return "not part of what its work needs; there is no record that tells whether it was used"
    return f"not seen {' or '.join(told)}, and not part of what its work needs"


def manages_permissions(action: str) -> bool:
    """Whether an action decides what somebody may do. Passing a role does too, but no job starts without it."""
    if action == "iam:PassRole" or not actions.known(action):
        return False
    return actions.access_level(action) is actions.AccessLevel.PERMISSIONS


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
