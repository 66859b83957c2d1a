"""What Kennel's own roles are given: the operations that its code calls, as rights as narrow as can be. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account
from dashboard.core.iam.least.generate import role_name
from dashboard.core.iam.least.grants import Grant, Limit
from dashboard.core.iam.own import work_boundary
from dashboard.core.iam.own.mended import Mended
from dashboard.core.iam.own.own_calls import MENDS, OPERATES, READS, Calls
from dashboard.core.iam.replace.refusals import PATH
from dashboard.core.iam.requests import rights_of
from dashboard.core.iam.rights import ANYTHING, Right
from dashboard.core.iam.usage import Duty
from dashboard.core.notebooks import lifecycle

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
        "sagemaker:CreateNotebookInstance",
        "sagemaker:CreateTrainingJob",
    }
)
FUNCTIONS = ("kennel-*", "*-photos")
"""Whose code the operator may change: whoever changes a function's code works as its role. Kennel names a function
after its endpoint, with "-photos" behind it."""
NOTEBOOKS = "kennel-*"
"""Which notebook instances the operator may open and change: who does works as its role. Kennel suggests such names."""
_NOTEBOOKS_OWN = frozenset({"sagemaker:CreatePresignedNotebookInstanceUrl", "sagemaker:UpdateNotebookInstance"})
"""What works as a notebook's role: opening it, and giving it a script that runs when it starts."""
_CODE = frozenset({"lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"})
_NAMED = {
    "budgets": "budget/kennel-month*",
    "scheduler": "schedule/default/kennel-delete-*",
    "sns": "kennel-*",
    "logs": "log-group:/aws/*",
}
"""What Kennel names itself, by the prefix of the actions: the end of its ARN."""


_BUCKETS = frozenset(
    f"s3:{name}"
    for name in (
        "GetBucketAcl",
        "GetBucketPolicy",
        "GetBucketPolicyStatus",
        "GetBucketPublicAccessBlock",
        "GetBucketTagging",
        "GetBucketVersioning",
        "GetEncryptionConfiguration",
    )
)
"""What is asked of every bucket of the account, to see which of them are open: how it is set, not what is in it."""
_BUCKETS_CHANGED = frozenset(
    f"s3:{name}"
    for name in (
        "CreateBucket",
        "PutBucketPolicy",
        "PutBucketPublicAccessBlock",
        "PutBucketTagging",
        "PutBucketVersioning",
        "PutEncryptionConfiguration",
    )
)
"""What makes a bucket, and makes one safe: those whose name begins with Kennel's."""


_SAID: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("ssm", "GetParameters"): {"Names": ["/aws/service/*"]},
    ("application-autoscaling", "RegisterScalableTarget"): {"Tags": {tags.MADE_BY: tags.KENNEL}},
    ("lambda", "CreateFunction"): {"Tags": {tags.MADE_BY: tags.KENNEL}},
    ("iam", "CreateInstanceProfile"): {"Tags": tags.listed({tags.MADE_BY: tags.KENNEL})},
    ("logs", "CreateLogGroup"): {"tags": {tags.MADE_BY: tags.KENNEL}},
}
"""What Kennel always says in a request: that it reads parameters of AWS's own, and the mark of what it makes."""


def rights(account: Account, *tables: Calls) -> Iterator[Right]:
    """The rights that the operations need when they say nothing of what they are on: a "*" stands for that."""
    for table in tables:
        for service, operations in table.items():
            for operation in operations:
                yield from rights_of(service, operation, _SAID.get((service, operation), {}), account.where)


def reading(account: Account, buckets: Iterable[str]) -> Iterator[Grant]:
    """What every page reads. buckets: those beside Kennel's own."""
    where = account.where
    for right in rights(account, READS):
        sid = f"Read{_word(right.service)}"
        if right.action == "s3:ListAllMyBuckets":
            yield Grant("ReadAll", (right.action,))
        elif right.action in _BUCKETS:
            yield Grant("ReadBuckets", (right.action,), (f"arn:{where.partition}:s3:::*",))
        elif right.service == "s3":
            for bucket in dict.fromkeys((account.bucket, trail_bucket(account), *buckets)):
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


def operating(account: Account) -> Iterator[Grant]:
    """What people do on the pages, with what is Kennel's."""
    where = account.where
    for right in rights(account, OPERATES):
        yield from _operates(account, right)
    # tags that are changed later are those of what carries the mark already
    tagged = f"arn:{where.partition}:sagemaker:{where.region}:{where.account}:*"
    yield Grant("ChangeSagemaker", ("sagemaker:AddTags",), (tagged,), (_MARK,))
    instances = f"arn:{where.partition}:ec2:{where.region}:{where.account}"
    made = Limit("StringEquals", "ec2:CreateAction", ("RunInstances", "CreateSecurityGroup"))
    yield Grant("TagNew", ("ec2:CreateTags",), (f"{instances}:*/*",), (made,))
    here = Limit("StringEquals", "ec2:Region", (where.region,))
    yield Grant("GroupIn", ("ec2:CreateSecurityGroup",), (f"{instances}:vpc/*",), (here,))
    yield Grant("UseNetwork", ("ec2:RunInstances",), (f"{instances}:key-pair/*",), (here,))
    for name, service in PASSES.items():
        role = f"arn:{where.partition}:iam::{where.account}:role/{name}"
        yield Grant("Pass", ("iam:PassRole",), (role,), (Limit("StringEquals", "iam:PassedToService", (service,)),))


def _operates(account: Account, right: Right) -> Iterator[Grant]:
    """A right of the operator's, as narrow as its service allows."""
    service = right.service
    if service == "s3" and right.action in _BUCKETS_CHANGED:
        yield Grant("MakeBuckets", (right.action,), (right.resource.replace(":::*", ":::kennel-*", 1),))
    elif service == "s3":
        yield Grant("WriteS3", (right.action,), (right.resource.replace(":::*", f":::{account.bucket}", 1),))
    elif right.action == "iam:CreateServiceLinkedRole":
        name = Limit("StringEquals", "iam:AWSServiceName", (
            "sagemaker.application-autoscaling.amazonaws.com",
            "lambda.application-autoscaling.amazonaws.com",
        ))  # fmt: skip
        yield replace(Grant("ScalingRole", (right.action,), (right.resource,)), limits=(name,))
    elif right.action == "iam:PassRole":
        return  # by name, each to its service
    elif right.action == "sagemaker:CreateNotebookInstanceLifecycleConfig":
        start = right.resource.partition(":notebook-instance-lifecycle-config/")[0]
        scripts = f"{start}:notebook-instance-lifecycle-config/{lifecycle.PREFIX}*"
        yield Grant("MakeScripts", (right.action,), (scripts,), (_NEW,))
    elif right.action in _TAGGED_WHEN_MADE:
        yield Grant(f"Make{_word(service)}", (right.action,), (_all_of(right),), (_NEW,))
    elif service in _NAMED:
        start = ":".join(right.resource.split(":", 5)[:5])
        yield Grant(f"Own{_word(service)}", (right.action,), (f"{start}:{_NAMED[service]}",))
    elif service == "application-autoscaling":
        spaces = Limit("StringEquals", "application-autoscaling:service-namespace", ("sagemaker", "lambda"))
        yield Grant("Scale", (right.action,), (_all_of(right),), (spaces,))
    elif service == "ec2":
        yield from _of_ec2(account, right)
    elif right.resource == ANYTHING:
        yield Grant("Switch", (right.action,))
    elif service == "cloudwatch":
        alarms = right.resource.rpartition(":")[0]
        yield Grant("OwnAlarms", (right.action,), (f"{alarms}:kennel-*", f"{alarms}:TargetTracking-*"))
    elif right.action in _NOTEBOOKS_OWN:
        start = right.resource.partition(":notebook-instance/")[0]
        yield Grant("OpenNotebooks", (right.action,), (f"{start}:notebook-instance/{NOTEBOOKS}",), (_MARK,))
    elif right.action in _CODE:
        start = right.resource.partition(":function:")[0]
        yield Grant("FunctionCode", (right.action,), tuple(f"{start}:function:{name}" for name in FUNCTIONS), (_MARK,))
    else:
        yield Grant(f"Change{_word(service)}", (right.action,), (_all_of(right),), (_MARK,))


def _of_ec2(account: Account, right: Right) -> Iterator[Grant]:
    """Instances, volumes and groups that are made get the mark in the same request; AWS's images and the account's
    own networks are used. What is changed later carries the mark.
    """
    kind = right.resource.rpartition(":")[2].partition("/")[0]
    here = Limit("StringEquals", "ec2:Region", (account.region,))
    if right.action == "ec2:CreateTags":
        return  # only what is being made, see above
    if right.action not in ("ec2:RunInstances", "ec2:CreateSecurityGroup"):
        yield Grant("ChangeEc2", (right.action,), (right.resource,), (_MARK,))
    elif kind in ("instance", "volume") or right.action == "ec2:CreateSecurityGroup":
        yield Grant("MakeEc2", (right.action,), (right.resource,), (_NEW,))
    elif kind == "image":
        yield Grant("UseImages", (right.action,), (right.resource,), (Limit("StringEquals", "ec2:Owner", ("amazon",)),))
    else:
        yield Grant("UseNetwork", (right.action,), (right.resource,), (here,))


def mending(account: Account, roles: Sequence[Mended]) -> Iterator[Grant]:
    """What replaces policies of these roles, and makes roles in their place: only while the boundary holds the role."""
    where = account.where
    here = f"arn:{where.partition}:iam::{where.account}"
    own, made, arns = f"{here}:role{PATH}*", f"{here}:policy{PATH}*", tuple(one.arn for one in roles)
    profiles = (
        f"{here}:instance-profile{PATH}*",
        *(arn.replace(":role/", ":instance-profile/") + "*" for arn in arns),
    )
    given = tuple(dict.fromkeys(arn for one in roles for arn in one.policies))
    attaches = Limit("ArnLike", "iam:PolicyARN", (made, *given))
    bounds = tuple(dict.fromkeys((work_boundary.arn(account), *(one.boundary for one in roles if one.boundary))))
    bounded = Limit("StringEquals", "iam:PermissionsBoundary", bounds)
    for right in rights(account, MENDS):
        if right.action in ("iam:AttachRolePolicy", "iam:DetachRolePolicy"):
            yield Grant("Swap", (right.action,), (own, *arns), (attaches, bounded))
        elif right.action in ("iam:PutRolePolicy", "iam:DeleteRolePolicy"):
            yield Grant("Write", (right.action,), (own, *arns), (bounded,))
        elif right.action == "iam:CreateRole":
            yield Grant("MakeRoles", (right.action,), (own,), (bounded,))
        elif ":policy/" in right.resource:
            yield Grant("OwnPolicies", (right.action,), (made,))
        elif ":instance-profile/" in right.resource:
            yield Grant("Profiles", (right.action,), profiles)
        elif right.action in ("iam:DeleteRole", "iam:TagRole", "iam:UntagRole"):
            yield Grant("OwnRoles", (right.action,), (own, *arns))
        elif right.action != "iam:PassRole" and arns:
            yield Grant("Mend", (right.action,), arns)
    for one in roles:
        yield from _splitting(account, one)


def _splitting(account: Account, one: Mended) -> Iterator[Grant]:
    """What gives a duty of a role a role of its own: each role is passed by its name, to its own service."""
    where = account.where
    moved = [*([Duty.FUNCTION] if one.functions else []), *([Duty.ENDPOINT] if one.endpoints else [])]
    for duty in (Duty.INSTANCE, *moved):
        new = f"arn:{where.partition}:iam::{where.account}:role{PATH}{role_name(one.name, duty)}"
        service = Limit("StringEquals", "iam:PassedToService", (duty.service,))
        yield Grant(f"Pass{duty.value.capitalize()}", ("iam:PassRole",), (new, one.arn), (service,))
    if one.functions:
        moves = ("lambda:UpdateFunctionConfiguration", "lambda:PublishVersion", "lambda:UpdateAlias")
        yield Grant("MoveFunctions", moves, one.functions)
    if one.endpoints:
        models = f"arn:{where.partition}:sagemaker:{where.region}:{where.account}"
        both = (f"{models}:model/*", f"{models}:endpoint-config/*")
        # a configuration is named after its endpoint, and what takes its place after that
        configs = tuple(f"{arn.replace(':endpoint/', ':endpoint-config/')}*" for arn in one.endpoints)
        makes = ("sagemaker:CreateModel", "sagemaker:CreateEndpointConfig", "sagemaker:AddTags")
        yield Grant("MakeModels", makes, both, (_NEW,))
        yield Grant("DropModels", ("sagemaker:DeleteModel", "sagemaker:DeleteEndpointConfig"), both, (_MARK,))
        yield Grant("MoveEndpoints", ("sagemaker:UpdateEndpoint",), (*one.endpoints, *configs))


def trail_bucket(account: Account) -> str:
    """Where the trail that Kennel suggests has its files."""
    return f"kennel-trail-{account.account_id}-{account.region}"


def _all_of(right: Right) -> str:
    """Everything of the account and region in a service: the action itself says what kind it is about."""
    start = right.resource.split(":", 5)[:5]
    return ":".join([*start, "*"])


def _word(service: str) -> str:
    return "".join(part.capitalize() for part in service.split("-"))
