"""Which of the account's limits a launch counts against, and how much of them is in use."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.errors import CredentialsProblem, KennelError, NotFound, Unreachable
from dashboard.core.runs.instances import Family, family, hardware
from dashboard.core.runs.spec import TrainingSpec
from dashboard.core.runs.surroundings import Quota

_USED = re.compile(r" for (spot )?training job usage$| for (endpoint|notebook instance) usage$")
EC2_CODES = {
    (Family.STANDARD, False): ("Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", "L-1216C47A"),
    (Family.STANDARD, True): ("All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests", "L-34B43A08"),
    (Family.G_AND_VT, False): ("Running On-Demand G and VT instances", "L-DB2E81BA"),
    (Family.G_AND_VT, True): ("All G and VT Spot Instance Requests", "L-3819A6DF"),
    (Family.P, False): ("Running On-Demand P instances", "L-417A185B"),
    (Family.P, True): ("All P4, P3 and P2 Spot Instance Requests", "L-7212CCBC"),
}
"""EC2's quotas in vCPUs by family and whether it is spot, with their codes (Service Quotas console)."""


@dataclass(frozen=True)
class Limits:
    """SageMaker's limits of the account, by the quota's name; `why` says what is missing from them."""

    values: Mapping[str, float]
    why: str = ""


def sagemaker_limits(aws: Aws) -> Limits:
    """The account's limits for training and endpoint instances. Raises Unreachable and CredentialsProblem.

    SageMaker has a quota for each instance type, and no published list of their codes, so that all pages have to be
    read: a few seconds on AWS, worth keeping for minutes.
    """
    found: dict[str, float] = {}
    try:
        for page in aws.pages("service-quotas", "ListServiceQuotas", ServiceCode="sagemaker"):
            found |= {one["QuotaName"]: float(one["Value"]) for one in page["Quotas"] if _USED.search(one["QuotaName"])}
    except (Unreachable, CredentialsProblem):
        raise
    except KennelError as error:
        return Limits(found, error.what)
    return Limits(found)


def quotas(aws: Aws, spec: TrainingSpec, limits: Limits | None = None) -> tuple[Quota, ...]:
    """The limits for this launch. What cannot be read is in them as unknown, with why.

    `limits`: what `sagemaker_limits` gave a while ago; without it they are read.
    """
    return _ec2(aws, spec) if spec.is_on_ec2 else _sagemaker(aws, spec, limits or sagemaker_limits(aws))


def _sagemaker(aws: Aws, spec: TrainingSpec, limits: Limits) -> tuple[Quota, ...]:
    """For training jobs on demand, for spot ones and for endpoints SageMaker counts apart."""
    kind = "spot training job" if spec.is_spot else "training job"
    name, beside = f"{spec.instance_type} for {kind} usage", f"{spec.instance_type} for endpoint usage"
    known = limits.values
    used = _running_jobs(aws, spec) if name in known else None
    return (
        Quota(name, known.get(name), used, spec.at_once, why=limits.why or "Service Quotas lists none of this name"),
        *([Quota(beside, known[beside], None, 0)] if beside in known else []),
    )


def _running_jobs(aws: Aws, spec: TrainingSpec) -> float | None:
    """Instances of this type in training jobs that go on, of the same capacity; None when that cannot be read."""
    going_on = {"Name": "TrainingJobStatus", "Operator": "In", "Value": "InProgress,Stopping"}
    try:
        pages = list(
            aws.pages(
                "sagemaker", "Search", Resource="TrainingJob", SearchExpression={"Filters": [going_on]}, MaxResults=100
            )
        )
    except (Unreachable, CredentialsProblem):
        raise
    except KennelError:
        return None
    jobs = [one["TrainingJob"] for page in pages for one in page["Results"]]
    return float(
        sum(
            job["ResourceConfig"].get("InstanceCount", 1)
            for job in jobs
            if job["ResourceConfig"].get("InstanceType") == spec.instance_type
            and bool(job.get("EnableManagedSpotTraining")) is spec.is_spot
        )
    )


def _ec2(aws: Aws, spec: TrainingSpec) -> tuple[Quota, ...]:
    of = hardware(spec.instance_type)
    known = EC2_CODES.get((family(spec.instance_type), spec.is_spot))
    if known is None:
        return ()
    name, code = known
    needed = float(of.vcpu if of else 0)
    try:
        limit = float(
            aws.call("service-quotas", "GetServiceQuota", ServiceCode="ec2", QuotaCode=code)["Quota"]["Value"]
        )
        used = float(_running_vcpus(aws, spec))
    except (Unreachable, CredentialsProblem):
        raise
    except NotFound:
        return (Quota(name, None, None, needed, "vCPUs", "Service Quotas does not list it"),)
    except KennelError as error:
        return (Quota(name, None, None, needed, "vCPUs", error.what),)
    return (Quota(name, limit, used, needed, "vCPUs"),)


def _running_vcpus(aws: Aws, spec: TrainingSpec) -> int:
    """Of running instances of the same family and capacity."""
    states = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    return vcpus(
        instance
        for page in aws.pages("ec2", "DescribeInstances", Filters=states)
        for group in page["Reservations"]
        for instance in group["Instances"]
        if family(instance["InstanceType"]) is family(spec.instance_type)
        and (instance.get("InstanceLifecycle") == "spot") is spec.is_spot
    )


def vcpus(instances: Iterable[Mapping[str, Any]]) -> int:
    """What instances count against EC2's quotas: their vCPUs."""
    total = 0
    for one in instances:
        cpu, of = one.get("CpuOptions", {}), hardware(one["InstanceType"])
        total += cpu["CoreCount"] * cpu.get("ThreadsPerCore", 1) if cpu.get("CoreCount") else of.vcpu if of else 0
    return total
