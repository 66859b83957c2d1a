"""The limit on photos: by tab, by address, in any minute."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.errors import InvalidInput
from dashboard.core.serving import visitors
from dashboard.core.serving.visitors import Granted, Visitors, per_minute, said


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_up_to_the_limit_all_are_granted_and_the_rest_waits_for_the_first_to_be_a_minute_old() -> None:
    clock = Clock()
    asked = Visitors(10, clock)
    assert asked.ask(["tab"], 4) == Granted(4)
    clock.now = 20.5
    assert asked.ask(["tab"], 8) == Granted(6, wait=40)
    assert asked.ask(["tab"], 1) == Granted(0, wait=40)
    clock.now = 60.0
    assert asked.ask(["tab"], 4) == Granted(4)


def test_tabs_of_one_address_share_its_limit_and_others_have_their_own() -> None:
    asked = Visitors(5, Clock())
    assert asked.ask(["tab 1", "192.0.2.1"], 3).photos == 3
    assert asked.ask(["tab 2", "192.0.2.1"], 3).photos == 2
    assert asked.ask(["tab 3", "192.0.2.2"], 5).photos == 5


def test_one_tab_does_not_get_more_by_changing_its_address() -> None:
    asked = Visitors(5, Clock())
    assert asked.ask(["tab", "192.0.2.1"], 5).photos == 5
    assert asked.ask(["tab", "192.0.2.9"], 1).photos == 0


def test_a_limit_of_zero_is_none() -> None:
    assert Visitors(0, Clock()).ask(["tab"], 10_000) == Granted(10_000)


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 9)), max_size=40), st.integers(1, 12))
def test_no_minute_holds_more_than_the_limit(steps: list[tuple[float, int]], limit: int) -> None:
    clock, granted = Clock(), []
    asked = Visitors(limit, clock)
    for pause, wanted in steps:
        clock.now += pause
        granted += [clock.now] * asked.ask(["tab"], wanted).photos
    assert all(sum(at <= other < at + 60 for other in granted) <= limit for at in granted)


def test_it_remembers_no_more_visitors_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "MOST_VISITORS", 3)
    asked = Visitors(1, Clock())
    for number in range(4):
        assert asked.ask([f"tab {number}"], 1).photos == 1
    assert asked.ask(["tab 3"], 1).photos == 0
    assert asked.ask(["tab 0"], 1).photos == 1, "the one that was quiet for longest was forgotten"


def test_threads_together_get_no_more_than_one_visitor() -> None:
    asked, granted = Visitors(50, Clock()), []
    threads = [
        threading.Thread(target=lambda: granted.extend(asked.ask(["tab"], 1).photos for _ in range(20)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(granted) == 50


def test_the_setting_is_a_whole_number() -> None:
    assert (per_minute({}), per_minute({"KENNEL_VISITOR_PHOTOS": "7"})) == (60, 7)
    for wrong in ("-1", "1.5", "many", "٣", "9" * 9):
        with pytest.raises(InvalidInput):
            per_minute({"KENNEL_VISITOR_PHOTOS": wrong})


def test_what_is_said_names_number_limit_and_seconds() -> None:
    assert said(3, 60, 17) == "3 photos were not sent: a visitor may ask about 60 a minute. Try again in 17 s."
    assert said(1, 60, 1).startswith("1 photo was not sent")
