"""What a browser chose last, so that its next tab begins there: in this server's memory alone, never in a file."""

import hashlib
import threading
from collections import OrderedDict

from dashboard.core.accounts.choice import Choice

MOST = 1_000
COOKIE = "kennel_browser"
"""The cookie that tells one browser from another. It says nothing else, and opens nothing."""


class Browsers:
    """The last choices of the browsers that were here, each under a hash: who reads this memory can be no browser."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._choices: OrderedDict[str, Choice] = OrderedDict()

    def note(self, cookie: str, person: str, choice: Choice) -> None:
        """This browser's choice, made by this person ("" where nobody signs in). Nothing without a cookie."""
        if not cookie:
            return
        with self._lock:
            key = _key(cookie, person)
            self._choices[key] = choice
            self._choices.move_to_end(key)
            while len(self._choices) > MOST:
                self._choices.popitem(last=False)

    def last(self, cookie: str, person: str) -> Choice | None:
        """What the person chose last in this browser; None where that is not known."""
        with self._lock:
            return self._choices.get(_key(cookie, person)) if cookie else None


def _key(cookie: str, person: str) -> str:
    return hashlib.sha256(f"{len(cookie)}:{cookie}{person}".encode()).hexdigest()
