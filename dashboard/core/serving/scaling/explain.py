"""What the two metrics mean, and what one is of the other. Pure.

Little's law: requests that are there at the same time = requests a second × the seconds that each takes.
"""

from dashboard.core.format import duration, percent, plain
from dashboard.core.serving.scaling.history import width_of
from dashboard.core.serving.scaling.policy import TargetTracking, Tracked


def at_once(per_minute: float, latency: float) -> float:
    """Requests at the same time that so many a minute are, each taking `latency` seconds."""
    return per_minute / 60 * latency


def per_minute(at_the_same_time: float, latency: float) -> float:
    """Requests a minute that keep so many there at the same time, each taking `latency` seconds."""
    return at_the_same_time * 60 / latency


def meaning(policy: TargetTracking, latency: float | None) -> str:
    """What a target asks for, in a sentence or two. `latency`: mean seconds of a request, None where unknown."""
    target = plain(policy.target)
    if policy.tracked is Tracked.INVOCATIONS:
        every = duration(60 / policy.target) if policy.target > 0 else "no time"
        said = f"{target} requests a minute on each instance: one every {every}."
        if latency:
            said += (
                f" At {_time(latency)} each that is {_few(at_once(policy.target, latency))} at the same time; "
                f"{target} at the same time would be {_few(per_minute(policy.target, latency))} a minute."
            )
        return said
    if policy.tracked is Tracked.CONCURRENT:
        said = f"{target} requests at the same time on each instance, those that wait among them."
        if latency:
            said += f" At {_time(latency)} each that is {_few(per_minute(policy.target, latency))} a minute."
        return said
    if policy.tracked is Tracked.PROVISIONED:
        return f"{percent(policy.target)} of the provisioned concurrency in use."
    if policy.custom is None:
        return "Its metric is not one that Kennel can read: it is kept as it is."
    return (
        f"{policy.custom.statistic} {policy.custom.name} at {target}. It has to fall as instances are added: "
        "target tracking reckons with a metric that is shared out among them."
    )


def shorter(policy: TargetTracking, scale: float) -> str:
    """What a metric's minute is where waits go `scale` times faster; "" where they do not, or it counts no minute."""
    if scale == 1 or policy.tracked is not Tracked.INVOCATIONS:
        return ""
    seconds = width_of(policy.tracked.period, scale)
    return (
        f"Waits are {scale:g} times shorter here, and so is its minute: it counts the requests of {plain(seconds)} s, "
        f"and {plain(policy.target)} in that time are {_few(policy.target * 60 / seconds)} in a real minute."
    )


REFERENCE = (
    "The write-ups of this workflow call their target of 10 or 20 “simultaneous requests”. The metric that they set, "
    "InvocationsPerInstance, counts requests per minute: with 10 a second instance starts at one request every 6 s. "
    "If you mean requests at the same time, choose the other metric, Requests at once."
)


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else duration(seconds)


def _few(number: float) -> str:
    """Two or three digits of a number."""
    if number >= 100:
        return f"{number:,.0f}"
    return plain(float(f"{number:.2g}"))
