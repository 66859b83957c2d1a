"""Two replays in words and numbers."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from dashboard.core.serving.scaling import judge
from dashboard.core.serving.scaling.judge import Side
from dashboard.core.serving.scaling.policy import Settings, TargetTracking, Tracked
from dashboard.core.serving.scaling.replay import Delays, Replay, simulate, steady
from dashboard.core.serving.scaling.serving import Service
from dashboard.core.serving.scaling.traffic import MINUTE, Traffic, even

BEGIN = datetime(2026, 11, 21, tzinfo=UTC)
SERVICE = Service(0.1, 1, 20, 1.0, Decimal("0.23"))
BUSY = Traffic(MINUTE, (300.0,) * 10 + (1500.0,) * 50, BEGIN, "five times as much")
SCALED = Settings(1, 4, (TargetTracking("p", Tracked.INVOCATIONS, 400, 30, 30),))


def ran(settings: Settings, traffic: Traffic = BUSY, service: Service = SERVICE) -> Replay:
    return simulate(settings, traffic, service, Delays(start=60))


def test_better_and_dearer_is_said_with_both_figures() -> None:
    said = judge.sentence(Side("now", ran(steady(1))), Side("after", ran(SCALED)))
    assert said.startswith(f"{ran(SCALED).late_share * 100 + ran(SCALED).failed_share * 100:.1f} %")
    assert "late or failed instead of 96.1 %, for $" in said
    assert said.endswith("more a month")


def test_dearer_and_no_better_is_said_too() -> None:
    calm = even(60, 60, BEGIN)
    said = judge.sentence(Side("now", ran(steady(1), calm)), Side("after", ran(steady(3), calm)))
    assert said == "No request late or failed, before or after, for $335.80 more a month"
    back = judge.sentence(Side("now", ran(steady(3), calm)), Side("after", ran(steady(1), calm)))
    assert back.endswith("$335.80 less a month")


def test_settings_that_change_nothing_are_said_to() -> None:
    said = judge.sentence(Side("now", ran(steady(1))), Side("after", ran(steady(1))))
    assert said.endswith("and these settings change nothing about it")


def test_without_a_price_instances_are_compared() -> None:
    free = replace(SERVICE, hourly=None)
    said = judge.sentence(Side("now", ran(steady(1), BUSY, free)), Side("after", ran(steady(2), BUSY, free)))
    assert "1.0 instance-hours more (the price is unknown)" in said


def test_the_table_and_the_file_have_a_row_for_each_side_and_stretch() -> None:
    sides = [Side("now", ran(steady(1))), Side("after", ran(SCALED))]
    now, after = judge.rows(sides)
    assert (now["policy"], now["most"], now["hours"], now["USD"]) == ("now", 1, 1.0, 0.23)
    assert after["most"] == 4
    assert len(judge.points(sides)) == sum(len(one.replay.moments) for one in sides)


def test_each_change_is_told_with_its_cause_and_how_long_it_took() -> None:
    told = judge.told(ran(SCALED))
    assert told[0] == "14 min: 1 → 4 instances (p over its target, there after 1 min)"
    assert judge.told(ran(steady(2))) == []
