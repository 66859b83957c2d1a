"""When a schedule fires: the at(…), rate(…) and cron(…) of EventBridge Scheduler and Application Auto Scaling. Pure."""

import math
import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from local_aws.errors import ServiceError
from local_aws.services import cron_expression

_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_RATE = re.compile(r"rate\(([1-9]\d{0,9}) (minute|hour|day)s?\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}


@dataclass(frozen=True)
class Times:
    """When a schedule fires: once at `at`, or each `every` seconds from `start` on, not after `end` (epoch seconds).

    cron: an expression on the clocks of `zone` instead, from `start` to `end` too.
    """

    at: float | None = None
    every: int = 0
    start: float = 0.0
    end: float | None = None
    cron: str = ""
    zone: str = "UTC"

    def after(self, moment: float) -> float | None:
        """The first time at or after a moment; None when there is none any more."""
        if self.at is not None:
            return self.at if self.at >= moment else None
        if self.cron:
            found = cron_expression.parse(self.cron).after(max(moment, self.start), ZoneInfo(self.zone))
            return found if found is None or self.end is None or found <= self.end else None
        due = self.start + self.every * max(0, math.ceil((moment - self.start) / self.every))
        return due if self.end is None or due <= self.end else None


def read(expression: str, timezone: str, start: float, end: float | None) -> Times:
    """A schedule's expression in its time zone. start, end: what rate and cron keep to; a single time ignores them.

    Raises ServiceError ValidationException for one that is none, or that cannot be done here.
    """
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ServiceError("ValidationException", f"Invalid Schedule Expression Timezone {timezone}.") from None
    if expression.startswith("cron("):
        try:
            cron_expression.parse(expression)
        except cron_expression.NotCronError as wrong:
            raise ServiceError("ValidationException", f"Invalid Schedule Expression {expression}. {wrong}") from wrong
        return Times(start=start, end=end, cron=expression, zone=timezone)
    if once := _AT.fullmatch(expression):
        try:
            return Times(at=datetime.fromisoformat(once[1]).replace(tzinfo=zone).timestamp())
        except (ValueError, OverflowError):
            pass
    elif regular := _RATE.fullmatch(expression):
        return Times(every=int(regular[1]) * _SECONDS[regular[2]], start=start, end=end)
    raise ServiceError("ValidationException", f"Invalid Schedule Expression {expression}.")
