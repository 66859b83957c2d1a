"""Plan a training: validated, quoted, capped, checked, written out as the calls to send. Nothing is sent here."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.quote import Quote
from dashboard.core.errors import Refused
from dashboard.core.format import count, duration, money
from dashboard.core.runs import as_code
from dashboard.core.runs.candidates import Candidate, candidates
from dashboard.core.runs.checks import Check, stops
from dashboard.core.runs.checks_around import checks_of
from dashboard.core.runs.code import code_uri
from dashboard.core.runs.expect import expected, longest_seconds, wall_seconds, worst
from dashboard.core.runs.expectation import marks_of
from dashboard.core.runs.instances import hardware
from dashboard.core.runs.model import Platform, Run, RunKey, RunKind
from dashboard.core.runs.requests import Call, training_request, tuning_request
from dashboard.core.runs.requests_ec2 import index_key, instance_request, run_document, volume
from dashboard.core.runs.spec import TrainingSpec
from dashboard.core.runs.spec_problems import problems
from dashboard.core.runs.surroundings import Image, Surroundings

__all__ = ["Call", "Candidate", "Plan", "TrainingSpec", "candidates", "plan", "problems"]

OLD_PRICE = timedelta(days=180)
USES_TORCH = frozenset({"engine", "unfreeze"})


@dataclass(frozen=True)
class Plan:
    """A training or tuning job, ready to be confirmed.

    `calls` is everything that launching sends, in order, `request` the parameters of the one that starts it; `code` the
    same as texts to run, by what runs them. `order` is the mark that the run carries.
    `expected_seconds` and `longest_seconds` are of the whole, which for a tuning job is many trainings.
    """

    name: str
    spec: TrainingSpec
    calls: tuple[Call, ...]
    request: dict[str, Any]
    expected: Quote
    worst: Quote
    checks: tuple[Check, ...]
    warnings: tuple[str, ...]
    code: Mapping[str, str]
    order: str
    account: Account
    expected_seconds: float | None = None
    longest_seconds: float = 0.0
    marks: Mapping[str, str] = field(default_factory=dict)
    spot_price: Decimal | None = None  # EC2's, USD per hour, when it was planned

    @property
    def key(self) -> str:
        """What the run will be called among all kinds: "dogs-1", "tuning:dogs-2", "ec2:dogs-3"."""
        return str(RunKey(self.name, self.spec.platform, RunKind.TUNING if self.spec.tuning else RunKind.TRAINING))

    @property
    def stops(self) -> tuple[Check, ...]:
        """The checks that make a launch fail for sure."""
        return stops(self.checks)

    @property
    def summary(self) -> str:
        """The plan in one sentence."""
        spec = self.spec
        spot = "spot " if spec.is_spot else ""
        what = f"{spec.instance_count} × {spot}{spec.instance_type}"
        sums = f"at most {money(self.worst.amount, self.worst.currency)}"
        if spec.tuning:
            each = f"at most {duration(spec.max_seconds)} each and {sums[8:]} in all"
            return f"Tune {self.name} with {count(spec.jobs, 'training')} on {what}, {each}."
        return f"Train {self.name} on {what}, at most {duration(spec.max_seconds)} and {sums[8:]}."


def plan(
    spec: TrainingSpec,
    *,
    account: Account,
    prices: PriceBook,
    past_runs: Sequence[Run],
    now: datetime,
    token: str,
    surroundings: Surroundings | None = None,
) -> Plan:
    """What launching `spec` would do. The same spec and token always give the same name and request.

    `token` identifies this intent to launch; a form makes one and keeps it, so that a double click launches once.
    `surroundings` is what `look` found; without it nothing is checked.
    Raises InvalidInput for the first bad field, Refused when the worst case is above `spec.max_cost` or unknown.
    """
    for problem in problems(spec):
        raise problem
    around = surroundings or Surroundings()
    image = around.image.value or Image("")
    sized = replace(spec, volume_gb=volume(spec, image)) if spec.is_on_ec2 else spec
    spot = around.spot_price(spec.instance_type)
    likely = expected(sized, prices, account.region, past_runs, spot.price if spot else None)
    most = worst(sized, prices, account.region)
    _check_cap(spec.max_cost, most)
    order = tags.order(token, replace(spec, max_cost=None))
    name = spec.name or _name(spec, order)
    marks = _marks(spec, name, order)
    seconds = wall_seconds(spec, likely.seconds)
    told = marks | marks_of(likely, most, seconds)
    calls = _calls(spec, name, account, marks, told, image, around, now)
    main = calls[-1]  # what is before it only prepares
    return Plan(
        name=name,
        spec=spec,
        calls=calls,
        request=dict(main.parameters),
        expected=likely,
        worst=most,
        checks=checks_of(spec, account, around) if surroundings else (),
        warnings=tuple(_warnings(spec, account, prices, likely, most, now, image)),
        code=as_code.texts(spec, name, calls, account),
        order=order,
        account=account,
        expected_seconds=seconds,
        longest_seconds=longest_seconds(spec),
        marks=marks,
        spot_price=spot.amount if spot and spec.is_spot and spec.is_on_ec2 else None,
    )


def _check_cap(cap: Decimal | None, most: Quote) -> None:
    if cap is None:
        return
    if most.amount is None:
        raise Refused(
            "the cost cap cannot be checked", most.why_unknown, "choose another instance type, or drop the cap"
        )
    if most.amount > cap:
        raise Refused(
            f"this training could cost {money(most.amount, most.currency)}",
            f"that is above the cap of {money(cap)}",
            "shorten the time limit, choose a cheaper instance, or raise the cap",
        )


def _name(spec: TrainingSpec, order: str) -> str:
    """From the data and the order only: planning again a second later must give the same name."""
    dataset = spec.dataset_uri.rstrip("/").rsplit("/", 1)[-1]
    longest = 23 if spec.tuning else 40  # a tuning job's name has 32 characters at most
    readable = re.sub(r"[^a-zA-Z0-9]+", "-", dataset)[:longest].strip("-") or "training"
    return f"{readable}-{order[:8]}"


def _marks(spec: TrainingSpec, name: str, order: str) -> dict[str, str]:
    marks = {tags.MADE_BY: tags.KENNEL, tags.ORDER: order}
    if spec.is_on_ec2:
        marks[tags.RUN] = name
    marks |= {tags.PROJECT: spec.project, tags.OWNER: spec.owner}
    if spec.is_spot:
        often = spec.interruptions_per_hour
        marks |= {tags.INTERRUPT_AFTER: spec.interrupt_after,
                  tags.INTERRUPTIONS_PER_HOUR: f"{often:g}" if often else ""}  # fmt: skip
    return {key: value for key, value in marks.items() if value}


def _calls(
    spec: TrainingSpec,
    name: str,
    account: Account,
    marks: Mapping[str, str],
    told: Mapping[str, str],
    image: Image,
    around: Surroundings,
    now: datetime,
) -> tuple[Call, ...]:
    """`told`: the marks with what is expected of the run, which another look at the prices may change. An instance's
    own tags must not change with it: EC2 takes the same client token for the same request only."""
    code = code_uri(account)
    if spec.tuning:
        request = tuning_request(spec, spec.tuning, name, account, told, code)
        return (Call("sagemaker", "CreateHyperParameterTuningJob", request),)
    if spec.platform is Platform.SAGEMAKER:
        return (Call("sagemaker", "CreateTrainingJob", training_request(spec, name, account, told, code)),)
    groups = spec.security_groups or ((around.group.value,) if around.group.value else ())
    document = run_document(spec, name, account, told, code, image, now)
    put = {"Bucket": account.bucket, "ContentType": "application/json"}
    return (
        Call("s3", "PutObject", put | {"Key": f"ec2-runs/{name}/request.json", "Body": document, "IfNoneMatch": "*"}),
        Call("s3", "PutObject", {"Bucket": account.bucket, "Key": index_key(name, now), "Body": b""}),
        Call("ec2", "RunInstances", instance_request(spec, name, account, marks, code, image, groups)),
    )


def _warnings(
    spec: TrainingSpec,
    account: Account,
    prices: PriceBook,
    likely: Quote,
    most: Quote,
    now: datetime,
    image: Image,
) -> list[str]:
    found = []
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
    if of and of.gpu and not _uses_gpu(spec):
        found.append("this training does not use a GPU: a processor instance does the same for less")
    if spec.is_on_ec2 and image.volume_gb > spec.volume_gb:
        found.append(f"the volume has {image.volume_gb} GB: the image takes that much")
    if spec.tuning and spec.tuning.strategy == "Grid" and spec.tuning.max_jobs != spec.jobs:
        found.append(f"Grid starts one training for each combination: {spec.jobs} in all")
    return found


def _uses_gpu(spec: TrainingSpec) -> bool:
    """Whether torch does the heavy work, in one of the trials at least."""
    given = dict(spec.advanced)
    tuned = spec.tuning.tuned if spec.tuning else frozenset()
    return given.get("engine") == "torch" or given.get("unfreeze", "0") != "0" or bool(tuned & USES_TORCH)
