"""Whether the caller may launch, and the role may train, as IAM's own simulator says before anything is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dashboard.core.aws import Account, Aws
from dashboard.core.errors import AccessDenied, CredentialsProblem, KennelError, NotFound, Unreachable
from dashboard.core.parallel import gather
from dashboard.core.runs import requests, requests_ec2
from dashboard.core.runs.code import PREFIX as CODE
from dashboard.core.runs.spec import TrainingSpec
from dashboard.core.runs.surroundings import Permission
from dashboard.core.s3_address import parts

LOGS = "/aws/sagemaker/TrainingJobs"
CALLER = "this identity"


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
    except AccessDenied as error:
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
    """What the training does: read its data and its code, write its results, its log and its figures."""
    bucket = f"arn:aws:s3:::{account.bucket}"
    data_bucket, prefix = parts(spec.dataset_uri)
    # On EC2 a run keeps them among its results, unless it goes on from another run's.
    is_spot_job = spec.is_spot and not spec.is_on_ec2
    kept = requests.checkpoint_folder(spec, "*", account) if is_spot_job or spec.resume_from else ""
    group, space = (requests_ec2.LOG_GROUP, requests_ec2.NAMESPACE) if spec.is_on_ec2 else (LOGS, LOGS)
    results = f"{bucket}/{requests_ec2.RUNS if spec.is_on_ec2 else 'runs/'}*"
    logs = f"arn:aws:logs:{account.region}:{account.account_id}:log-group:{group}:log-stream:*"
    needs = [
        Need("s3:ListBucket", f"arn:aws:s3:::{data_bucket}", {"s3:prefix": prefix}),
        Need("s3:GetObject", f"arn:aws:s3:::{data_bucket}/{prefix}*"),
        Need("s3:GetObject", f"{bucket}/{CODE}*"),
        Need("s3:PutObject", results),
        Need("logs:PutLogEvents", logs),
    ]
    if spec.is_on_ec2:  # SageMaker writes the figures itself
        needs.append(Need("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": space}))
    if kept:
        folder = f"arn:aws:s3:::{kept.removeprefix('s3://').rstrip('*/')}/*"
        needs += [Need("s3:GetObject", folder), Need("s3:PutObject", folder)]
    return tuple(needs)


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
