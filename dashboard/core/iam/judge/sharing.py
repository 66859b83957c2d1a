"""One role for several duties: whoever gets hold of the weakest of them has the rights of all."""

from collections.abc import Iterator

from dashboard.core.iam.entities import Role
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.judge import principals
from dashboard.core.iam.judge.trust import TRUST
from dashboard.core.iam.usage import Duty, Usage

MANY = 3
_SERVICES = tuple(dict.fromkeys(duty.service for duty in Duty))
_FIX = "give each duty a role of its own with what that duty needs, then take this one away"


def findings(role: Role, usage: Usage | None) -> Iterator[Finding]:
    """That several duties share the role, as its uses say; else that its trust policy makes room for several."""
    if role.is_service_linked or role.is_reserved:
        return
    duties = usage.duties(role.arn) if usage is not None else ()
    if len(duties) > 1:
        yield Finding(
            role.name,
            Kind.SHARED_ROLE,
            Severity.HIGH if len(duties) >= MANY else Severity.MEDIUM,
            f"several duties share it: {listed(duties)}",
            f"whoever gets into the {duties[-1]} has the rights that the {duties[0]} needs too",
            _FIX,
            arn=role.arn,
        )
        return
    services = trusted_services(role)
    if len(services) > 1:
        yield Finding(
            role.name,
            Kind.SHARED_ROLE,
            Severity.LOW,
            f"several services may work as it: {listed([one.partition('.')[0] for one in services])}",
            "a job, a function or an instance can be started with rights that were meant for another duty",
            "let one service assume it, and give every other duty a role of its own",
            TRUST,
            arn=role.arn,
        )


def trusted_services(role: Role) -> tuple[str, ...]:
    """Those of the duties' services that the trust policy allows to assume the role, in the order of Duty."""
    if role.trust is None:
        return ()
    found, _ = principals.grants(role.trust, TRUST)
    named = {service for one in found if one.is_allow and one.covers("sts:AssumeRole") for service in one.services}
    return tuple(one for one in _SERVICES if one in named)


def listed(words: "tuple[Duty, ...] | list[str]") -> str:
    """ "training, endpoint and function"."""
    told = [str(word) for word in words]
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)
