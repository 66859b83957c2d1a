"""Put a model into the registry, decide about a version, take one out: plan → confirm → execute."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account, Aws
from dashboard.core.errors import AlreadyExists, InvalidInput, NotFound, Refused
from dashboard.core.runs.images import inference_image
from dashboard.core.runs.model import Run
from dashboard.core.runs.model_card import ModelCard
from dashboard.core.runs.spec_problems import NAME
from dashboard.core.serving.registry import (
    DATA,
    FIGURES,
    LABELS,
    RUN,
    RUN_KEY,
    Approval,
    Group,
    Version,
    find_version,
    is_figure,
)
from dashboard.core.showcode import connection, literal

INSTANCES = ("ml.m5.large", "ml.m5.xlarge", "ml.c5.xlarge", "ml.c5.2xlarge")
"""What a version says that it runs on: any other type may be chosen for an endpoint all the same."""
CONTENT, ANSWERS = ("image/jpeg", "image/png", "application/json"), ("application/json",)
PREFIX = "registry/"
_VALUE = re.compile(r"[\w\s.:/=+\-@]{1,256}")
_CODE = {"CreateModelPackageGroup": "create_model_package_group", "CreateModelPackage": "create_model_package"}


@dataclass(frozen=True)
class Candidate:
    """A model that can be registered: an archive in S3 with what is known about it.

    generated_by: the ARN of the training job; "" for a model that came from elsewhere.
    """

    artifact_uri: str
    name: str
    run: str = ""
    run_key: str = ""
    data_uri: str = ""
    generated_by: str = ""
    metrics: Mapping[str, Any] | None = None
    labels: int | None = None
    about: str = ""


@dataclass(frozen=True)
class RegisterPlan:
    """A version, ready to be confirmed: its metrics as an object, and the requests that make it, in this order."""

    group: str
    candidate: Candidate
    approval: Approval
    statistics: bytes
    statistics_key: str
    requests: tuple[tuple[str, dict[str, Any]], ...]
    warnings: tuple[str, ...]
    code: str
    order: str


def of_run(run: Run, card: ModelCard | None) -> Candidate:
    """A completed run's model. Raises Refused for a run that has none."""
    if not run.artifact_uri or not run.status.is_good:
        raise Refused(f"the run {run.name} has no model", f"it is {run.status.word}", "choose a run that has completed")
    metrics = dict(card.metrics) if card and card.metrics else dict(run.metrics)
    classes = card.data.get("classes") if card else None
    return Candidate(
        artifact_uri=run.artifact_uri,
        name=run.dataset or run.name,
        run=run.name,
        run_key=run.key,
        data_uri=run.dataset_uri,
        generated_by=run.arn,
        metrics=metrics,
        labels=classes if isinstance(classes, int) and not isinstance(classes, bool) else None,
        about=f"Trained by {run.name}" + (f" on {run.dataset}" if run.dataset else ""),
    )


def plan_register(
    candidate: Candidate,
    group: str,
    *,
    account: Account,
    token: str,
    known: Group | None = None,
    approval: Approval = Approval.PENDING,
) -> RegisterPlan:
    """What registering a model as the next version of `group` would do. known: that group, where it is there already.

    Raises InvalidInput for a name that SageMaker would refuse.
    """
    if not NAME.fullmatch(group):
        raise InvalidInput(
            "the model's name may have letters, digits and hyphens, at most 63 in all, no hyphen at either end",
            f'it is "{group}"' if group else "it is empty",
            "change the name",
            field="group",
        )
    order = tags.order(token, candidate.artifact_uri, group, approval.value)
    key = f"{PREFIX}{group}/{order}/metrics.json"
    statistics = _statistics(candidate.metrics or {})
    described = {
        "ModelPackageGroupName": group,
        "ModelPackageDescription": candidate.about or f"Model {candidate.name}",
        "ModelApprovalStatus": approval.value,
        "InferenceSpecification": _specification(candidate, account),
        "CustomerMetadataProperties": _marks(candidate, order),
        "ClientToken": order,
    }
    if statistics:
        where = {"ContentType": "application/json", "S3Uri": f"s3://{account.bucket}/{key}"}
        described["ModelMetrics"] = {"ModelQuality": {"Statistics": where}}
    if candidate.generated_by:
        described["MetadataProperties"] = {"GeneratedBy": candidate.generated_by}
    grouped = {
        "ModelPackageGroupName": group,
        "ModelPackageGroupDescription": f"Versions of {group}",
        "Tags": tags.listed({tags.MADE_BY: tags.KENNEL, tags.ORDER: order}),
    }
    requests = (
        *((("CreateModelPackageGroup", grouped),) if known is None else ()),
        ("CreateModelPackage", described),
    )
    same = next((one for one in known.versions if one.artifact_uri == candidate.artifact_uri), None) if known else None
    warnings = (f"version {same.number} of {group} is this archive already",) if same else ()
    return RegisterPlan(
        group, candidate, approval, statistics, key, requests, warnings, _code(requests, account), order
    )


def register(aws: Aws, plan: RegisterPlan) -> Version:
    """Register the planned version; the same plan sent twice makes one. Raises NotFound, and what `Aws.call` raises."""
    if plan.statistics:
        aws.call(
            "s3",
            "PutObject",
            Bucket=aws.account.bucket,
            Key=plan.statistics_key,
            Body=plan.statistics,
            ContentType="application/json",
        )
    arn = ""
    for operation, parameters in plan.requests:
        # a group of that name is one whose next version this becomes
        with suppress(*((AlreadyExists,) if operation == "CreateModelPackageGroup" else ())):
            arn = str(aws.call("sagemaker", operation, **parameters).get("ModelPackageArn", ""))
    made = find_version(aws, arn)
    if made is None:
        raise NotFound(f"the version {arn} is gone", "somebody deleted it in this moment", "register it again")
    return made


def decide(aws: Aws, version: Version, approval: Approval, words: str = "") -> Version:
    """Approve or reject a version, and say why. Raises NotFound when it is gone, InvalidInput for too many words."""
    if len(words) > 1024:
        raise InvalidInput(
            "the reason is too long", f"it has {len(words):,} characters, 1,024 is the most", "shorten it"
        )
    aws.call(
        "sagemaker",
        "UpdateModelPackage",
        ModelPackageArn=version.arn,
        ModelApprovalStatus=approval.value,
        ApprovalDescription=words,
    )
    return replace(version, approval=approval, note=words)


def take_out(aws: Aws, version: Version, *, is_last: bool) -> None:
    """Delete a version, and its group with the last one. The archive in S3 and what serves it stay.

    What is gone already is fine, and a group that got another version since stays. Raises the errors of `Aws.call`.
    """
    with suppress(NotFound):
        aws.call("sagemaker", "DeleteModelPackage", ModelPackageName=version.arn)
    if is_last:
        group = {"ModelPackageGroupName": version.group}
        with suppress(NotFound):
            if not aws.call("sagemaker", "ListModelPackages", **group, MaxResults=1)["ModelPackageSummaryList"]:
                aws.call("sagemaker", "DeleteModelPackageGroup", **group)


def _specification(candidate: Candidate, account: Account) -> dict[str, Any]:
    container = {
        "Image": inference_image(account.region, INSTANCES[0]),
        "ModelDataUrl": candidate.artifact_uri,
        # The archive brings its own code; this is how AWS's PyTorch image is told so.
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
    }
    return {
        "Containers": [container],
        "SupportedRealtimeInferenceInstanceTypes": list(INSTANCES),
        "SupportedTransformInstanceTypes": list(INSTANCES),
        "SupportedContentTypes": list(CONTENT),
        "SupportedResponseMIMETypes": list(ANSWERS),
    }


def _marks(candidate: Candidate, order: str) -> dict[str, str]:
    """What is noted beside a version; a value that SageMaker would not take is left out."""
    told = {
        tags.MADE_BY: tags.KENNEL,
        tags.ORDER: order,
        RUN: candidate.run,
        RUN_KEY: candidate.run_key,
        DATA: candidate.data_uri,
        LABELS: "" if candidate.labels is None else str(candidate.labels),
        **{name: f"{value:.6g}" for name, value in figures(candidate.metrics or {}).items()},
    }
    return {name: value for name, value in told.items() if _VALUE.fullmatch(value)}


def figures(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The figures of a card that can be what they are called; a card that was brought may say anything."""
    return {
        name: float(metrics[name])
        for name in FIGURES
        if isinstance(metrics.get(name), (int, float))
        and not isinstance(metrics[name], bool)
        and is_figure(name, metrics[name])
    }


def _statistics(metrics: Mapping[str, Any]) -> bytes:
    """The figures in the form that SageMaker's model quality reports have; b"" without any."""
    found = figures(metrics)
    if not found:
        return b""
    told = {name.replace(":", "_"): {"value": value, "standard_deviation": "NaN"} for name, value in found.items()}
    if "test:accuracy" in found:
        told["accuracy"] = told["test_accuracy"]
    return json.dumps({"multiclass_classification_metrics": told}, indent=2).encode()


def _code(requests: tuple[tuple[str, dict[str, Any]], ...], account: Account) -> str:
    steps = [f"sagemaker.{_CODE[operation]}(**{literal(parameters)})" for operation, parameters in requests]
    return "\n".join([connection(account, "sagemaker"), *steps]) + "\n"
