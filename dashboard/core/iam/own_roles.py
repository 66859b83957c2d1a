"""The roles that Kennel itself works as on a real account: reader, operator, remediator, and what bounds them. Pure.

Made from the operations that its code calls (own_calls), each turned into the rights that it needs. A reader changes
nothing. An operator changes what carries Kennel's mark, and passes no roles but Kennel's. A remediator changes the
roles it was made for and no other, and gives them back only policies that they had, or that Kennel made.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account
from dashboard.core.iam import actions, sizes
from dashboard.core.iam.documents import CURRENT
from dashboard.core.iam.grants import Grant, Limit, document, gathered
from dashboard.core.iam.own_calls import MENDS, OPERATES, READS, Calls
from dashboard.core.iam.refusals import LINKED, OWN_ROLES, PATH, RESERVED
from dashboard.core.iam.requests import rights_of
from dashboard.core.iam.rights import ANYTHING, Right

READER, OPERATOR, REMEDIATOR = OWN_ROLES
BOUNDARY = "kennel-boundary"
PASSES = {
    "KennelTraining": "sagemaker.amazonaws.com",
    "KennelEndpoint": "sagemaker.amazonaws.com",
    "KennelInstance": "ec2.amazonaws.com",
    "KennelScheduler": "scheduler.amazonaws.com",
}
"""The roles that launches and deployments hand over, each to its service."""
_MARK = Limit("StringEquals", f"aws:ResourceTag/{tags.MADE_BY}", (tags.KENNEL,))
_NEW = Limit("StringEquals", f"aws:RequestTag/{tags.MADE_BY}", (tags.KENNEL,))
_TAGGED_WHEN_MADE = frozenset(
    {
        "application-autoscaling:TagResource",
        "lambda:CreateFunction",
        "lambda:TagResource",
        "logs:TagResource",
        "sagemaker:AddTags",
        "sagemaker:CreateEndpoint",
        "sagemaker:CreateEndpointConfig",
        "sagemaker:CreateHyperParameterTuningJob",
        "sagemaker:CreateModel",
        "sagemaker:CreateModelPackageGroup",
        "sagemaker:CreateTrainingJob",
    }
)
FUNCTIONS = ("kennel-*", "*-photos")
"""Whose code the operator may change: whoever changes a function's code works as its role. Kennel names a function
after its endpoint, with "-photos" behind it."""
_CODE = frozenset({"lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"})
_OF_NEW_ROLES = frozenset({"iam:TagRole", "iam:UntagRole", "iam:PutRolePolicy", "iam:DeleteRolePolicy"})
_NAMED = {
    "budgets": "budget/kennel-month*",
    "scheduler": "schedule/default/kennel-delete-*",
    "sns": "kennel-*",
    "logs": "log-group:/aws/*",
}
"""What Kennel names itself, by the prefix of the actions: the end of its ARN."""


_SAID: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("ssm", "GetParameters"): {"Names": ["/aws/service/*"]},
    ("application-autoscaling", "RegisterScalableTarget"): {"Tags": {tags.MADE_BY: tags.KENNEL}},
    ("lambda", "CreateFunction"): {"Tags": {tags.MADE_BY: tags.KENNEL}},
    ("logs", "CreateLogGroup"): {"tags": {tags.MADE_BY: tags.KENNEL}},
}
"""What Kennel always says in a request: that it reads parameters of AWS's own, and the mark of what it makes."""


@dataclass(frozen=True)
class OwnRole:
    """policies: documents by name, to be attached. boundary: the name of the policy that bounds it."""

    name: str
    does: str
    policies: Mapping[str, Mapping[str, Any]]
    trust: Mapping[str, Any]
    boundary: str = BOUNDARY


def reader(account: Account, buckets: Iterable[str] = ()) -> OwnRole:
    """Reads what the pages show. buckets: those beside Kennel's own that hold data or a trail's files."""
    return _role(account, READER, "shows every page and changes nothing", _reading(account, buckets))


def operator(account: Account, buckets: Iterable[str] = ()) -> OwnRole:
    """Reads, and launches, deploys, scales, stops and deletes what is Kennel's."""
    grants = (*_reading(account, buckets), *_operating(account))
    return _role(account, OPERATOR, "launches, deploys, scales and deletes what carries Kennel's mark", grants)


def remediator(account: Account, roles: Mapping[str, Iterable[str]], buckets: Iterable[str] = ()) -> OwnRole:
    """Reads, and changes these roles. roles: by ARN, the ARNs of the managed policies that each has today."""
    grants = (*_reading(account, buckets), *_mending(account, roles))
    return _role(account, REMEDIATOR, "replaces the policies of the roles it was made for, and undoes that", grants)


def boundary(account: Account) -> dict[str, Any]:
    """The most that any of the three may ever do, whatever is attached to it: it can change neither itself nor this
    boundary, make no users and no keys, and become no other role.
    """
    where = account.where
    services = sorted({right.service for right in _rights(account, READS, OPERATES)} - {"iam", "sts"})
    iam = sorted({right.action for right in _rights(account, READS, OPERATES, MENDS) if right.service == "iam"})
    here = f"arn:{where.partition}:iam::{where.account}"
    own = [f"{here}:role/{path}{name}" for name in OWN_ROLES for path in ("", "*/")]
    limits = [f"{here}:policy{PATH}{name}" for name in (BOUNDARY, *(f"{name}*" for name in OWN_ROLES))]
    linked = [f"arn:{where.partition}:iam::*:role{path}*" for path in (LINKED, RESERVED)]
    changing = [action for action in iam if actions.access_level(action).changes]
    return {
        "Version": CURRENT,
        "Statement": [
            {"Sid": "Work", "Effect": "Allow", "Action": [f"{one}:*" for one in services], "Resource": "*"},
            {"Sid": "Roles", "Effect": "Allow", "Action": [*iam, "iam:PassRole"], "Resource": "*"},
            {"Sid": "NeverItself", "Effect": "Deny", "Action": changing, "Resource": [*own, *limits, *linked]},
        ],
    }


def trust(account: Account) -> dict[str, Any]:
    """Who may work as it: the account's own users and roles that are given sts:AssumeRole on it."""
    root = f"arn:{account.where.partition}:iam::{account.account_id}:root"
    return {
        "Version": CURRENT,
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"}],
    }


def _role(account: Account, name: str, does: str, grants: Iterable[Grant]) -> OwnRole:
    documents = sizes.packed(document(gathered(grants))["Statement"])
    names = [name if number == 1 else f"{name}-{number}" for number in range(1, len(documents) + 1)]
    return OwnRole(name, does, dict(zip(names, documents, strict=True)), trust(account))


def _rights(account: Account, *tables: Calls) -> Iterator[Right]:
    """The rights that the operations need when they say nothing of what they are on: a "*" stands for that."""
    for table in tables:
        for service, operations in table.items():
            for operation in operations:
                yield from rights_of(service, operation, _SAID.get((service, operation), {}), account.where)


def _reading(account: Account, buckets: Iterable[str]) -> Iterator[Grant]:
    where = account.where
    for right in _rights(account, READS):
        sid = f"Read{_word(right.service)}"
        if right.service == "s3":
            for bucket in dict.fromkeys((account.bucket, *buckets)):
                yield Grant("ReadS3", (right.action,), (right.resource.replace(":::*", f":::{bucket}", 1),))
        elif right.resource == ANYTHING:
            yield Grant("ReadAll", (right.action,))
        elif right.service == "iam":
            # IAM takes no "*" for any kind; what could be about users too is asked of roles
            kind = right.resource.split(":", 5)[5].partition("/")[0].replace("*", "role")
            yield Grant("ReadIam", (right.action,), (f"arn:{where.partition}:iam::{where.account}:{kind}/*",))
            if ":policy/" in right.resource:  # AWS's own policies are of no account
                yield Grant("ReadIam", (right.action,), (f"arn:{where.partition}:iam::aws:policy/*",))
        else:
            yield Grant(sid, (right.action,), (_all_of(right),))


def _operating(account: Account) -> Iterator[Grant]:
    where = account.where
    for right in _rights(account, OPERATES):
        yield from _operates(account, right)
    # tags that are changed later are those of what carries the mark already
    tagged = f"arn:{where.partition}:sagemaker:{where.region}:{where.account}:*"
    yield Grant("ChangeSagemaker", ("sagemaker:AddTags",), (tagged,), (_MARK,))
    instances = f"arn:{where.partition}:ec2:{where.region}:{where.account}"
    made = Limit("StringEquals", "ec2:CreateAction", ("RunInstances", "CreateSecurityGroup"))
    yield Grant("TagNew", ("ec2:CreateTags",), (f"{instances}:*/*",), (made,))
    group = ("ec2:CreateSecurityGroup",)
    yield Grant("GroupIn", group, (f"{instances}:vpc/*",), (Limit("StringEquals", "ec2:Region", (where.region,)),))
    for name, service in PASSES.items():
        role = f"arn:{where.partition}:iam::{where.account}:role/{name}"
        yield Grant("Pass", ("iam:PassRole",), (role,), (Limit("StringEquals", "iam:PassedToService", (service,)),))


def _operates(account: Account, right: Right) -> Iterator[Grant]:
    """A right of the operator's, as narrow as its service allows."""
    service = right.service
    if service == "s3":
        yield Grant("WriteS3", (right.action,), (right.resource.replace(":::*", f":::{account.bucket}", 1),))
    elif right.action == "iam:CreateServiceLinkedRole":
        name = Limit("StringEquals", "iam:AWSServiceName", (
            "sagemaker.application-autoscaling.amazonaws.com",
            "lambda.application-autoscaling.amazonaws.com",
        ))  # fmt: skip
        yield replace(Grant("ScalingRole", (right.action,), (right.resource,)), limits=(name,))
    elif right.action == "iam:PassRole":
        return  # by name, each to its service
    elif right.action in _TAGGED_WHEN_MADE:
        yield Grant(f"Make{_word(service)}", (right.action,), (_all_of(right),), (_NEW,))
    elif service in _NAMED:
        start = ":".join(right.resource.split(":", 5)[:5])
        yield Grant(f"Own{_word(service)}", (right.action,), (f"{start}:{_NAMED[service]}",))
    elif service == "application-autoscaling":
        spaces = Limit("StringEquals", "application-autoscaling:service-namespace", ("sagemaker", "lambda"))
        yield Grant("Scale", (right.action,), (_all_of(right),), (spaces,))
    elif service == "ec2":
        yield from _of_ec2(right)
    elif right.resource == ANYTHING:
        yield Grant("Switch", (right.action,))
    elif service == "cloudwatch":
        alarms = right.resource.rpartition(":")[0]
        yield Grant("OwnAlarms", (right.action,), (f"{alarms}:kennel-*", f"{alarms}:TargetTracking-*"))
    elif right.action in _CODE:
        start = right.resource.partition(":function:")[0]
        yield Grant("FunctionCode", (right.action,), tuple(f"{start}:function:{name}" for name in FUNCTIONS), (_MARK,))
    else:
        yield Grant(f"Change{_word(service)}", (right.action,), (_all_of(right),), (_MARK,))


def _of_ec2(right: Right) -> Iterator[Grant]:
    """Instances, volumes and groups that are made get the mark in the same request; AWS's images and the account's
    own networks are used. What is changed later carries the mark.
    """
    kind = right.resource.rpartition(":")[2].partition("/")[0]
    if right.action == "ec2:CreateTags":
        return  # only what is being made, see above
    if right.action not in ("ec2:RunInstances", "ec2:CreateSecurityGroup"):
        yield Grant("ChangeEc2", (right.action,), (right.resource,), (_MARK,))
    elif kind in ("instance", "volume") or right.action == "ec2:CreateSecurityGroup":
        yield Grant("MakeEc2", (right.action,), (right.resource,), (_NEW,))
    elif kind == "image":
        yield Grant("UseImages", (right.action,), (right.resource,), (Limit("StringEquals", "ec2:Owner", ("amazon",)),))
    else:
        start = ":".join(right.resource.split(":", 5)[:5])
        yield Grant(
            "UseNetwork", (right.action,), (right.resource,), (Limit("ArnLike", "ec2:Vpc", (f"{start}:vpc/*",)),)
        )


def _mending(account: Account, roles: Mapping[str, Iterable[str]]) -> Iterator[Grant]:
    where = account.where
    here = f"arn:{where.partition}:iam::{where.account}"
    own, made = f"{here}:role{PATH}*", f"{here}:policy{PATH}*"
    profiles = (
        f"{here}:instance-profile{PATH}*",
        *(arn.replace(":role/", ":instance-profile/") + "*" for arn in roles),
    )
    given = tuple(dict.fromkeys(arn for policies in roles.values() for arn in policies))
    attaches = Limit("ArnLike", "iam:PolicyARN", (made, *given))
    for right in _rights(account, MENDS):
        if right.action in ("iam:AttachRolePolicy", "iam:DetachRolePolicy"):
            yield Grant("Swap", (right.action,), (own, *roles), (attaches,))
        elif ":policy/" in right.resource:
            yield Grant("OwnPolicies", (right.action,), (made,))
        elif ":instance-profile/" in right.resource:
            yield Grant("Profiles", (right.action,), profiles)
        elif right.action == "iam:PassRole":
            continue
        elif right.action in ("iam:CreateRole", "iam:DeleteRole"):
            yield Grant("OwnRoles", (right.action,), (own, *roles))
        elif roles:
            yield Grant("Mend", (right.action,), tuple(roles))
        if right.action in _OF_NEW_ROLES:
            yield Grant("OwnRoles", (right.action,), (own,))


def _all_of(right: Right) -> str:
    """Everything of the account and region in a service: the action itself says what kind it is about."""
    start = right.resource.split(":", 5)[:5]
    return ":".join([*start, "*"])


def _word(service: str) -> str:
    return "".join(part.capitalize() for part in service.split("-"))
