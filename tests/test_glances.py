"""What a page shows of a slow reading: never waited for, and not what a change has made untrue."""

import time
from datetime import timedelta
from threading import Event

from dashboard.glances import Glance

LONG = timedelta(hours=1)


def until(glance: Glance[str], read, wanted):
    deadline = time.monotonic() + 30
    while (seen := glance.look(read)) is None or seen.value != wanted:
        assert time.monotonic() < deadline, seen
        time.sleep(0.01)


def test_what_a_change_made_untrue_is_shown_no_more_and_the_rest_until_there_is_better():
    glance: Glance[str] = Glance(LONG)
    until(glance, lambda: "missing", "missing")
    glance.doubt(lambda told: told == "all there")
    go = Event()

    def slow() -> str:
        go.wait(30)
        return "all there"

    assert glance.look(slow).value == "missing"
    glance.doubt(lambda told: told == "missing")
    assert glance.look(slow) is None
    go.set()
    until(glance, lambda: "all there", "all there")


def test_a_reading_that_began_before_the_change_is_not_shown_after_it():
    glance: Glance[str] = Glance(LONG)
    go = Event()

    def before() -> str:
        go.wait(30)
        return "missing"

    assert glance.look(before) is None
    glance.doubt(lambda told: True)
    go.set()
    deadline = time.monotonic() + 30
    while (seen := glance.look(lambda: "all there")) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert seen.value == "all there"
