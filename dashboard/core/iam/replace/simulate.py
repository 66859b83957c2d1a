"""IAM's own simulator asked about rights: of documents that nobody has yet, or of a role as it is.

It knows nothing of trust policies, of policies on a resource, or of an organization's; what it says is no proof that a
call works, and what it denies may be allowed by none of these either.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.iam.replace.standing import Document, canonical
from dashboard.core.iam.rights import Right
from dashboard.core.parallel import gather

MOST = 50
"""Actions, or resources, of one request."""
KINDS = {"aws:securetransport": "boolean", "aws:viaawsservice": "boolean", "aws:multifactorauthpresent": "boolean",
         "aws:currenttime": "date", "aws:sourceip": "ip", "s3:max-keys": "numeric"}  # fmt: skip
"""The type of a context key's value, by its name in lower case; all others are strings."""


@dataclass(frozen=True)
class Simulated:
    """What the simulator says of one right. missing: context keys that it asks for and was not given.

    by: the policies that decided, by the simulator's names.
    """

    right: Right
    is_allowed: bool
    is_explicit: bool = False
    missing: tuple[str, ...] = ()
    by: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """As evidence: "s3:GetObject on arn:…: allowed"."""
        outcome = "allowed" if self.is_allowed else "denied by a Deny" if self.is_explicit else "denied"
        lacks = f", and not known without {', '.join(self.missing)}" if self.missing else ""
        return f"{self.right.action} on {self.right.resource}: {outcome}{lacks}"


def of_documents(
    aws: Aws, documents: Iterable[Document], rights: Iterable[Right], boundary: Document | None = None
) -> tuple[Simulated, ...]:
    """SimulateCustomPolicy for each right, in their order. Raises the errors of `Aws.call`."""
    limits = {"PermissionsBoundaryPolicyInputList": [canonical(boundary)]} if boundary is not None else {}
    asked = {"PolicyInputList": [canonical(one) for one in documents], **limits}
    return _ask(aws, "SimulateCustomPolicy", asked, rights)


def of_role(
    aws: Aws, role_arn: str, rights: Iterable[Right], *, without: Sequence[str] = (), without_inline: Sequence[str] = ()
) -> tuple[Simulated, ...]:
    """SimulatePrincipalPolicy for each right, in their order.

    without, without_inline: policies (ARNs, names) that are taken not to be there. Raises the errors of `Aws.call`.
    """
    name = role_arn.rpartition("/")[2]
    excluded: list[dict[str, Any]] = [{"PolicyArn": arn} for arn in without]
    excluded += [
        {"InlinePolicyIdentifier": {"AttachmentType": "role", "AttachmentName": name, "PolicyName": one}}
        for one in without_inline
    ]
    asked = {"PolicySourceArn": role_arn, **({"PolicyExclusionList": excluded} if excluded else {})}
    return _ask(aws, "SimulatePrincipalPolicy", asked, rights)


def _ask(aws: Aws, operation: str, asked: Mapping[str, Any], rights: Iterable[Right]) -> tuple[Simulated, ...]:
    wanted = tuple(rights)

    def answered(batch: list[Right]) -> list[Simulated]:
        entries = _entries(batch[0])
        context: dict[str, Any] = {"ContextEntries": entries} if entries else {}
        told: dict[tuple[str, str], Mapping[str, Any]] = {}
        for page in aws.pages(
            "iam",
            operation,
            **asked,
            ActionNames=list(dict.fromkeys(one.action for one in batch)),
            ResourceArns=list(dict.fromkeys(one.resource for one in batch)),
            **context,
        ):
            for one in page["EvaluationResults"]:
                for resource, result in _by_resource(one):
                    told[one["EvalActionName"].lower(), resource] = result
        return [_simulated(one, told[one.action.lower(), one.resource]) for one in batch]

    found = {one.right: one for answer in gather(answered, _batches(wanted)) for one in answer}
    return tuple(found[one] for one in wanted)


def _batches(rights: Iterable[Right]) -> Iterator[list[Right]]:
    """Rights in one context that one request asks for: several actions on one resource, or one on several."""
    on_resource: dict[str, list[Right]] = {}
    for one in dict.fromkeys(rights):
        on_resource.setdefault(canonical([one.resource, _entries(one)]), []).append(one)
    of_action: dict[str, list[Right]] = {}
    for key, group in on_resource.items():
        if len(group) == 1:
            of_action.setdefault(canonical([group[0].action, _entries(group[0])]), []).append(group[0])
        else:
            of_action[key] = group
    for group in of_action.values():
        for first in range(0, len(group), MOST):
            yield group[first : first + MOST]


def _by_resource(told: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """An action's results by resource; there is one for all where none was named."""
    specific = told.get("ResourceSpecificResults")
    if not specific:
        yield told["EvalResourceName"], told
        return
    for one in specific:
        yield one["EvalResourceName"], {"EvalDecision": one["EvalResourceDecision"], **one}


def _entries(right: Right) -> list[dict[str, Any]]:
    return [
        {
            "ContextKeyName": key,
            "ContextKeyValues": list(values),
            "ContextKeyType": KINDS.get(key.lower(), "string") + ("" if len(values) == 1 else "List"),
        }
        for key, values in sorted(right.context.items())
    ]


def _simulated(right: Right, told: Mapping[str, Any]) -> Simulated:
    decision = told["EvalDecision"]
    return Simulated(
        right,
        decision == "allowed",
        decision == "explicitDeny",
        tuple(told.get("MissingContextValues", ())),
        tuple(one.get("SourcePolicyId", "") for one in told.get("MatchedStatements", ())),
    )
