"""The figure of two replays."""

from datetime import UTC, datetime
from decimal import Decimal

from dashboard.core.serving.scaling.judge import Side
from dashboard.core.serving.scaling.replay import simulate, steady
from dashboard.core.serving.scaling.serving import Service
from dashboard.core.serving.scaling.traffic import Shape, even, synthetic
from dashboard.ui import figures_replay

BEGIN = datetime(2026, 11, 21, tzinfo=UTC)
SERVICE = Service(0.1, 1, 20, 1.0, Decimal("0.23"))


def sides(minutes: int = 60) -> list[Side]:
    traffic = even(900, minutes, BEGIN)
    return [
        Side("now", simulate(steady(1), traffic, SERVICE)),
        Side("after", simulate(steady(3), traffic, SERVICE)),
    ]


def test_each_side_has_its_instances_and_what_goes_wrong() -> None:
    made = figures_replay.figure(sides()).to_dict()
    names = [trace["name"] for trace in made["data"]]
    assert names == ["needed", "now", "now", "after", "after"]
    instances = {trace["name"]: max(trace["y"]) for trace in made["data"] if trace.get("yaxis", "y") == "y"}
    assert (instances["now"], instances["after"], instances["needed"]) == (1, 3, 1.5)
    bad = {trace["name"]: trace["y"][-1] for trace in made["data"] if trace.get("yaxis") == "y2"}
    assert bad["now"] == 1.0 and bad["after"] == 0.0


def test_the_two_are_told_apart_without_colour() -> None:
    made = figures_replay.figure(sides(), is_dark=True).to_dict()
    dashes = {trace["name"]: trace["line"]["dash"] for trace in made["data"] if trace["name"] != "needed"}
    assert dashes["now"] != dashes["after"]
    said = [note["text"] for note in made["layout"]["annotations"]]
    assert any("now, at most 1" in text for text in said) and any("after, at most 3" in text for text in said)


def test_time_is_counted_as_people_count_it() -> None:
    assert [figures_replay.unit(seconds)[0] for seconds in (600, 4 * 3600, 3 * 86_400)] == ["minutes", "hours", "days"]
    day = simulate(steady(1), synthetic(Shape.DAILY, 60, BEGIN), SERVICE)
    axis = figures_replay.figure([Side("now", day)]).to_dict()["layout"]["xaxis"]
    assert (axis["title"]["text"], axis["range"]) == ("hours", [0, 24])
