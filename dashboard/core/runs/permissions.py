"""Whether the caller may launch, and the role may train, as IAM's own simulator says before anything is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dashboard.core.aws import Account, Aws
from dashboard.core.errors import CredentialsProblem, KennelError, NotFound, Unreachable
from dashboard.core.iam.least.duties import needs
from dashboard.core.iam.least.resources import Folder, Resources
from dashboard.core.iam.usage import Duty
from dashboard.core.parallel import gather
from dashboard.core.runs import requests, requests_ec2
from dashboard.core.runs.code import PREFIX as CODE
from dashboard.core.runs.images import training_image
from dashboard.core.runs.requests_ec2 import LOG_GROUP, NAMESPACE
from dashboard.core.runs.spec import TrainingSpec
from dashboard.core.runs.surroundings import Permission
from dashboard.core.s3_address import parts

CALLER = "this identity"
RUNS = "runs/"
GOES_WITHOUT = frozenset({"logs:CreateLogGroup", "logs:DescribeLogStreams", "s3:AbortMultipartUpload"})
"""A training that may not do these ends no worse: its log group is there after the first one, and parts of an upload
that broke off stay behind."""


@dataclass(frozen=True)
class Need:
    """An action on a resource, and the request's context that a policy may ask about."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def permissions(aws: Aws, spec: TrainingSpec) -> tuple[Permission, ...]:
    """Every action of this launch and of its training, with whether it is allowed. Not being told is no error."""
    account = aws.account
    role = requests_ec2.ROLE if spec.is_on_ec2 else requests.ROLE
    found = _simulated(aws, f"the role {role}", account.role_arn(role), of_role(spec, account))
    return (*caller_may(aws, of_caller(spec, account)), *found)


def caller_may(aws: Aws, needs: Sequence[Need]) -> tuple[Permission, ...]:
    """Whether this identity may do each of these; nothing is told of the account's root user, who may do all.

    Raises Unreachable and CredentialsProblem; whatever else keeps IAM from telling is in the answers.
    """
    try:
        caller = str(aws.call("sts", "GetCallerIdentity")["Arn"])
        principal = _principal(aws, caller)
    except (Unreachable, CredentialsProblem):
        raise
    except KennelError as error:
        return _not_checked(CALLER, needs, error.what)
    if principal.endswith(":root"):
        return ()  # the account's root user may do everything that no organisation forbids
    return _simulated(aws, CALLER, principal, needs)


def of_caller(spec: TrainingSpec, account: Account) -> tuple[Need, ...]:
    """What `launch` does for this spec."""
    here = f"{account.region}:{account.account_id}"
    bucket = f"arn:aws:s3:::{account.bucket}"
    if spec.is_on_ec2:
        instance = f"arn:aws:ec2:{here}:instance/*"
        return (
            Need("ec2:RunInstances", instance),
            Need("ec2:CreateTags", instance, {"ec2:CreateAction": "RunInstances"}),
            Need("iam:PassRole", account.role_arn(requests_ec2.ROLE), {"iam:PassedToService": "ec2.amazonaws.com"}),
            Need("s3:PutObject", f"{bucket}/{CODE}*"),
            Need("s3:PutObject", f"{bucket}/{requests_ec2.RUNS}*"),
            *([Need("ec2:AuthorizeSecurityGroupIngress", f"arn:aws:ec2:{here}:security-group/*")] if spec.ssh_address
              else []),
        )  # fmt: skip
    what, action = (
        ("hyper-parameter-tuning-job", "sagemaker:CreateHyperParameterTuningJob")
        if spec.tuning
        else ("training-job", "sagemaker:CreateTrainingJob")
    )
    job = f"arn:aws:sagemaker:{here}:{what}/*"
    return (
        Need(action, job),
        Need("sagemaker:AddTags", job),
        Need("iam:PassRole", account.role_arn(requests.ROLE), {"iam:PassedToService": "sagemaker.amazonaws.com"}),
        Need("s3:PutObject", f"{bucket}/{CODE}*"),
    )


def of_role(spec: TrainingSpec, account: Account) -> tuple[Need, ...]:
    """What the training cannot do without: its data and its code, its results, its log and its figures."""
    duty = Duty.INSTANCE if spec.is_on_ec2 else Duty.TRAINING
    return tuple(
        Need(right.action, right.resource, {key: values[0] for key, values in right.context.items()})
        for grant in needs(duty, works_on(spec, account), account.where)
        for right in grant.rights()
        if right.action not in GOES_WITHOUT
    )


def works_on(spec: TrainingSpec, account: Account) -> Resources:
    """What the training reads, writes and keeps, as its role has to be allowed."""
    data, code = Folder(*parts(spec.dataset_uri)), Folder(account.bucket, CODE)
    # On EC2 a run keeps them among its results, unless it goes on from another run's.
    is_spot_job = spec.is_spot and not spec.is_on_ec2
    keeps = requests.checkpoint_folder(spec, "*", account) if is_spot_job or spec.resume_from else ""
    kept = (Folder(*parts(f"{keeps.rstrip('*/')}/")),) if keeps else ()
    if spec.is_on_ec2:
        own = Folder(account.bucket, requests_ec2.RUNS)
        return Resources((data, code, own), (own,), kept, groups=(LOG_GROUP,), namespaces=(NAMESPACE,))
    images = (training_image(account.region, spec.instance_type),)
    return Resources((data, code), (Folder(account.bucket, RUNS),), kept, images)


def _principal(aws: Aws, arn: str) -> str:
    """The user or role behind an identity: a session's ARN names its role without the role's path."""
    if ":assumed-role/" not in arn:
        return arn
    return str(aws.call("iam", "GetRole", RoleName=arn.split("/")[1])["Role"]["Arn"])


def _simulated(aws: Aws, who: str, principal: str, needs: Sequence[Need]) -> tuple[Permission, ...]:
    try:
        return tuple(gather(lambda need: _one(aws, who, principal, need), needs, workers=4))
    except (Unreachable, CredentialsProblem):
        raise
    except NotFound:
        return _not_checked(who, needs, f"IAM knows no {principal}")
    except KennelError as error:
        return _not_checked(who, needs, error.what)


def _one(aws: Aws, who: str, principal: str, need: Need) -> Permission:
    context = [
        {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for key, value in need.context.items()
    ]
    asked: dict[str, Any] = {
        "PolicySourceArn": principal,
        "ActionNames": [need.action],
        "ResourceArns": [need.resource],
    }
    result = aws.call("iam", "SimulatePrincipalPolicy", ContextEntries=context, **asked)["EvaluationResults"][0]
    found = Permission(who, need.action, need.resource, result["EvalDecision"] == "allowed", context=need.context)
    missing = result.get("MissingContextValues", [])
    if not found.allowed and missing and result["EvalDecision"] != "explicitDeny":
        return replace(found, allowed=None, why=f"it depends on {', '.join(missing)}")
    return found


def _not_checked(who: str, needs: Sequence[Need], why: str) -> tuple[Permission, ...]:
    return tuple(Permission(who, need.action, need.resource, None, why, need.context) for need in needs)
