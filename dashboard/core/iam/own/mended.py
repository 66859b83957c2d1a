"""A role that the remediator is made for: what it has and what works as it, as far as mending it needs that. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from dashboard.core.iam.entities import Role
from dashboard.core.iam.least.generate import actions_of
from dashboard.core.iam.usage import Duty, Use


@dataclass(frozen=True)
class Mended:
    """policies: the ARNs of the managed policies that it has today. boundary: that of its permissions boundary, ""
    without one. actions: all of which its policies allow something. functions, endpoints: ARNs of what works as it and
    gets a role of its own when it is split.
    """

    arn: str
    policies: tuple[str, ...] = ()
    boundary: str = ""
    actions: frozenset[str] = frozenset()
    functions: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()

    @classmethod
    def of(cls, role: Role, uses: Iterable[Use] = ()) -> "Mended":
        used = tuple(uses)
        return cls(
            role.arn,
            tuple(one.arn for one in role.policies if one.arn),
            role.boundary.arn if role.boundary else "",
            actions_of(role),
            tuple(one.arn for one in used if one.duty is Duty.FUNCTION),
            tuple(one.arn for one in used if ":endpoint/" in one.arn),
        )

    @property
    def name(self) -> str:
        return self.arn.rpartition("/")[2]
