"""The model registry: groups of versions, what each was measured to do, and where it came from.

A version is a SageMaker model package. What Kennel notes beside it are CustomerMetadataProperties: figures of the card
("test:accuracy"), the run and the data it came from.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from dashboard.core import tags as tag
from dashboard.core.aws import Aws
from dashboard.core.errors import NotFound
from dashboard.core.parallel import gather
from dashboard.core.serving.source import Source, SourceKind

MOST_GROUPS, MOST_VERSIONS = 100, 30
"""Groups that are read, and versions of each: the newest."""
RUN, RUN_KEY, DATA, LABELS = "run", "run-key", "data", "labels"
ACCURACY = "test:accuracy"
FIGURES = (
    "test:accuracy",
    "test:macro_f1",
    "test:top_5",
    "test:loss",
    "valid:accuracy",
    "valid:loss",
    "train:accuracy",
    "train:loss",
)
"""Figures of a card that a version carries, in the order in which they are shown."""


class Approval(StrEnum):
    """Whether a version may be deployed, in SageMaker's words."""

    APPROVED = "Approved"
    PENDING = "PendingManualApproval"
    REJECTED = "Rejected"

    @classmethod
    def of(cls, text: str) -> "Approval":
        """A word that SageMaker adds later is not an approval."""
        return cls(text) if text in cls._value2member_map_ else cls.PENDING

    @property
    def may_deploy(self) -> bool:
        return self is Approval.APPROVED

    @property
    def word(self) -> str:
        return {Approval.APPROVED: "approved", Approval.PENDING: "undecided", Approval.REJECTED: "rejected"}[self]

    @property
    def tone(self) -> str:
        """Its colour by meaning (ui/tones.py)."""
        return {Approval.APPROVED: "done", Approval.PENDING: "waiting", Approval.REJECTED: "failed"}[self]


@dataclass(frozen=True)
class Version:
    """One version of a model. `artifact_uri` is its model.tar.gz; `note` what was said with the decision.

    `metrics` by the card's names, `run` and `run_key` name what trained it, `data_uri` what it was trained on; "" where
    nobody noted it.
    """

    group: str
    number: int
    arn: str
    created: datetime
    approval: Approval
    artifact_uri: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    run: str = ""
    run_key: str = ""
    data_uri: str = ""
    labels: int | None = None
    note: str = ""
    decided: datetime | None = None
    description: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.group} version {self.number}"

    @property
    def accuracy(self) -> float | None:
        return self.metrics.get(ACCURACY)

    @property
    def is_kennels(self) -> bool:
        return self.properties.get(tag.MADE_BY) == tag.KENNEL

    @property
    def source(self) -> Source:
        """What an endpoint is made from."""
        return Source(self.artifact_uri, self.name, SourceKind.REGISTERED, run=self.run, package=self.arn)


@dataclass(frozen=True)
class Group:
    """A model with its versions, the newest first; `is_cut`: there are older ones that were not read."""

    name: str
    arn: str
    created: datetime
    description: str = ""
    versions: tuple[Version, ...] = ()
    is_cut: bool = False

    def version(self, number: int) -> Version | None:
        return next((one for one in self.versions if one.number == number), None)

    @property
    def approved(self) -> Version | None:
        """The newest version that may be deployed."""
        return next((one for one in self.versions if one.approval.may_deploy), None)

    @property
    def best(self) -> Version | None:
        """The version with the highest test accuracy; None where none was measured."""
        measured = [one for one in self.versions if one.accuracy is not None]
        return max(measured, key=lambda one: one.accuracy or 0.0, default=None)


def list_groups(aws: Aws) -> tuple[Group, ...]:
    """The first 100 groups, the newest first, each with its newest 30 versions. Raises the errors of `Aws.call`."""
    told: list[Mapping[str, Any]] = []
    for page in aws.pages("sagemaker", "ListModelPackageGroups", SortBy="CreationTime", SortOrder="Descending"):
        told += page["ModelPackageGroupSummaryList"]
        if len(told) >= MOST_GROUPS:
            break
    found = gather(lambda one: _group(aws, one), told[:MOST_GROUPS], workers=4)
    return tuple(one for one in found if one)


def _group(aws: Aws, told: Mapping[str, Any]) -> Group | None:
    name = str(told["ModelPackageGroupName"])
    try:
        listed = aws.call(
            "sagemaker",
            "ListModelPackages",
            ModelPackageGroupName=name,
            SortBy="CreationTime",
            SortOrder="Descending",
            MaxResults=MOST_VERSIONS,
        )
    except NotFound:
        return None  # deleted since it was listed
    arns = [str(one["ModelPackageArn"]) for one in listed["ModelPackageSummaryList"]]
    versions = [one for one in gather(lambda arn: find_version(aws, arn), arns, workers=8) if one]
    return Group(
        name=name,
        arn=str(told["ModelPackageGroupArn"]),
        created=told["CreationTime"],
        description=str(told.get("ModelPackageGroupDescription", "")),
        versions=tuple(sorted(versions, key=lambda one: -one.number)),
        is_cut="NextToken" in listed,
    )


def find_version(aws: Aws, arn: str) -> Version | None:
    """One version by its ARN; None when it is gone. Raises the other errors of `Aws.call`."""
    try:
        return version_of(aws.call("sagemaker", "DescribeModelPackage", ModelPackageName=arn))
    except NotFound:
        return None


def version_of(told: Mapping[str, Any]) -> Version:
    """DescribeModelPackage's answer as a version."""
    containers = told.get("InferenceSpecification", {}).get("Containers") or [{}]
    marks = {str(name): str(value) for name, value in told.get("CustomerMetadataProperties", {}).items()}
    labels = marks.get(LABELS, "")
    return Version(
        group=str(told.get("ModelPackageGroupName", "")),
        number=int(told.get("ModelPackageVersion", 0)),
        arn=str(told["ModelPackageArn"]),
        created=told["CreationTime"],
        approval=Approval.of(str(told.get("ModelApprovalStatus", ""))),
        artifact_uri=str(containers[0].get("ModelDataUrl", "")),
        metrics=_figures(marks),
        run=marks.get(RUN, ""),
        run_key=marks.get(RUN_KEY, "") or marks.get(RUN, ""),
        data_uri=marks.get(DATA, ""),
        labels=int(labels) if labels.isascii() and labels.isdecimal() else None,
        note=str(told.get("ApprovalDescription", "")),
        decided=told.get("LastModifiedTime"),
        description=str(told.get("ModelPackageDescription", "")),
        properties=marks,
    )


def _figures(marks: Mapping[str, str]) -> dict[str, float]:
    """The figures among the marks; whoever else writes there may write anything."""
    found = {}
    for name in FIGURES:
        try:
            found[name] = float(marks[name])
        except (KeyError, ValueError):
            continue
    return found


def counted(groups: Iterable[Group]) -> tuple[int, int]:
    """How many versions there are, and how many of them are approved."""
    versions = [one for group in groups for one in group.versions]
    return len(versions), sum(one.approval.may_deploy for one in versions)
