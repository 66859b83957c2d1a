"""What a launch finds around it in the account: read once before it, so that a refusal is known before the click."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Generic, TypeVar

from dashboard.core.costs.prices import Confidence, Price
from dashboard.core.runs.spec import TrainingSpec, Tuning

T = TypeVar("T")


@dataclass(frozen=True)
class Seen(Generic[T]):
    """What was read, or None and why it is not known; `statement` is the IAM statement that the reading lacked."""

    value: T | None = None
    why: str = ""
    statement: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Role:
    """A role, or the instance profile that carries it. `missing` names what is not there."""

    name: str
    trusts: bool  # whether the service that runs the training may assume it
    missing: str = ""


@dataclass(frozen=True)
class Image:
    """An AMI: its root device's name and the least size of its root volume in GB."""

    id: str
    name: str = ""
    root_device: str = "/dev/sda1"
    volume_gb: int = 0


@dataclass(frozen=True)
class Quota:
    """One limit of the account with what is in use of it; None is unknown, and `why` says why."""

    name: str
    limit: float | None
    used: float | None
    needed: float
    unit: str = "instances"
    why: str = ""

    @property
    def is_reached(self) -> bool:
        """Nothing of it is left for this launch."""
        return self.limit is not None and (self.used or 0) + self.needed > self.limit


@dataclass(frozen=True)
class Permission:
    """Whether `who` may do `action` on `resource`, as IAM's simulator says; None is "not checked", and why."""

    who: str
    action: str
    resource: str
    allowed: bool | None
    why: str = ""
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SpotPrice:
    """What a spot instance costs right now, USD per hour, in the cheapest zone."""

    amount: Decimal
    zone: str
    date: date

    @property
    def price(self) -> Price:
        """As a price to quote with. It moves: an estimate."""
        source = f"EC2's spot price in {self.zone}"
        return Price(self.amount, "USD", source, self.date, Confidence.ESTIMATE)


@dataclass(frozen=True)
class Choice:
    """Something to choose from: its id, and what a person reads."""

    id: str
    text: str
    network: str = ""  # the VPC that it belongs to
    is_public: bool = True  # of a subnet: instances in it get a public address


@dataclass(frozen=True)
class Surroundings:
    """All that `look` found. A field of `Seen()` without a reason was not looked for: this launch does not need it."""

    data: Seen[bool] = field(default_factory=Seen)  # whether there is anything under the dataset's address
    bucket_region: Seen[str] = field(default_factory=Seen)
    data_region: Seen[str] = field(default_factory=Seen)
    role: Seen[Role] = field(default_factory=Seen)
    image: Seen[Image] = field(default_factory=Seen)
    group: Seen[str] = field(default_factory=Seen)  # Kennel's own security group, "" when it is still to be made
    spot_prices: Seen[Mapping[str, SpotPrice]] = field(default_factory=Seen)  # by EC2 instance type
    quotas: tuple[Quota, ...] = ()
    permissions: tuple[Permission, ...] = ()
    subnets: Seen[tuple[Choice, ...]] = field(default_factory=Seen)
    security_groups: Seen[tuple[Choice, ...]] = field(default_factory=Seen)
    key_pairs: Seen[tuple[Choice, ...]] = field(default_factory=Seen)

    def spot_price(self, instance_type: str) -> SpotPrice | None:
        """What this type costs on EC2's spot market right now; None when it is not known."""
        return (self.spot_prices.value or {}).get(instance_type)


def about(spec: TrainingSpec) -> TrainingSpec:
    """The part of a spec that `look` looks at: the key to keep its answer by, so that typing a name reads nothing.

    Of a tuning only that it is one, and how many trainings run at once, matters to permissions and quotas.
    """
    at_once = min(spec.tuning.parallel, spec.jobs) if spec.tuning else 0
    return replace(
        TrainingSpec(spec.dataset_uri),
        platform=spec.platform,
        capacity=spec.capacity,
        instance_type=spec.instance_type,
        instance_count=spec.instance_count,
        tuning=Tuning((), "Random", max_jobs=at_once, parallel=at_once) if spec.tuning else None,
        subnets=spec.subnets,
        ssh_address=spec.ssh_address,
        resume_from=spec.resume_from,
    )
