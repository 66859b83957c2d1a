"""The rights that a policy must give and those that it must not: what is asked of IAM's simulator before and after."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dashboard.core.iam.documents import Condition, Effect, Policy, Statement
from dashboard.core.iam.evaluate import evaluate
from dashboard.core.iam.proposal import Proposal
from dashboard.core.iam.recorded import Recorded
from dashboard.core.iam.rights import ANYTHING, Right

SAMPLE = "kennel-sample"
"""Stands for anything where a policy has a wildcard."""
_BY_NAME = ("stringequals", "stringlike", "stringequalsignorecase", "arnequals", "arnlike")
_PLAIN = (*_BY_NAME, "bool", "ipaddress", "numericequals", "numericlessthanequals", "numericgreaterthanequals",
          "dateequals", "binaryequals")  # fmt: skip


def of_policy(documents: Iterable[Mapping[str, Any]]) -> tuple[Right, ...]:
    """One right for each action on each resource that policies allow, in a context in which they do.

    Actions with wildcards, NotAction and NotResource say nothing of what is needed, and are passed over. Raises
    PolicyError for what is no policy.
    """
    found: list[Right] = []
    for document in documents:
        for one in Policy.of(document).statements:
            if one.effect is Effect.ALLOW:
                found += _rights(one)
    return tuple(dict.fromkeys(found))


def of_recorded(recorded: Recorded | None) -> tuple[Right, ...]:
    """The rights that were used and given, each once."""
    if recorded is None:
        return ()
    return tuple(dict.fromkeys(one.right for one in recorded.calls if one.denied < one.count))


def dropped(proposal: Proposal, before: Iterable[Mapping[str, Any]]) -> tuple[Right, ...]:
    """Rights that the role has and that the proposal is to take away, as far as they can be named: whole actions, on
    anything. Actions that the role does not have on everything today are left out: nothing could be seen of them.
    """
    documents = list(before)
    after = list(proposal.documents.values())
    rights = [Right(one.action) for one in proposal.dropped if "*" not in one.action and "?" not in one.action]
    return tuple(
        one
        for one in dict.fromkeys(rights)
        if evaluate(documents, one.action, one.resource).allowed
        and not evaluate(after, one.action, one.resource).allowed
    )


def _rights(one: Statement) -> Iterator[Right]:
    context = dict(pair for each in one.conditions if (pair := _met(each)))
    if one.not_actions or one.not_resources or len(context) < len(one.conditions):
        return
    for action in one.actions:
        if "*" in action or "?" in action:
            continue
        for resource in one.resources:
            if "${" not in resource:
                yield Right(action, concrete(resource), context)


def concrete(pattern: str) -> str:
    """A resource that fits a pattern: "*" stays as it is, other wildcards become something."""
    return pattern if pattern == ANYTHING else pattern.replace("*", SAMPLE).replace("?", "x")


def _met(condition: Condition) -> tuple[str, tuple[str, ...]] | None:
    """A context key with a value that meets a condition; None where none can be told."""
    name = (
        condition.operator.lower().removeprefix("forallvalues:").removeprefix("foranyvalue:").removesuffix("ifexists")
    )
    if name not in _PLAIN or not condition.values or "${" in condition.values[0]:
        return None
    value = condition.values[0]
    if name in ("stringlike", "arnlike", "arnequals"):
        value = value.replace("*", SAMPLE).replace("?", "x")
    if name == "ipaddress":
        value = value.partition("/")[0]
    return condition.key, (value,)
