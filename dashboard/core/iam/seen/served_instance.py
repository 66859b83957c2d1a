"""What instances name: nothing, in EC2's own answers. Kennel's trainings say in S3 what they work on."""

from typing import Any

from dashboard.core.aws import Account, Aws
from dashboard.core.errors import AccessDenied, KennelError, ServiceFault
from dashboard.core.iam.least.resources import Folder, Resources
from dashboard.core.iam.seen.served_training import CODE, folder, source
from dashboard.core.iam.usage import Use
from dashboard.core.parallel import gather
from dashboard.core.runs.ec2_runs import indexed, read_record
from dashboard.core.runs.requests_ec2 import LOG_GROUP, NAMESPACE, RUNS

MOST = 30
"""Trainings that are looked at, the newest."""


def look(aws: Aws, use: Use, role_arn: str) -> Resources:
    """Whether Systems Manager opens sessions on it; {} for an instance profile. Raises the errors of `Aws.call`."""
    instance = use.arn.rpartition("/")[2]
    if not instance.startswith("i-"):
        return Resources()
    try:
        asked = [{"Key": "InstanceIds", "Values": [instance]}]
        told = aws.call("ssm", "DescribeInstanceInformation", Filters=asked)
    except (AccessDenied, ServiceFault):
        return Resources()  # its recorded calls tell of sessions too
    return Resources(managed=bool(told.get("InstanceInformationList")))


def runs(aws: Aws, role_arn: str) -> Resources:
    """What Kennel's newest trainings on EC2 with this role worked on; nothing when there are none."""
    names = indexed(aws, None, limit=MOST)
    found = [request for request in gather(lambda name: _request(aws, name), names) if request.get("role") == role_arn]
    if not found:
        return Resources()
    return Resources.joined([common(aws.account), *(of_run(request, aws.account) for request in found)])


def of_run(request: dict[str, Any], account: Account) -> Resources:
    """Of a run's request.json. Pure."""
    name = str(request.get("name", ""))
    reads = [str(request[key]) for key in ("dataset_uri", "code_uri") if request.get(key)]
    kept = [str(request["checkpoint_uri"])] if request.get("checkpoint_uri") else []
    own = Folder(account.bucket, RUNS)
    return Resources(
        reads=tuple(source(uri, name, account) for uri in reads),
        kept=tuple(one for uri in kept if not _inside(one := folder(uri, name, account), own)),
        groups=(str(request["log_group"]),) if request.get("log_group") else (),
        namespaces=(str(request["metric_namespace"]),) if request.get("metric_namespace") else (),
    )


def common(account: Account) -> Resources:
    """What every training of Kennel's on EC2 needs: its code, its order and reports, its log, its metrics."""
    own = Folder(account.bucket, RUNS)
    return Resources(
        reads=(Folder(account.bucket, CODE), own),
        writes=(own,),
        groups=(LOG_GROUP,),
        namespaces=(NAMESPACE,),
    )


def _inside(one: Folder, other: Folder) -> bool:
    return one.bucket == other.bucket and one.prefix.startswith(other.prefix)


def _request(aws: Aws, name: str) -> dict[str, Any]:
    try:
        record = read_record(aws, name)
    except KennelError:
        return {}  # one document that is broken says nothing of the others
    return dict(record.request) if record else {}
