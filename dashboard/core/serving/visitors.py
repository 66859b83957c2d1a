"""How many photos one visitor may ask about in a minute. Counted on the server, by tab and by address."""

import os
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import ceil

from dashboard.core.errors import InvalidInput

SETTING = "KENNEL_VISITOR_PHOTOS"
USUAL = 60
MINUTE = 60.0
MOST_VISITORS = 10_000
"""Tabs and addresses that are remembered; of more, the one that was quiet for longest is forgotten."""


@dataclass(frozen=True)
class Granted:
    """How many of the photos that were asked for may be sent now; `wait`: seconds until the next one may."""

    photos: int
    wait: int = 0


class Visitors:
    """The photos of the last minute by visitor. Safe to share between threads.

    per_minute: photos that one tab, and all tabs of one address together, may send in any 60 seconds; 0: any number.
    """

    def __init__(self, per_minute: int = USUAL, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._sent: OrderedDict[str, deque[float]] = OrderedDict()

    def ask(self, names: Iterable[str], wanted: int) -> Granted:
        """Count up to `wanted` photos for a visitor with all of these names, as many as each of them has left."""
        if not self.per_minute:
            return Granted(wanted)
        now = self._clock()
        with self._lock:
            own = [self._recent(name, now) for name in dict.fromkeys(names)]
            granted = min([wanted, *(self.per_minute - len(sent) for sent in own)])
            for sent in own:
                sent.extend([now] * granted)
            if granted == wanted:
                return Granted(granted)
            until = max(sent[0] + MINUTE for sent in own if len(sent) >= self.per_minute)
            return Granted(granted, max(1, ceil(until - now)))

    def _recent(self, name: str, now: float) -> deque[float]:
        sent = self._sent.setdefault(name, deque())
        self._sent.move_to_end(name)
        while sent and sent[0] <= now - MINUTE:
            sent.popleft()
        while len(self._sent) > MOST_VISITORS:
            self._sent.popitem(last=False)
        return sent


def per_minute(environ: Mapping[str, str] = os.environ) -> int:
    """The setting KENNEL_VISITOR_PHOTOS. Raises InvalidInput for what is no whole number from 0."""
    told = environ.get(SETTING, "").strip()
    if not told:
        return USUAL
    if not (told.isascii() and told.isdecimal() and len(told) <= len("999999")):
        raise InvalidInput(
            f"{SETTING} is no number of photos", f'it is "{told}"', "set a whole number; 0 is without a limit"
        )
    return int(told)


def said(left_out: int, limit: int, wait: int) -> str:
    """What a visitor is told whose photos were too many."""
    what = "1 photo was" if left_out == 1 else f"{left_out:,} photos were"
    return f"{what} not sent: a visitor may ask about {limit:,} a minute. Try again in {wait} s."
