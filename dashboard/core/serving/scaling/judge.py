"""Two replays of the same traffic beside each other: what the change would do. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dashboard.core.format import apart, count, duration, money, percent
from dashboard.core.serving.scaling.replay import Replay

NOTICEABLE = 0.0005
"""A share of the requests that is worth a word: 1 in 2,000."""


@dataclass(frozen=True)
class Side:
    """A replay under its name: "now", "after"."""

    name: str
    replay: Replay

    @property
    def bad(self) -> float:
        """The share of the requests that came late or failed."""
        return self.replay.late_share + self.replay.failed_share


def sentence(before: Side, after: Side) -> str:
    """What the change would have done to this traffic: "0.2 % late or failed instead of 14 %, for $31 more a month"."""
    old, new = before.bad, after.bad
    if not after.replay.requests:
        return "No request in this traffic: nothing would scale"
    if [moment.serving for moment in before.replay.moments] == [moment.serving for moment in after.replay.moments]:
        some = "No request" if new < NOTICEABLE else f"{_share(new)} of the requests"
        return f"{some[0].upper()}{some[1:]} late or failed, and these settings change nothing about it"
    if max(old, new) < NOTICEABLE:
        quality = "No request late or failed, before or after"
    elif abs(old - new) < NOTICEABLE:
        quality = f"{_share(new)} of the requests late or failed, as before"
    else:
        quality = f"{_share(new)} of the requests late or failed instead of {_share(old)}"
    return f"{quality[0].upper()}{quality[1:]}, {_price(before, after)}"


def _share(share: float) -> str:
    return "none" if share < 1e-9 else percent(share, 1)


def _price(before: Side, after: Side) -> str:
    old, new = before.replay.month(), after.replay.month()
    if old is None or new is None:
        more = after.replay.instance_hours - before.replay.instance_hours
        if abs(more) < 0.05:
            return "with as many instance-hours"
        return f"with {abs(more):.1f} instance-hours {'more' if more > 0 else 'fewer'} (the price is unknown)"
    if money(old) == money(new):
        return f"for the same {money(new)} a month"
    return f"for {apart(max(old, new), min(old, new))} {'more' if new > old else 'less'} a month"


def rows(sides: Sequence[Side]) -> list[dict[str, Any]]:
    """The table under the figure: one row a side."""
    return [
        {
            "policy": one.name,
            "late %": round(one.replay.late_share * 100, 2),
            "failed %": round(one.replay.failed_share * 100, 2),
            "wait p50 ms": round(one.replay.wait_p50 * 1000),
            "wait p99 ms": round(one.replay.wait_p99 * 1000),
            "most": one.replay.most,
            "hours": round(one.replay.instance_hours, 2),
            "USD": _usd(one.replay.cost),
            "USD a month": _usd(one.replay.month()),
        }
        for one in sides
    ]


def _usd(sum_: Decimal | None) -> float | None:
    """For a column of numbers; None where it is unknown."""
    return None if sum_ is None else round(float(sum_), 4 if sum_ < 1 else 2)


def points(sides: Sequence[Side]) -> list[dict[str, Any]]:
    """The numbers behind the figure, one row a stretch of time."""
    return [
        {
            "policy": one.name,
            "seconds": round(moment.at),
            "requests": round(moment.requests, 1),
            "instances needed": round(moment.needed, 3),
            "desired": moment.desired,
            "serving": moment.serving,
            "waiting": round(moment.waiting, 1),
            "late": round(moment.late, 2),
            "failed": round(moment.failed, 2),
        }
        for one in sides
        for moment in one.replay.moments
    ]


def told(replay: Replay) -> list[str]:
    """Each change of capacity in a sentence."""
    said = []
    for one in replay.activities:
        by = f"{one.policy} {'over' if one.is_out else 'under'} its target" if one.policy else one.why
        until = "" if one.done > replay.traffic.seconds else f", there after {duration(one.done - one.at)}"
        said.append(f"{duration(one.at)}: {one.before} → {count(one.after, 'instance')} ({by}{until})")
    return said
