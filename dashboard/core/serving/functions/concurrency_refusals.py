"""What Lambda and Application Auto Scaling would refuse of a concurrency, with the reasons that they would give."""

from dashboard.core.errors import InvalidInput
from dashboard.core.format import percent
from dashboard.core.serving.functions.concurrency import KEPT_FREE, QUOTA, Concurrency, of
from dashboard.core.serving.functions.functions import Details
from dashboard.core.serving.functions.model import LATEST
from dashboard.core.serving.functions.scaled import TARGETS, Scaling


def most_reserved(details: Details) -> int | None:
    """The largest reserved concurrency that Lambda would take for this function; None while the limit is not known."""
    if details.limits is None:
        return None
    return max(0, details.limits.unreserved + (details.function.reserved or 0) - KEPT_FREE)


def refuse(details: Details, wanted: Concurrency) -> tuple[InvalidInput, ...]:
    """Everything that Lambda or Application Auto Scaling would refuse, with the reason that they would give."""
    found = [*_reserved_problems(details, wanted), *_provisioned_problems(details, wanted)]
    if wanted.scaling is not None:
        found += _scaling_problems(details, wanted, wanted.scaling)
    return tuple(found)


def _reserved_problems(details: Details, wanted: Concurrency) -> list[InvalidInput]:
    if wanted.reserved is None:
        return []
    if wanted.reserved < 0:
        return [_bad("reserved concurrency is 0 or more", str(wanted.reserved), "type a whole number", "reserved")]
    most, limits = most_reserved(details), details.limits
    if most is None or limits is None or wanted.reserved <= most:
        return []
    if limits.total <= KEPT_FREE:
        why = f"this account may run {limits.total} at once in all, and {KEPT_FREE} must stay unreserved"
    else:
        others = limits.total - limits.unreserved - (details.function.reserved or 0)
        why = (
            f"of {limits.total:,} in the account, {others:,} are reserved by other functions and {KEPT_FREE} must stay "
            f"unreserved: {most:,} can be reserved here"
        )
    return [
        InvalidInput(
            f"Lambda would refuse to reserve {wanted.reserved:,}",
            why,
            f'reserve less, or ask for more "Concurrent executions" ({QUOTA}) in Service Quotas',
            field="reserved",
        )
    ]


def _provisioned_problems(details: Details, wanted: Concurrency) -> list[InvalidInput]:
    number = wanted.scaling.maximum if wanted.scaling else wanted.provisioned
    if number < 0:
        return [_bad("what is kept ready is 0 or more", str(number), "type a whole number", "provisioned")]
    if not number:
        return []
    if wanted.qualifier in ("", LATEST):
        why = f"{LATEST} changes with every update: Lambda keeps only published versions and aliases of them ready"
        return [InvalidInput("nothing can be kept ready without an alias or a version", why, "publish one", field="of")]
    alias = next((each for each in details.aliases if each.name == wanted.qualifier), None)
    if alias is not None and alias.version == LATEST:
        why = f"the alias {alias.name} points at {LATEST}"
        return [InvalidInput("nothing can be kept ready for it", why, "point it at a published version", field="of")]
    found = []
    now = of(details, wanted.qualifier)
    changes = (wanted.provisioned, wanted.scaling) != (now.provisioned, now.scaling)
    if alias is not None and alias.second and changes:
        why = (
            f"{alias.name} sends a share of its calls to version {alias.second}; meanwhile Lambda changes nothing of it"
        )
        found.append(
            InvalidInput(
                f"Lambda would refuse to change what is kept ready for {alias.name}",
                why,
                "send all of its calls to one version first, under Versions",
                field="of",
            )
        )
    clash = _clash(details, wanted.qualifier)
    if clash:
        why = f"{clash} keeps some ready already, and is the same version"
        found.append(
            InvalidInput("one version cannot be kept ready twice, for two of its names", why, "use one", field="of")
        )
    others = sum(each.requested for each in details.provisioned if each.qualifier != wanted.qualifier)
    if wanted.reserved is not None and number + others > wanted.reserved:
        found.append(
            InvalidInput(
                f"Lambda would refuse to keep {number + others:,} ready",
                f"only {wanted.reserved:,} may run at once: that is what is reserved",
                "reserve at least as many, or keep fewer ready",
                field="provisioned",
            )
        )
    limits = details.limits
    if wanted.reserved is None and limits is not None:
        free = limits.unreserved + (details.function.reserved or 0) - KEPT_FREE
        if number + others > free:
            found.append(
                InvalidInput(
                    f"Lambda would refuse to keep {number + others:,} ready",
                    f"{max(free, 0):,} are left: the account's {limits.total:,} without what is reserved and the "
                    f"{KEPT_FREE} that must stay unreserved",
                    f'keep fewer ready, or ask for more "Concurrent executions" ({QUOTA}) in Service Quotas',
                    field="provisioned",
                )
            )
    return found


def _clash(details: Details, qualifier: str) -> str:
    """Another alias or version that is kept ready and is the same version; "" without one."""
    versions = {each.name: each.version for each in details.aliases}
    mine = versions.get(qualifier, qualifier)
    kept = [each.qualifier for each in details.provisioned if each.requested and each.qualifier != qualifier]
    return next((each for each in kept if versions.get(each, each) == mine), "")


def _scaling_problems(details: Details, wanted: Concurrency, scaling: Scaling) -> list[InvalidInput]:
    found = []
    if not 1 <= scaling.minimum <= scaling.maximum:
        found.append(
            InvalidInput(
                "auto scaling goes from a minimum of 1 or more up to a maximum",
                f"it is {scaling.minimum} to {scaling.maximum}",
                "change one of them: Application Auto Scaling refuses a minimum above the maximum",
                field="scaling",
            )
        )
    if not TARGETS[0] <= scaling.target <= TARGETS[1]:
        found.append(
            InvalidInput(
                f"the target is between {percent(TARGETS[0])} and {percent(TARGETS[1])}",
                f"it is {percent(scaling.target)}",
                "at 100 % there would be nothing left to notice a burst by",
                field="target",
            )
        )
    if any(one.what == "auto scaling" for one in details.unread):
        found.append(
            InvalidInput(
                "auto scaling cannot be set",
                "Application Auto Scaling could not be read",
                "see why under Not checked",
                field="scaling",
            )
        )
    return found


def _bad(what: str, value: str, how: str, field: str) -> InvalidInput:
    return InvalidInput(what, f"it is {value}", how, field=field)
