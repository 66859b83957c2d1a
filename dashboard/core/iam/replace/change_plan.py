"""What replacing a role's rights by a proposal would do: its requests, what changes, and why it may be refused.

Kennel never widens a right: neither the policies nor the trust of a proposal may give what the role has not. Where one
duty of several gets a role of its own, that role has to be within the rights of the shared one, which stays as it is.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account, Aws
from dashboard.core.calls import Call, code
from dashboard.core.errors import NotFound, Refused
from dashboard.core.iam import effective
from dashboard.core.iam.effective import Difference
from dashboard.core.iam.least.generate import role_name
from dashboard.core.iam.proposal import Proposal
from dashboard.core.iam.recorded import Recorded
from dashboard.core.iam.replace import made, moves, needed, refusals, restore, standing, trust_scope
from dashboard.core.iam.replace.moves import Move
from dashboard.core.iam.replace.refusals import PATH
from dashboard.core.iam.replace.standing import Attached, Standing, canonical
from dashboard.core.iam.rights import Right
from dashboard.core.iam.usage import Duty, Use

ATTACHED = 10
"""Policies that a role may have attached, unless the account's quota says otherwise (IAM quotas; 20 at most)."""
LONGEST = 128
"""Characters of a policy's name."""


@dataclass(frozen=True)
class ChangePlan:
    """before: the role as it is; after: as it is to be, or, of a split, the role that is to be made.

    needed: what must work afterwards, as IAM's simulator is asked; dropped: what must not. difference: in rights, as
    far as the policies tell. calls: in their order; moves: what has to be moved to a role of its own, by Kennel or by
    whom else; moved: what Kennel's moves change. order: the mark of this very plan.
    """

    proposal: Proposal
    before: Standing
    after: Standing
    needed: tuple[Right, ...]
    dropped: tuple[Right, ...]
    difference: Difference
    calls: tuple[Call, ...]
    order: str
    moves: tuple[Move, ...] = ()
    moved: tuple[Mapping[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def role(self) -> str:
        """The name that is typed to confirm it."""
        return self.before.name

    @property
    def is_split(self) -> bool:
        return bool(self.proposal.new_role)

    @property
    def is_empty(self) -> bool:
        """Whether the role is as proposed already."""
        return not self.calls

    @property
    def title(self) -> str:
        if self.is_split:
            return f"Give {self.proposal.duty} a role of its own: {self.after.name}"
        return f"Replace the rights of {self.role}"

    @property
    def button(self) -> str:
        return "Make the role" if self.is_split else "Replace its rights"

    @property
    def policies(self) -> tuple[Attached, ...]:
        """Those that are made."""
        old = {one.arn for one in self.before.attached} if not self.is_split else set()
        return tuple(one for one in self.after.attached if one.arn not in old)

    def code(self, account: Account) -> str:
        """The same as Python. The moves of an endpoint or function are not in it: they depend on what is found then."""
        return code(self.calls, account)


def plan(aws: Aws, proposal: Proposal, *, recorded: Recorded | None = None, uses: Sequence[Use] = ()) -> ChangePlan:
    """What applying a proposal would do to its role as it is now. Nothing is changed.

    recorded: what must go on working besides what the proposal allows. uses: of the role, for what has to be moved.

    Raises Refused for a role that is not Kennel's to change, for a proposal that gives what the role has not, for one
    policy too many, and where a policy cannot be judged; NotFound; and the errors of `Aws.call`.
    """
    return refusals.planned(aws, proposal, lambda before: _planned(aws, proposal, before, recorded, uses))


def _planned(
    aws: Aws, proposal: Proposal, before: Standing, recorded: Recorded | None, uses: Sequence[Use]
) -> ChangePlan:
    order = tags.order(before.digest, proposal)
    after = _made_role(aws, before, proposal) if proposal.new_role else _changed(before, proposal)
    _never_wider(before, after, proposal)
    wanted = tuple(dict.fromkeys((*needed.of_policy(proposal.documents.values()), *used(recorded, proposal))))
    dropped = needed.dropped(proposal, before.documents)
    difference = effective.difference(
        before.documents,
        after.documents,
        (*wanted, *dropped),
        before_boundary=before.boundary_document,
        after_boundary=after.boundary_document,
    )
    planned = ChangePlan(
        proposal,
        before,
        after,
        wanted,
        dropped,
        difference,
        (),
        order,
        warnings=_warnings(aws, before, proposal),
    )
    if planned.is_split:
        todo = moves.planned(uses, proposal.duty, after.name)
        moved = tuple(moves.look(aws, one, before.arn, order) for one in todo if one.by_kennel)
        return replace(planned, calls=_split_calls(planned), moves=todo, moved=moved)
    _check_quota(aws, before, after)
    return replace(planned, calls=_calls(planned))


def _changed(before: Standing, proposal: Proposal) -> Standing:
    """The role with the proposal in the place of all its policies."""
    return replace(before, attached=policies(before.arn, proposal), inline={}, trust=proposal.trust)


def _made_role(aws: Aws, before: Standing, proposal: Proposal) -> Standing:
    """The role that one duty gets: within the boundary of the shared one."""
    name = proposal.new_role
    account = before.arn.split(":")
    try:
        there = standing.read(aws, name)
    except NotFound:
        there = None
    if there is not None and there.tags.get(tags.MADE_BY) != tags.KENNEL:
        raise Refused(
            f"there is already a role named {name}", "Kennel did not make it, and does not change it", "rename that one"
        )
    return Standing(
        name=name,
        arn=":".join((*account[:5], f"role{PATH}{name}")),
        path=PATH,
        role_id=there.role_id if there else "",
        trust=proposal.trust,
        attached=policies(before.arn, proposal),
        boundary=before.boundary,
        description=f"Does for {proposal.duty} what {before.name} did",
        longest_session=before.longest_session,
    )


def policies(role_arn: str, proposal: Proposal) -> tuple[Attached, ...]:
    """A proposal's policies under the names that they get: another text has another name, so none is ever changed."""
    start = ":".join(role_arn.split(":")[:5])
    found = []
    for name, document in proposal.documents.items():
        ending = hashlib.sha256(canonical(document).encode()).hexdigest()[:8]
        named = f"{name[: LONGEST - 9]}-{ending}"
        found.append(Attached(named, f"{start}:policy{PATH}{named}", made.VERSION, document))
    return tuple(found)


def used(recorded: Recorded | None, proposal: Proposal) -> tuple[Right, ...]:
    """What was used and is of the actions that the proposal keeps: what it drops on purpose is no loss."""
    kept = {one.action.lower() for one in needed.of_policy(proposal.documents.values())}
    return tuple(one for one in needed.of_recorded(recorded) if one.action.lower() in kept)


def _never_wider(before: Standing, after: Standing, proposal: Proposal) -> None:
    documents = tuple(_as_before(one, before, proposal) for one in after.documents)
    extra = needed.of_policy(documents)
    more = effective.widens(before.documents, before.boundary_document, documents, after.boundary_document, extra)
    if more:
        named = [one if isinstance(one, str) else f"{one.action} on {one.resource}" for one in more]
        rest = f" and {len(named) - 3} more" if len(named) > 3 else ""
        raise Refused(
            f"the proposal for {before.name} gives what the role has not",
            f"{', '.join(named[:3])}{rest}; Kennel never widens a right",
            "take these out of the proposal, or have the role's owner add them first",
        )
    lets_in = trust_scope.wider(before.trust, after.trust)
    if lets_in:
        raise Refused(
            f"the trust policy proposed for {before.name} lets in more than the present one",
            lets_in[0],
            "leave the trust as it is, or have the role's owner widen it first",
        )


def _as_before(document: Mapping[str, Any], before: Standing, proposal: Proposal) -> Mapping[str, Any]:
    """A policy with the shared role where it names one that takes over a duty of it: a notebook that passes that role
    to a training could pass the shared one.
    """
    if not proposal.new_role:
        return document
    start = ":".join(before.arn.split(":")[:5])
    text = canonical(document)
    for duty in Duty:
        text = text.replace(f'"{start}:role{PATH}{role_name(before.name, duty)}"', f'"{before.arn}"')
    found: dict[str, Any] = json.loads(text)
    return found


def _check_quota(aws: Aws, before: Standing, after: Standing) -> None:
    """The new policies stand beside the old ones for a moment."""
    beside = {one.arn for one in (*before.attached, *after.attached)}
    if len(beside) <= ATTACHED:
        return
    most = aws.call("iam", "GetAccountSummary")["SummaryMap"].get("AttachedPoliciesPerRoleQuota", ATTACHED)
    if len(beside) > most:
        raise Refused(
            f"{before.name} cannot have its new policy beside the old ones",
            f"it would have {len(beside)} attached, and the account's limit is {most}",
            "raise that quota (20 at most), or detach a policy that is not needed first",
        )


def _calls(planned: ChangePlan) -> tuple[Call, ...]:
    before, after = planned.before, planned.after
    there = {one.arn for one in before.attached}
    new = [one for one in after.attached if one.arn not in there]
    makes = [made.create_policy(one, planned.order, before.name) for one in new]
    return (*makes, *(restore.attach(before.name, one) for one in new), *restore.forward(before, after))


def _split_calls(planned: ChangePlan) -> tuple[Call, ...]:
    after = planned.after
    makes = [made.create_policy(one, planned.order, after.name) for one in after.attached]
    attaches = [restore.attach(after.name, one) for one in after.attached]
    is_instance = planned.proposal.duty is Duty.INSTANCE
    profile = made.profile_calls(after.name, planned.order) if is_instance else ()
    return (*makes, made.create_role(after, planned.order), *attaches, *profile)


def _warnings(aws: Aws, before: Standing, proposal: Proposal) -> tuple[str, ...]:
    found = list(proposal.warnings)
    if not aws.account.writable:
        found.append("this account is connected read-only: it will be refused")
    if before.boundary and not proposal.new_role:
        found.append(f"its permissions boundary {before.boundary.name} stays")
    return tuple(found)
