"""The trial role of a proof: it has the policies and the trust that are proposed, for as long as the proof takes.

Its trust lets this account in besides, so that what it may not do can be tried with its own keys. What belongs to one
thing by name (a function's log) it has for the trial's thing instead. Everything of a trial is named `kennel-trial-…`
and carries the trial's mark; what a proof that was cut off left behind is swept before the next one.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.calls import Call
from dashboard.core.errors import KennelError, NotFound
from dashboard.core.iam.documents import listed
from dashboard.core.iam.proposal import Proposal
from dashboard.core.iam.replace import made
from dashboard.core.iam.replace.refusals import PATH, TRIAL
from dashboard.core.iam.replace.standing import Attached, Standing, canonical

STALE = timedelta(hours=2)
"""No proof takes so long: what is older was left behind."""
SESSION_SECONDS = 900
Sleep = Callable[[float], None]


@dataclass(frozen=True)
class Trial:
    """name: of the role, and of what is made to work as it. mark: the tag of all of it. policies: their ARNs."""

    name: str
    arn: str
    mark: str
    policies: tuple[str, ...]
    documents: tuple[Mapping[str, Any], ...]


def planned(before: Standing, proposal: Proposal, token: str) -> Trial:
    """The trial of a proposal. token: eight hex digits that no other trial has."""
    name = f"{TRIAL}{token}"
    start = ":".join(before.arn.split(":")[:5])
    documents = tuple(proposal.documents.values())
    arns = tuple(f"{start}:policy{PATH}{name}-{number}" for number in range(1, len(documents) + 1))
    return Trial(name, f"{start}:role{PATH}{name}", tags.order(name), arns, documents)


def renamed(trial: Trial, names: Mapping[str, str]) -> Trial:
    """With other names in its policies: {"log-group:/aws/lambda/dog-infer": "log-group:/aws/lambda/kennel-trial-…"}."""
    documents = []
    for one in trial.documents:
        text = canonical(one)
        for old, new in names.items():
            text = text.replace(old, new)
        documents.append(json.loads(text))
    return Trial(trial.name, trial.arn, trial.mark, trial.policies, tuple(documents))


def make(aws: Aws, trial: Trial, before: Standing, proposal: Proposal) -> None:
    """Make the role with its policies, within the boundary of the one that it stands for."""
    account = ":".join([*before.arn.split(":")[:5], "root"])
    own = {"Sid": "Probe", "Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
    given = proposal.trust["Statement"]
    trust = {**proposal.trust, "Statement": [*listed(given), own]}
    role = Standing(trial.name, trial.arn, PATH, "", trust, boundary=before.boundary,
                    description=f"Proves what is proposed for {before.name}, and is deleted then")  # fmt: skip
    for arn, document in zip(trial.policies, trial.documents, strict=True):
        made.make(
            aws,
            made.create_policy(Attached(arn.rpartition("/")[2], arn, made.VERSION, document), trial.mark, trial.name),
        )
    made.make(aws, made.create_role(role, trial.mark))
    for arn in trial.policies:
        aws.call("iam", "AttachRolePolicy", RoleName=trial.name, PolicyArn=arn)


def make_profile(aws: Aws, trial: Trial) -> None:
    """The instance profile through which an instance works as the trial role."""
    for call in made.profile_calls(trial.name, trial.mark):
        made.make(aws, call)


def acting(aws: Aws, trial: Trial) -> Aws:
    """The account as the trial role sees it. Raises the errors of `Aws.call`."""
    told = aws.call("sts", "AssumeRole", RoleArn=trial.arn, RoleSessionName=trial.name, DurationSeconds=SESSION_SECONDS)
    return aws.acting(told["Credentials"])


def clear(aws: Aws, trial: Trial) -> tuple[str, ...]:
    """Delete the role and its policies; what could not be deleted, a sentence each. Raises nothing of `Aws.call`."""
    left = []
    for work in (
        lambda: made.delete_role(aws, trial.name, trial.mark),
        lambda: made.delete_policies(aws, trial.policies, trial.mark),
    ):
        try:
            work()
        except KennelError as error:
            left.append(f"the trial role {trial.name} is left over ({error.what}); the next proof deletes it")
    return tuple(dict.fromkeys(left))


def sweep(aws: Aws, now: datetime) -> tuple[str, ...]:
    """Delete the roles and policies of proofs that were cut off; their names. Raises the errors of `Aws.call`."""
    swept = []
    for name in list(_left(aws, now)):
        made.delete_role(aws, name)
        swept.append(name)
    for page in aws.pages("iam", "ListPolicies", Scope="Local", PathPrefix=PATH):
        for one in page["Policies"]:
            if one["PolicyName"].startswith(TRIAL) and now - one["CreateDate"].astimezone(UTC) > STALE:
                with suppress(NotFound):
                    aws.call("iam", "DeletePolicy", PolicyArn=one["Arn"])
    return tuple(swept)


def _left(aws: Aws, now: datetime) -> Iterator[str]:
    for page in aws.pages("iam", "ListRoles", PathPrefix=PATH):
        for one in page["Roles"]:
            if one["RoleName"].startswith(TRIAL) and now - one["CreateDate"].astimezone(UTC) > STALE:
                yield one["RoleName"]


def gone(aws: Aws, service: str, operation: str, **parameters: Any) -> str:
    """Delete something of a trial; why it could not be, as a sentence, "" when it is gone."""
    try:
        aws.call(service, operation, **parameters)
    except NotFound:
        return ""
    except KennelError as error:
        return f"{next(iter(parameters.values()))} is left over: {error.what}"
    return ""


def cleared(*calls: Call) -> Callable[[Aws], tuple[str, ...]]:
    """What deletes the things of a trial, in order; it tells what is left."""

    def clear_all(aws: Aws) -> tuple[str, ...]:
        return tuple(said for one in calls if (said := gone(aws, one.service, one.operation, **one.parameters)))

    return clear_all
