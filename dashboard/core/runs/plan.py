"""Plan a training: validated, quoted, capped, written out as the request to send. Nothing is sent here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pprint import pformat
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account
from dashboard.core.costs.prices import Kind, PriceBook
from dashboard.core.costs.quote import Quote, hourly
from dashboard.core.errors import Refused
from dashboard.core.format import duration, money
from dashboard.core.runs.expect import expected, worst
from dashboard.core.runs.images import training_image
from dashboard.core.runs.instances import TRAINING, Hardware, hardware
from dashboard.core.runs.model import Run
from dashboard.core.runs.spec import TrainingSpec
from dashboard.core.runs.spec_problems import problems
from dashboard.core.showcode import connection
from training.metrics import METRIC_DEFINITIONS

__all__ = ["Candidate", "Plan", "TrainingSpec", "candidates", "plan", "problems"]

ROLE = "KennelTraining"
VOLUME_GB = 30
OLD_PRICE = timedelta(days=180)


@dataclass(frozen=True)
class Candidate:
    """One instance type that could run it. `hardware` is None when the type is not in our table."""

    instance_type: str
    hardware: Hardware | None
    hourly: Quote
    expected: Quote
    worst: Quote


@dataclass(frozen=True)
class Plan:
    """A training, ready to be confirmed. `request` goes to CreateTrainingJob as it is; `code` is the same as boto3."""

    name: str
    spec: TrainingSpec
    request: dict[str, Any]
    expected: Quote
    worst: Quote
    warnings: tuple[str, ...]
    code: str
    order: str  # the mark that a run of this plan carries

    @property
    def summary(self) -> str:
        """The plan in one sentence."""
        what = f"{self.spec.instance_count} × {self.spec.instance_type}"
        limit = f"at most {duration(self.spec.max_seconds)} and {money(self.worst.amount, self.worst.currency)}"
        return f"Train {self.name} on {what}, {limit}."


def candidates(
    prices: PriceBook,
    region: str,
    *,
    past_runs: Sequence[Run] = (),
    dataset_uri: str = "",
    max_seconds: int = 3600,
    instance_count: int = 1,
) -> tuple[Candidate, ...]:
    """The instance types to choose from, cheapest first, those without a price last."""
    rows = [
        Candidate(
            name,
            hardware(name),
            hourly(prices, Kind.SAGEMAKER_TRAINING, name, region, instance_count),
            expected(
                prices,
                region,
                dataset_uri=dataset_uri,
                instance_type=name,
                instance_count=instance_count,
                past_runs=past_runs,
            ),
            worst(prices, region, instance_type=name, instance_count=instance_count, max_seconds=max_seconds),
        )
        for name in TRAINING
    ]
    return tuple(sorted(rows, key=lambda row: (row.hourly.amount is None, row.hourly.amount or 0)))


def plan(
    spec: TrainingSpec, *, account: Account, prices: PriceBook, past_runs: Sequence[Run], now: datetime, token: str
) -> Plan:
    """What launching `spec` would do. The same spec and token always give the same name and request.

    `token` identifies this intent to launch; a form makes one and keeps it, so that a double click launches once.
    Raises InvalidInput for the first bad field, Refused when the worst case is above `spec.max_cost` or unknown.
    """
    for problem in problems(spec):
        raise problem
    likely = expected(
        prices,
        account.region,
        dataset_uri=spec.dataset_uri,
        instance_type=spec.instance_type,
        instance_count=spec.instance_count,
        past_runs=past_runs,
        epochs=spec.epochs,
    )
    most = worst(
        prices,
        account.region,
        instance_type=spec.instance_type,
        instance_count=spec.instance_count,
        max_seconds=spec.max_seconds,
    )
    _check_cap(spec, most)
    order = tags.order(token, replace(spec, max_cost=None))
    name = spec.name or _name(spec, order)
    request = _request(spec, name, account, order)
    return Plan(
        name=name,
        spec=spec,
        request=request,
        expected=likely,
        worst=most,
        warnings=tuple(_warnings(spec, account, likely, most, now)),
        code=_code(request, account),
        order=order,
    )


def _check_cap(spec: TrainingSpec, most: Quote) -> None:
    if spec.max_cost is None:
        return
    if most.amount is None:
        raise Refused(
            "the cost cap cannot be checked", most.why_unknown, "choose another instance type, or drop the cap"
        )
    if most.amount > spec.max_cost:
        raise Refused(
            f"this training could cost {money(most.amount, most.currency)}",
            f"that is above the cap of {money(spec.max_cost)}",
            "shorten the time limit, choose a cheaper instance, or raise the cap",
        )


def _name(spec: TrainingSpec, order: str) -> str:
    """From the data and the order only: planning again a second later must give the same name."""
    dataset = spec.dataset_uri.rstrip("/").rsplit("/", 1)[-1]
    readable = re.sub(r"[^a-zA-Z0-9]+", "-", dataset)[:40].strip("-") or "training"
    return f"{readable}-{order[:8]}"


def _request(spec: TrainingSpec, name: str, account: Account, order: str) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "RoleArn": account.role_arn(ROLE),
        "AlgorithmSpecification": {
            "TrainingImage": training_image(account.region, spec.instance_type),
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python", "-m", "training.train"],
            "MetricDefinitions": [dict(definition) for definition in METRIC_DEFINITIONS],
        },
        "HyperParameters": spec.hyperparameters,
        "InputDataConfig": [
            {
                "ChannelName": "training",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": spec.dataset_uri,
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{account.bucket}/runs/"},
        "ResourceConfig": {
            "InstanceType": spec.instance_type,
            "InstanceCount": spec.instance_count,
            "VolumeSizeInGB": VOLUME_GB,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": spec.max_seconds},
        "Tags": tags.of_plan(order),
    }


def _warnings(spec: TrainingSpec, account: Account, likely: Quote, most: Quote, now: datetime) -> list[str]:
    found = []
    if not account.is_embedded:
        found.append(
            "AWS's own image does not contain the package training, and sending it along is not built yet: "
            "on this account the job would fail at its start"
        )
        if not account.writable:
            found.append("this account is connected read-only: the launch will be refused")
    if most.amount is None:
        found.append(f"the cost is unknown: {most.why_unknown}")
    elif most.is_estimate:
        found.append(f"the price is an estimate ({most.source})")
    if most.date and now.date() - most.date > OLD_PRICE:
        found.append(f"the price is of {most.date:%Y-%m-%d}")
    if likely.seconds is not None and likely.seconds > spec.max_seconds:
        found.append(
            f"past runs took {duration(likely.seconds)}, more than the time limit of {duration(spec.max_seconds)}: "
            "the run would be stopped before its end"
        )
    of = hardware(spec.instance_type)
    if of and of.gpu:
        found.append("the training code does not use a GPU: a processor instance does the same for less")
    return found


def _code(request: dict[str, Any], account: Account) -> str:
    body = pformat(request, width=100, sort_dicts=False)
    send = "print(sagemaker.create_training_job(**request)['TrainingJobArn'])"
    return f"{connection(account, 'sagemaker')}\nrequest = {body}\n\n{send}\n"
