"""The model registry: groups of versions, what each was measured to do, and where it came from.

A version is a SageMaker model package. What Kennel notes beside it are CustomerMetadataProperties: figures of the card
("test:accuracy"), the run and the data it came from.
"""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from dashboard.core import tags as tag
from dashboard.core.aws import Aws
from dashboard.core.errors import NotFound
from dashboard.core.parallel import gather
from dashboard.core.serving.source import Source, SourceKind

MOST_GROUPS, MOST_LISTED, MOST_VERSIONS = 100, 100, 30
"""Groups that are read, versions of each that are listed, and versions of one that are read whole: the newest."""
BATCH = 100
"""Versions that BatchDescribeModelPackage tells of at once."""
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
        return tag.is_kennels(self.properties)

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
    """The first 100 groups, the newest first, each with its newest 100 versions as they are listed: their numbers and
    decisions, no figures and no origin (see `read_versions`). Raises the errors of `Aws.call`."""
    told: list[Mapping[str, Any]] = []
    for page in aws.pages("sagemaker", "ListModelPackageGroups", SortBy="CreationTime", SortOrder="Descending"):
        told += page["ModelPackageGroupSummaryList"]
        if len(told) >= MOST_GROUPS:
            break
    found = gather(lambda one: _group(aws, one), told[:MOST_GROUPS], workers=8)
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
            MaxResults=MOST_LISTED,
        )
    except NotFound:
        return None  # deleted since it was listed
    versions = [version_of(one) for one in listed["ModelPackageSummaryList"]]
    return Group(
        name=name,
        arn=str(told["ModelPackageGroupArn"]),
        created=told["CreationTime"],
        description=str(told.get("ModelPackageGroupDescription", "")),
        versions=tuple(sorted(versions, key=lambda one: -one.number)),
        is_cut="NextToken" in listed,
    )


def read_versions(aws: Aws, group: Group) -> Group:
    """A listed group with all that is known of its newest 30 versions. Raises the errors of `Aws.call`."""
    arns = [one.arn for one in group.versions[:MOST_VERSIONS]]
    versions = [one for one in gather(lambda arn: find_version(aws, arn), arns, workers=8) if one]
    is_cut = group.is_cut or len(group.versions) > MOST_VERSIONS
    return replace(group, versions=tuple(versions), is_cut=is_cut)


def archives(aws: Aws) -> frozenset[str]:
    """The addresses of all archives that are a version's, however many there are. Raises the errors of `Aws.call`."""
    arns = [
        str(one["ModelPackageArn"])
        for page in aws.pages("sagemaker", "ListModelPackages", limit=1000, ModelPackageType="Both", MaxResults=BATCH)
        for one in page["ModelPackageSummaryList"]
    ]

    def look(some: list[str]) -> list[str]:
        told = aws.call("sagemaker", "BatchDescribeModelPackage", ModelPackageArnList=some)
        return [
            str(container.get("ModelDataUrl", ""))
            for one in told.get("ModelPackageSummaries", {}).values()
            for container in one.get("InferenceSpecification", {}).get("Containers", ())
        ]

    batches = [arns[start : start + BATCH] for start in range(0, len(arns), BATCH)]
    return frozenset(address for found in gather(look, batches, workers=4) for address in found if address)


def find_version(aws: Aws, arn: str) -> Version | None:
    """One version by its ARN; None when it is gone. Raises the other errors of `Aws.call`."""
    try:
        return version_of(aws.call("sagemaker", "DescribeModelPackage", ModelPackageName=arn))
    except NotFound:
        return None


def version_of(told: Mapping[str, Any]) -> Version:
    """DescribeModelPackage's answer as a version, or what ListModelPackages tells of one."""
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
            value = float(marks[name])
        except (KeyError, ValueError):
            continue
        if is_figure(name, value):
            found[name] = value
    return found


def is_figure(name: str, value: float) -> bool:
    """Whether a number can be what its name says: a loss from 0 on, any other a share of 1."""
    return 0 <= value <= (sys.float_info.max if name.endswith("loss") else 1)  # no NaN, no infinity


def counted(groups: Iterable[Group]) -> tuple[int, int]:
    """How many versions there are, and how many of them are approved."""
    versions = [one for group in groups for one in group.versions]
    return len(versions), sum(one.approval.may_deploy for one in versions)
