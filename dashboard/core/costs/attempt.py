"""One part of many, read by itself: whatever is wrong with it is said of it, and takes nothing else with it."""

import logging
from collections.abc import Callable
from typing import TypeVar

from dashboard.core.errors import KennelError, ServiceFault

T = TypeVar("T")

log = logging.getLogger(__name__)

ODD = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What reading an answer raises that has not the form which AWS documents."""


def attempt(read: Callable[[], T]) -> T | KennelError:
    """What a read gives, or why it gives nothing: an error of `Aws.call`, or ServiceFault for an odd answer."""
    try:
        return read()
    except KennelError as problem:
        return problem
    except ODD as odd:
        log.exception("an answer could not be read")
        return ServiceFault(
            "AWS answered something that Kennel cannot read",
            f"{type(odd).__name__}: {odd}",
            "report the lines of the dashboard's log that say so",
        )
