"""What works as a role: jobs, endpoints, functions, instances and notebooks, and when each last did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Duty(StrEnum):
    """What a role is for. One role should have one."""

    TRAINING = "training"
    ENDPOINT = "endpoint"
    FUNCTION = "function"
    INSTANCE = "instance"
    NOTEBOOK = "notebook"

    @property
    def service(self) -> str:
        """The service that assumes the role."""
        if self is Duty.FUNCTION:
            return "lambda.amazonaws.com"
        return "ec2.amazonaws.com" if self is Duty.INSTANCE else "sagemaker.amazonaws.com"


@dataclass(frozen=True)
class Use:
    """One thing that works as a role. last: when it last did; None where AWS does not say.

    has_worked: False where `last` is only when it was made or changed, as of a function or a model: whether it ever
    worked AWS does not say of it.
    """

    duty: Duty
    name: str
    arn: str
    last: datetime | None = None
    sample: bool = False
    has_worked: bool = True


@dataclass(frozen=True)
class Usage:
    """by_role: uses by the role's ARN. unread: what could not be looked at, each with why, in a sentence."""

    by_role: Mapping[str, tuple[Use, ...]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()

    def of(self, role_arn: str) -> tuple[Use, ...]:
        return self.by_role.get(role_arn, ())

    def duties(self, role_arn: str) -> tuple[Duty, ...]:
        """What the role is used for, each once, in the order of Duty."""
        found = {use.duty for use in self.of(role_arn)}
        return tuple(duty for duty in Duty if duty in found)
