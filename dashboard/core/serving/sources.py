"""The models of an account that an endpoint can be made from, to choose among."""

from collections.abc import Iterable
from dataclasses import dataclass

from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError
from dashboard.core.parallel import gather
from dashboard.core.runs.model import Run
from dashboard.core.serving import starter
from dashboard.core.serving.source import Source, SourceKind, of

MOST = 50
"""Registered versions that are offered, the newest."""
APPROVED = "Approved"


@dataclass(frozen=True)
class Offered:
    """What there is, the newest first in each kind. `unread`: why the registered versions could not be listed."""

    sources: tuple[Source, ...]
    unread: KennelError | None = None

    def of(self, kind: SourceKind) -> tuple[Source, ...]:
        return tuple(one for one in self.sources if one.kind is kind)


def offered(aws: Aws, runs: Iterable[Run]) -> Offered:
    """The models of completed runs, approved registered versions, and the starter. Raises the errors of `Aws.call`."""
    found = [of(one) for one in runs if one.status.is_good and one.artifact_uri and not one.is_replayed]
    if starter.has_starter(aws):
        uri = f"s3://{aws.account.bucket}/{starter.KEY}"
        found.append(Source(uri, starter.STARTER, SourceKind.STARTER))
    try:
        return Offered((*found, *_registered(aws)))
    except KennelError as wrong:  # a part of the account that cannot be read hides no other
        return Offered(tuple(found), wrong)


def _registered(aws: Aws) -> list[Source]:
    groups = [
        one["ModelPackageGroupName"]
        for page in aws.pages("sagemaker", "ListModelPackageGroups", limit=2)
        for one in page["ModelPackageGroupSummaryList"]
    ]

    def versions(group: str) -> list[str]:
        told = aws.call(
            "sagemaker",
            "ListModelPackages",
            ModelPackageGroupName=group,
            ModelApprovalStatus=APPROVED,
            SortBy="CreationTime",
            SortOrder="Descending",
        )
        return [one["ModelPackageArn"] for one in told["ModelPackageSummaryList"]]

    arns = [arn for found in gather(versions, groups) for arn in found][:MOST]

    def look(arn: str) -> Source | None:
        told = aws.call("sagemaker", "DescribeModelPackage", ModelPackageName=arn)
        containers = told.get("InferenceSpecification", {}).get("Containers", [])
        uri = str(containers[0].get("ModelDataUrl", "")) if containers else ""
        if not uri.endswith(".tar.gz"):
            return None
        name = f"{told.get('ModelPackageGroupName', '')} version {told.get('ModelPackageVersion', '')}"
        run = str(told.get("CustomerMetadataProperties", {}).get("run", ""))
        return Source(uri, name, SourceKind.REGISTERED, run=run, package=arn)

    return [one for one in gather(look, arns) if one]
