"""Requests that show that a right is gone: harmless where it is still there, since what they name does not exist.

Each reads a list, or asks for or deletes something by a name that nothing has. A role without the right is answered
AccessDenied, before AWS looks whether the thing is there; a role with it is answered that there is none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dashboard.core.aws import Account, Aws
from dashboard.core.errors import AccessDenied, KennelError, ServiceFault
from dashboard.core.iam.evaluate import evaluate
from dashboard.core.iam.requests import UnknownRequest, rights_of
from dashboard.core.iam.rights import Right

NOBODY = "kennel-trial-nobody"
"""The name that nothing has."""
MOST = 12


@dataclass(frozen=True)
class Probe:
    """One harmless request, and the right that it needs."""

    right: Right
    service: str
    operation: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Probed:
    """is_gone: the request was denied. said: AWS's own words, or what it answered instead."""

    probe: Probe
    is_gone: bool
    said: str

    @property
    def sentence(self) -> str:
        action = self.probe.right.action
        return f"{action}: {'denied' if self.is_gone else 'NOT denied'} ({self.said})"


def harmless(account: Account) -> tuple[Probe, ...]:
    """Every request of this kind that is known, the most telling first."""
    bucket = account.bucket
    asked: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("sagemaker", "DeleteEndpoint", {"EndpointName": NOBODY}),
        ("s3", "DeleteObject", {"Bucket": bucket, "Key": f"{NOBODY}/nothing"}),
        ("s3", "GetObject", {"Bucket": bucket, "Key": f"{NOBODY}/nothing"}),
        ("s3", "DeleteBucket", {"Bucket": f"{NOBODY}-{account.account_id}"}),
        ("s3", "ListBuckets", {}),
        ("iam", "DeleteRole", {"RoleName": NOBODY}),
        ("iam", "ListRoles", {"MaxItems": 1}),
        ("lambda", "DeleteFunction", {"FunctionName": NOBODY}),
        ("lambda", "ListFunctions", {"MaxItems": 1}),
        ("sagemaker", "DeleteModel", {"ModelName": NOBODY}),
        ("sagemaker", "StopTrainingJob", {"TrainingJobName": NOBODY}),
        ("sagemaker", "ListTrainingJobs", {"MaxResults": 1}),
        ("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": NOBODY, "Body": b"{}"}),
        ("ec2", "TerminateInstances", {"InstanceIds": ["i-00000000000000000"]}),
        ("ec2", "DescribeInstances", {}),
        ("logs", "DeleteLogGroup", {"logGroupName": f"/{NOBODY}"}),
        ("logs", "DescribeLogGroups", {"limit": 1}),
        ("cloudwatch", "DescribeAlarms", {"MaxRecords": 1}),
    )
    found = []
    for service, operation, parameters in asked:
        try:
            rights = rights_of(service, operation, parameters, account.where)
        except UnknownRequest:
            continue
        if len(rights) == 1:
            found.append(Probe(rights[0], service, operation, parameters))
    return tuple(found)


def telling(
    known: Iterable[Probe], before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]
) -> tuple[Probe, ...]:
    """Those that the role is allowed today and the proposal does not allow: the others would prove nothing."""
    old, new = list(before), list(after)
    return tuple(one for one in known if _allowed(old, one.right) and not _allowed(new, one.right))[:MOST]


def probe(role: Aws, one: Probe) -> Probed:
    """Send it with the role's keys. Raises ServiceFault where the service is not there to ask."""
    try:
        role.call(one.service, one.operation, **one.parameters)
    except AccessDenied as denied:
        return Probed(one, True, denied.why)
    except ServiceFault:
        raise
    except KennelError as error:
        return Probed(one, False, error.what)
    return Probed(one, False, "it was answered")


def _allowed(documents: list[Mapping[str, Any]], right: Right) -> bool:
    return evaluate(documents, right.action, right.resource, right.context).allowed
