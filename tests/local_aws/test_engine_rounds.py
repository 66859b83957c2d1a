"""Work that is done again and again, whatever goes wrong with one round of it."""

import logging
import threading

import pytest

from local_aws.engine.rounds import Rounds


def test_a_round_that_fails_is_logged_and_ends_none_of_the_later_ones(caplog: pytest.LogCaptureFixture) -> None:
    rounds, third = [0], threading.Event()

    def work() -> None:
        rounds[0] += 1
        if rounds[0] == 1:
            raise OSError("the disk is full")
        if rounds[0] == 3:
            third.set()

    going = Rounds("rounds", 0.001, work, "it could not be done")
    with caplog.at_level(logging.ERROR):
        going.start()
        assert third.wait(10)
        going.stop()
    assert [one.message for one in caplog.records] == ["it could not be done"]


def test_none_begins_after_the_end_and_a_second_start_goes_on() -> None:
    begun = threading.Event()
    going = Rounds("rounds", 0.001, begun.set, "it could not be done")
    going.stop()  # of nothing
    going.start()
    assert begun.wait(10)
    going.stop()
    assert not any(one.name == "rounds" for one in threading.enumerate())
    begun.clear()
    going.start()
    assert begun.wait(10)
    going.stop()
