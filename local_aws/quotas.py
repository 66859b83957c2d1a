"""The quotas of the embedded account: what it may run at once, by the names AWS gives them.

Names, units and EC2's codes are AWS's. SageMaker's have no published list: quota_codes.csv holds those that accounts
have shown (ListServiceQuotas of an account, with its default values); the code of any other is made from its name, the
same in every installation, so clients had better find a quota by its name. The values are chosen to be those of a
usable young account: enough general machines, a few GPUs, none of the large ones.
"""

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from moto.core.utils import get_service_model

from local_aws.store import Documents, Store

EC2, SAGEMAKER, LAMBDA = "ec2", "sagemaker", "lambda"
SERVICES = {
    EC2: "Amazon Elastic Compute Cloud (Amazon EC2)",
    LAMBDA: "AWS Lambda",
    SAGEMAKER: "Amazon SageMaker",
}
CONCURRENCY = "Concurrent executions"
CONCURRENCY_CODE = "L-B99A9384"
"""Lambda's quota: the most executions at once in a region, of all functions together."""

_STANDARD = "Standard (A, C, D, H, I, M, R, T, Z)"
# name: (code, AWS's default, applied here), all in vCPUs
_EC2 = {
    f"Running On-Demand {_STANDARD} instances": ("L-1216C47A", 5.0, 32.0),
    f"All {_STANDARD} Spot Instance Requests": ("L-34B43A08", 5.0, 32.0),
    "Running On-Demand G and VT instances": ("L-DB2E81BA", 0.0, 8.0),
    "All G and VT Spot Instance Requests": ("L-3819A6DF", 0.0, 8.0),
    "Running On-Demand P instances": ("L-417A185B", 0.0, 0.0),
    "All P4, P3 and P2 Spot Instance Requests": ("L-7212CCBC", 0.0, 0.0),
    "All P5 Spot Instance Requests": ("L-C4BD4855", 0.0, 0.0),
    "Running On-Demand F instances": ("L-74FC7D96", 0.0, 0.0),
    "Running On-Demand Inf instances": ("L-1945791B", 0.0, 0.0),
    "All Inf Spot Instance Requests": ("L-B5D1601B", 0.0, 0.0),
    "Running On-Demand Trn instances": ("L-2C3B7624", 0.0, 0.0),
    "All Trn Spot Instance Requests": ("L-6B0D517C", 0.0, 0.0),
    "Running On-Demand X instances": ("L-7295265B", 0.0, 0.0),
    "Running On-Demand DL instances": ("L-6E869C2A", 0.0, 0.0),
    "Running On-Demand HPC instances": ("L-F7808C92", 0.0, 0.0),
    "Running On-Demand High Memory instances": ("L-43DA4232", 0.0, 0.0),
}
_USES = {
    "training job usage": "TrainingInstanceType",
    "spot training job usage": "TrainingInstanceType",
    "endpoint usage": "ProductionVariantInstanceType",
    "notebook instance usage": "InstanceType",
}
_CODES = Path(__file__).with_name("quota_codes.csv")
_BURSTS = ("t2", "t3")
_GPUS = ("g4dn", "g5", "g6")


@dataclass(frozen=True)
class Quota:
    """One quota of one service. default: what AWS gives; applied: what this account has, before any increase."""

    service: str
    name: str
    code: str
    default: float
    applied: float
    unit: str = "None"
    adjustable: bool = True

    def arn(self, account: str, region: str) -> str:
        return f"arn:aws:servicequotas:{region}:{account}:{self.service}/{self.code}"


class Quotas:
    """What the account may run, in a region, with the increases that were granted.

    store: where increases are kept; None for the shipped values alone.
    """

    def __init__(self, store: Store | None = None) -> None:
        self._raised = Documents(store, "quota") if store else None

    def all(self, service_code: str) -> list[Quota]:
        """The shipped quotas of a service, by name; none for a service that has none here."""
        return sorted(_shipped().get(service_code, {}).values(), key=lambda quota: quota.name)

    def find(self, service_code: str, quota_name: str) -> Quota | None:
        return _shipped().get(service_code, {}).get(quota_name)

    def value(self, service_code: str, quota_name: str, region: str) -> float:
        """What the account may use of it in that region. Raises KeyError for a name that AWS does not have."""
        quota = self.find(service_code, quota_name)
        if quota is None:
            raise KeyError(f"{service_code} has no quota named {quota_name!r}")
        return self.applied(quota, region)

    def applied(self, quota: Quota, region: str) -> float:
        raised = self._raised.get(f"{region}/{quota.code}") if self._raised else None
        return float(raised["value"]) if raised else quota.applied

    def set(self, quota: Quota, region: str, value: float) -> None:
        """Grant a value. Only with a store."""
        if self._raised is None:
            raise ValueError("quotas without a store cannot be raised")
        self._raised.put(f"{region}/{quota.code}", {"value": value})


@cache
def _shipped() -> dict[str, dict[str, Quota]]:
    ec2 = [Quota(EC2, name, *figures) for name, figures in _EC2.items()]
    with _CODES.open(newline="") as file:
        known = {row["quota"]: (row["code"], float(row["default"])) for row in csv.DictReader(file)}
    sagemaker = [
        _sagemaker(instance, f"{instance} for {use}", known)
        for use, shape in _USES.items()
        for instance in get_service_model("sagemaker").shape_for(shape).enum
    ]
    concurrency = Quota(LAMBDA, CONCURRENCY, CONCURRENCY_CODE, 1000.0, 1000.0)
    return {
        EC2: {quota.name: quota for quota in ec2},
        LAMBDA: {CONCURRENCY: concurrency},
        SAGEMAKER: {quota.name: quota for quota in sagemaker},
    }


def _sagemaker(instance: str, name: str, known: Mapping[str, tuple[str, float]]) -> Quota:
    made = "L-" + hashlib.sha256(name.encode()).hexdigest()[:8].upper()
    code, default = known.get(name, (made, 0.0))
    return Quota(SAGEMAKER, name, code, default, _applied(instance))


def _applied(instance: str) -> float:
    _, family, size = instance.split(".")
    factor = int(size.removesuffix("xlarge") or 1) if size.endswith("xlarge") and size[0].isdigit() else 1
    if family.startswith(("p", "trn", "inf", "dl")):
        return 0.0
    if family.startswith("g"):
        return 2.0 if family in _GPUS and factor <= 2 else 0.0
    if family in _BURSTS or factor <= 4:
        return 20.0
    return 2.0
