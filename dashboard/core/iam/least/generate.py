"""The least that a role needs for what it does, in the place of what it has: one policy and one trust a duty. Pure.

What a duty's work needs on the resources it was seen to work on, and what else it was recorded doing, as far as the
role may do it already: a proposal never gives a right that the role lacks. What its policies deny stays denied.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from dashboard.core.iam.documents import Policy, PolicyError
from dashboard.core.iam.effective import actions_allowed
from dashboard.core.iam.entities import Role
from dashboard.core.iam.evaluate import evaluate
from dashboard.core.iam.least import duties as work
from dashboard.core.iam.least import evidence, recorded_grants, sizes
from dashboard.core.iam.least.duty_trust import trust
from dashboard.core.iam.least.grants import Grant, document, gathered
from dashboard.core.iam.least.held import Held
from dashboard.core.iam.least.resources import Resources
from dashboard.core.iam.proposal import Proposal
from dashboard.core.iam.recorded import Recorded, RecordedCall
from dashboard.core.iam.replace.refusals import PATH
from dashboard.core.iam.rights import Where
from dashboard.core.iam.seen.last_accessed import LastAccessed
from dashboard.core.iam.seen.served import Served
from dashboard.core.iam.usage import Duty, Use

LONGEST_ROLE, LONGEST_POLICY = 64, 126
"""Characters of a role's and a policy's name; two are kept for the number of a further policy."""


@dataclass(frozen=True)
class _Given:
    """Everything that is known of the role."""

    role: Role
    held: Held
    before: frozenset[str]
    duties: tuple[Duty, ...]
    uses: tuple[Use, ...]
    serves: Served
    recorded: Recorded | None
    accessed: LastAccessed | None
    where: Where


def propose(
    role: Role,
    uses: Sequence[Use],
    serves: Served,
    recorded: Recorded | None,
    accessed: LastAccessed | None,
    where: Where,
) -> tuple[Proposal, ...]:
    """One proposal for a role with one duty; one for each duty of a role that several share. None for a role that is
    not used, nor for a duty that was seen to need nothing of what the role has: IAM takes no empty policy.

    Raises Refused when the least is still longer than IAM takes.
    """
    used = {use.duty for use in uses}
    duties = tuple(duty for duty in Duty if duty in used)
    held = Held.of(role)
    given = _Given(role, held, actions_of(role), duties, tuple(uses), serves, recorded, accessed, where)
    made = {duty: _for_duty(given, duty) for duty in duties}
    idle = tuple(duty.value for duty, one in made.items() if one is None)
    if not idle:
        return tuple(one for one in made.values() if one is not None)
    told = f"Nothing was seen that it needs for the duty {' or '.join(idle)}: no role is proposed for that."
    return tuple(replace(one, warnings=(*one.warnings, told)) for one in made.values() if one is not None)


def actions_of(role: Role) -> frozenset[str]:
    """The actions of which the role is allowed anything, as far as its policies can be judged: what a change takes away
    is counted in the same way.
    """
    limit = role.boundary.document if role.boundary is not None and role.boundary.policy is not None else None
    return frozenset(actions_allowed([one.policy for one in role.policies if one.policy is not None], limit))


def role_name(role: str, duty: Duty) -> str:
    """The role that takes over one duty of a shared one."""
    return f"{role[: LONGEST_ROLE - len(duty.value) - 1]}-{duty.value}"


def _for_duty(given: _Given, duty: Duty) -> Proposal | None:
    """None where nothing would be left in it."""
    calls = recorded_grants.allowed(given.recorded.calls) if given.recorded else ()
    own = recorded_grants.of_duty(calls, duty, given.duties, given.uses)
    needed = work.needs(duty, _of_new_roles(given, duty), given.where)
    has, lacks = given.held.part(needed)
    besides = tuple(one for one in own if not _covered(has, one) and not _others(given, duty, one))
    more, refused = recorded_grants.grants(besides)
    # PassRole of a new role cannot be held by the old one: it is the same right on the role in its place
    seen_too, cannot = given.held.part(more)
    moved = tuple(grant for grant in lacks if _is_moved_pass(given, grant))
    lacks = tuple(grant for grant in lacks if grant not in moved)
    whole = gathered((*has, *moved, *seen_too))
    if not whole:
        return None
    statements = document(whole, given.held.denied)["Statement"]
    documents = sizes.packed(statements)
    is_shared = len(given.duties) > 1
    name = role_name(given.role.name, duty) if is_shared else given.role.name
    seen = evidence.seen_in(own)
    kept = evidence.seen_in(one for one in own if _covered(whole, one))  # on what it keeps, not on another's
    names = [action for grant in whole for action in grant.actions]
    return Proposal(
        role_name=given.role.name,
        duty=duty,
        policy_name=f"{name}-least"[:LONGEST_POLICY],
        policy=documents[0],
        trust=trust(duty, given.where),
        evidence=(
            *evidence.kept(whole, kept, given.accessed),
            *evidence.dropped(given.before, names, seen, given.recorded, given.accessed, refused),
        ),
        new_role=name if is_shared else "",
        warnings=tuple(_warnings(given, duty, lacks, cannot, refused, documents)),
        further=documents[1:],
    )


def _of_new_roles(given: _Given, duty: Duty) -> Resources:
    """What the duty works on. A notebook of a shared role passes the role that takes over the trainings."""
    serves = given.serves.of(duty)
    if duty is not Duty.NOTEBOOK or Duty.TRAINING not in given.duties:
        return serves
    new = _new_arn(given)
    return replace(serves, roles=tuple(new if arn == given.role.arn else arn for arn in serves.roles))


def _new_arn(given: _Given) -> str:
    name = role_name(given.role.name, Duty.TRAINING)
    return f"arn:{given.where.partition}:iam::{given.where.account}:role{PATH}{name}"


def _is_moved_pass(given: _Given, grant: Grant) -> bool:
    """Passing the role that takes over the trainings, where the shared role may pass itself to them."""
    if grant.actions != ("iam:PassRole",) or grant.resources != (_new_arn(given),):
        return False
    return given.held.has(replace(grant, resources=(given.role.arn,)))


def _covered(grants: Sequence[Grant], call: RecordedCall) -> bool:
    right = call.right
    try:
        return evaluate([_judged(tuple(grants))], right.action, right.resource, right.context).allowed
    except PolicyError:
        return False


@lru_cache(maxsize=128)
def _judged(grants: tuple[Grant, ...]) -> Policy:
    """The grants as a policy that is read once, for thousands of calls."""
    return Policy.parse(document(grants), "grants")


def _others(given: _Given, duty: Duty, call: RecordedCall) -> bool:
    """Whether a call is explained by the work of another duty that may have made it: SageMaker names all its sessions
    alike.
    """
    others = [one for one in recorded_grants.may_be_of(call, given.duties, given.uses) if one is not duty]
    return any(_covered(work.needs(other, given.serves.of(other), given.where), call) for other in others)


def _warnings(
    given: _Given,
    duty: Duty,
    lacks: Sequence[Grant],
    cannot: Sequence[Grant],
    refused: Mapping[str, str],
    documents: Sequence[Mapping[str, Any]],
) -> list[str]:
    """What a person has to know before the proposal is applied, a sentence each."""
    found = list(given.serves.unread)
    if given.held.unreadable:
        found.append(
            f"What {', '.join(given.held.unreadable)} gives cannot be judged: nothing of it is in this proposal."
        )
    found += [
        f"Part of this work, but not among the role's rights today: {_said(grant)}. A proposal adds nothing, so it is "
        "left out."
        for grant in lacks
    ]
    found += [
        f"{_said(grant)} was used on one of these, and the role does not have it on all of them: it is left out."
        for grant in cannot
    ]
    found += [f"{action}: {why}" for action, why in refused.items()]
    serves = given.serves.of(duty)
    if duty is Duty.FUNCTION and not serves.endpoints:
        found.append("No setting of the function names an endpoint: only what was recorded is known of what it asks.")
    if duty is Duty.INSTANCE and not serves.reads:
        found.append("What runs on an instance is in no answer of AWS's: only what was recorded is in this proposal.")
    if given.recorded is None or given.recorded.since is None:
        found.append("No record of this role's calls could be read: only what its duty is known to need is in here.")
    else:
        found += given.recorded.partial
        hands = recorded_grants.by_hand(given.recorded.calls, given.duties, given.uses)
        if hands:
            found.append(
                f"Somebody worked as this role by hand ({', '.join(hands[:3])}{'…' if len(hands) > 3 else ''}): the "
                "new trust lets only the service in, and what was done so is not in this proposal."
            )
    if len(documents) > 1:
        found.append(
            f"It does not fit into one policy of {sizes.MANAGED:,} characters: it is {len(documents)}, which together "
            f"say the same and no more. A role may have {sizes.ATTACHED}."
        )
    return list(dict.fromkeys(found))


def _said(grant: Grant) -> str:
    return f"{', '.join(grant.actions)} on {', '.join(grant.resources)}"
