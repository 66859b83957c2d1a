"""Times and periods of CloudWatch's reads, as its API reference states them."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local_aws.errors import ServiceError
from local_aws.services.cloudwatch_store import DAY, HOUR, MINUTE

SHORT_PERIODS = (1, 5, 10, 20, 30)
LONGEST_PERIOD = DAY


def seconds(time: datetime) -> float:
    """Epoch seconds; a time without a zone is UTC, as AWS's clients send it."""
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def check_period(period: int, code: str) -> int:
    """Raises ServiceError (code) unless it is 1, 5, 10, 20, 30 or a multiple of 60 seconds, of a day at most."""
    if period not in SHORT_PERIODS and period % MINUTE:
        raise ServiceError(
            code, "The parameter Period must be a value in the set [ 1, 5, 10, 20, 30 ] or a multiple of 60."
        )
    if period > LONGEST_PERIOD:
        raise ServiceError(code, f"The parameter Period must be less than or equal to {LONGEST_PERIOD}.")
    return period


def check_window(params: Mapping[str, Any], code: str) -> tuple[float, float]:
    """StartTime and EndTime as epoch seconds. Raises ServiceError (code) unless the start lies before the end."""
    start, end = seconds(params["StartTime"]), seconds(params["EndTime"])
    if start >= end:
        raise ServiceError(code, "The parameter StartTime must be less than the parameter EndTime.")
    return start, end


def rounded(start: float, period: int, now: float) -> int:
    """Where the first bin begins: CloudWatch rounds the start down, the more the longer ago it is.

    To a minute within 15 days (with a period below a minute: to that), to 5 minutes within 63 days, else to an hour.
    """
    age = now - start
    if age < 15 * DAY:
        width = min(period, MINUTE)
    elif age < 63 * DAY:
        width = 5 * MINUTE
    else:
        width = HOUR
    return math.floor(start / width) * width


def reach(period: int, now: float) -> int:
    """The oldest time that has points of that period: a period that is no multiple of what is kept finds nothing."""
    if period % MINUTE:
        return int(now - 3 * HOUR)
    if period % (5 * MINUTE):
        return int(now - 15 * DAY)
    return int(now - 63 * DAY) if period % HOUR else 0
