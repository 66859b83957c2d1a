"""Sentences about how a variant scales. Pure."""

from collections.abc import Sequence
from datetime import datetime

from dashboard.core.format import ago, duration, money, plain
from dashboard.core.serving.scaling import requests
from dashboard.core.serving.scaling.plan import Cost
from dashboard.core.serving.scaling.scaling import Activity, Alarm, AlarmState, Scaling

WHY_NOT = {
    "AutoScalingAnticipatedFlapping": "it would have gone back at once",
    "TargetServicePutResourceAsUnscalable": "the endpoint could not be changed then",
    "AlreadyAtMaxCapacity": "it is at its maximum",
    "AlreadyAtMinCapacity": "it is at its minimum",
    "AlreadyAtDesiredCapacity": "it has that already",
}


def sentence(scaling: Scaling) -> str:
    """The page's live sentence."""
    variant, settings = scaling.variant, scaling.settings
    has = variant.kind.many(variant.current)
    if variant.desired != variant.current:
        has += f", going to {variant.desired}"
    if not scaling.is_known:
        return f"{has}; its auto scaling could not be read"
    if settings is None:
        return f"{has}, which stays so: no auto scaling is set"
    parts = [f"{has} of {settings.minimum} to {settings.maximum}"]
    parts += [f"keeps {requests.words(one)}" for one in settings.tracking if one.custom or one.tracked != "custom"]
    if scaling.suspended.words:
        parts.append(f"switched off: {', '.join(scaling.suspended.words)}")
    return ", ".join(parts)


def alarm(one: Alarm, scale: float = 1.0) -> str:
    """What makes an alarm go off: "above 10 for 3 of 3 periods of 60 s"; on a scaled clock also what that is here."""
    often = f"{one.datapoints} of {one.periods}"
    here = f" ({duration(one.period * one.periods / scale)} here)" if scale != 1 else ""
    return f"{'above' if one.is_high else 'below'} {plain(one.threshold)} for {often} periods of {one.period} s{here}"


def does(one: Alarm) -> str:
    """What an alarm leads to."""
    return "scales out" if one.is_high else "scales in"


def alarms(found: Sequence[Alarm]) -> tuple[str, str]:
    """The strip's figure of all alarms: "scales out", and a note."""
    if not found:
        return "none", "AWS makes two for each target tracking policy"
    if any(one.state is AlarmState.ALARM and one.is_high for one in found):
        return "scale out", "a metric is above its target"
    if all(one.state is AlarmState.ALARM for one in found if not one.is_high) and any(not one.is_high for one in found):
        return "scale in", "every metric is well below its target"
    if all(one.state is AlarmState.NO_DATA for one in found):
        return "no data", "no request sends no metric: nothing scales"
    return "steady", "none that scales has gone off"


def activity(one: Activity) -> str:
    """What an activity did, or why it did not."""
    if one.not_scaled:
        return f"nothing changed: {', '.join(WHY_NOT.get(code, code) for code in one.not_scaled)}"
    return one.description or one.cause


def activity_rows(found: Sequence[Activity], now: datetime) -> list[dict[str, str | int | float | datetime | None]]:
    """Activities as rows of a table."""
    return [
        {
            "status": one.word,
            "when": ago(one.started, now),
            "what": activity(one),
            "capacity": one.capacity,
            "took (s)": round((one.ended - one.started).total_seconds(), 1) if one.ended else None,
            "why": one.cause,
            "message": one.message,
            "started": one.started,
        }
        for one in found
    ]


def cost(of: Cost) -> str:
    """ "$0.115 to $0.345", or one amount where both are the same; "unknown" where no price is known."""
    if of.least.amount is None or of.most.amount is None:
        return "unknown"
    least, most = money(of.least.amount, of.least.currency), money(of.most.amount, of.most.currency)
    return least if least == most else f"{least} to {most}"


def monthly(of: Cost) -> str:
    """The same for a month."""
    least, most = Cost.monthly(of.least), Cost.monthly(of.most)
    if least is None or most is None:
        return "unknown"
    told = [money(amount, of.least.currency) for amount in (least, most)]
    return told[0] if least == most else f"{told[0]} to {told[1]}"
