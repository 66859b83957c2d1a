"""The scaling editor's form as an address, and back: whoever opens the link sees the form as it was. Pure.

?min= and ?max= are the two ends; each ?p= is a target tracking policy: metric, target, cooldown out, cooldown in, "in"
or "stay", name, and of a custom metric namespace, name, statistic, dimensions and unit; each ?s= a scheduled action:
name, expression, minimum, maximum, time zone. Parts are parted by "|".
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import quote, unquote

from dashboard.core.errors import InvalidInput
from dashboard.core.format import plain
from dashboard.core.serving.scaling.plan import same
from dashboard.core.serving.scaling.policy import CustomMetric, Scheduled, Settings, TargetTracking, Tracked
from dashboard.core.serving.scaling.refuse import STATISTICS

MIN, MAX, POLICY, SCHEDULED = "min", "max", "p", "s"
NAMES = (MIN, MAX, POLICY, SCHEDULED)
SHORT = {
    Tracked.INVOCATIONS: "invocations",
    Tracked.CONCURRENT: "concurrent",
    Tracked.PROVISIONED: "provisioned",
    Tracked.CUSTOM: "custom",
}
LARGEST = 2**31 - 1
"""A number in an address beyond this is a slip, and no field would show it; nor a target below SMALLEST."""
SMALLEST = 1e-6


def to_query(drafted: Settings, current: Settings | None) -> dict[str, str | list[str]]:
    """The address of a form; nothing while it says what is set already. What Kennel cannot write is left out of it."""
    if same(drafted, current):
        return {}
    found: dict[str, str | list[str]] = {MIN: str(drafted.minimum), MAX: str(drafted.maximum)}
    found[POLICY] = [_policy(one) for one in drafted.tracking if not is_foreign(one)] or "none"
    if drafted.scheduled:
        found[SCHEDULED] = [_scheduled(one) for one in drafted.scheduled]
    return found


def of_query(query: Mapping[str, Sequence[str]], current: Settings | None) -> Settings | None:
    """The form that an address asks for; None where it asks for none. Steps and what Kennel cannot write stay as set.

    Raises InvalidInput for an address that is none.
    """
    if not any(query.get(name) for name in NAMES):
        return None
    base = current or Settings(1, 1)
    foreign = tuple(one for one in base.tracking if is_foreign(one))
    policies = [_read_policy(told) for told in query.get(POLICY, ()) if told != "none"]
    scheduled = [_read_scheduled(told) for told in query.get(SCHEDULED, ())]
    _once([one.tracked for one in policies if one.tracked is not Tracked.CUSTOM])
    _once([one.name for one in (*policies, *foreign)] + [one.name for one in base.steps])
    _once([one.name for one in scheduled])
    return replace(
        base,
        minimum=_number(query, MIN, base.minimum),
        maximum=_number(query, MAX, base.maximum),
        tracking=(*policies, *foreign) if query.get(POLICY) else base.tracking,
        scheduled=tuple(scheduled),
    )


def is_foreign(policy: TargetTracking) -> bool:
    """Whether a policy tracks something that only AWS, or another program, can write."""
    return policy.tracked is Tracked.CUSTOM and policy.custom is None


def _policy(one: TargetTracking) -> str:
    parts = [
        SHORT[one.tracked],
        plain(one.target).replace(",", ""),
        str(one.scale_out_cooldown),
        str(one.scale_in_cooldown),
        "in" if one.can_scale_in else "stay",
        _safe(one.name),
    ]
    if one.custom is not None:
        dimensions = ";".join(f"{_safe(name)}={_safe(value)}" for name, value in one.custom.dimensions)
        named = [_safe(one.custom.namespace), _safe(one.custom.name), one.custom.statistic]
        parts += [*named, dimensions, _safe(one.custom.unit)]
    return "|".join(parts)


def _safe(text: str) -> str:
    """Text without what parts are parted by."""
    return quote(text, safe=" /:,.()?*#@+-")


def _read_policy(told: str) -> TargetTracking:
    parts = told.split("|")
    by_short = {short: tracked for tracked, short in SHORT.items()}
    if len(parts) not in (6, 11) or parts[0] not in by_short or (parts[0] == "custom") is not (len(parts) == 11):
        raise _wrong(told)
    try:
        target, cooldown_out, cooldown_in = float(parts[1]), int(parts[2]), int(parts[3])
    except ValueError:
        raise _wrong(told) from None
    if not (
        (target == 0 or SMALLEST <= target <= LARGEST) and 0 <= cooldown_out <= LARGEST and 0 <= cooldown_in <= LARGEST
    ):
        raise _wrong(told)
    custom = None
    if len(parts) == 11:
        if parts[8] not in STATISTICS:
            raise _wrong(told)
        dimensions = tuple(_pair(part) for part in parts[9].split(";") if part)
        custom = CustomMetric(unquote(parts[6]), unquote(parts[7]), parts[8], dimensions, unquote(parts[10]))
    return TargetTracking(
        unquote(parts[5]), by_short[parts[0]], target, cooldown_in, cooldown_out, parts[4] != "stay", custom
    )  # fmt: skip


def _pair(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return unquote(name), unquote(value)


def _scheduled(one: Scheduled) -> str:
    ends = ["" if end is None else str(end) for end in (one.minimum, one.maximum)]
    return "|".join([_safe(one.name), _safe(one.schedule), *ends, one.timezone])


def _read_scheduled(told: str) -> Scheduled:
    parts = told.split("|")
    if len(parts) != 5 or not all(not part or _is_number(part) for part in parts[2:4]):
        raise _wrong(told)
    least, most = (int(part) if part else None for part in parts[2:4])
    return Scheduled(unquote(parts[0]), unquote(parts[1]), least, most, parts[4] or "UTC")


def _number(query: Mapping[str, Sequence[str]], name: str, usual: int) -> int:
    told = next(iter(query.get(name, ())), "")
    if not told:
        return usual
    if not _is_number(told):
        raise _wrong(f"{name}={told}")
    return int(told)


def _is_number(told: str) -> bool:
    """Whether it is one that a field can show; one of thousands of digits is not even read."""
    return told.isascii() and told.isdecimal() and len(told) <= len(str(LARGEST)) and int(told) <= LARGEST


def _once(names: Sequence[str]) -> None:
    """Each stands for one policy, or one scheduled action: the form has one place for it."""
    for name, times in Counter(names).items():
        if times > 1:
            raise _wrong(f"{name} {times} times")


def _wrong(told: str) -> InvalidInput:
    return InvalidInput(f"the address asks for {told[:60]}", "that is no part of the form")
