"""A click on the chart opens the days that it was on."""

from datetime import date, timedelta
from decimal import Decimal

from dashboard.core.costs.selection import By, Period
from dashboard.core.costs.spend.over_time import OTHERS
from dashboard.core.costs.spend.statement import statement
from dashboard.ui.spend_chart import opened, steps
from tests.core.costs.receipts import NOW, ledger, run
from tests.core.costs.spend.test_statement import of
from tests.ui.test_figures_spend import month

SHOWN = of(by=By.PROJECT)
DAY = Period(date(2026, 11, 3), date(2026, 11, 3))


def point(group: str) -> dict[str, list[str]]:
    return {"customdata": ["2026-11-03", "2026-11-03", group]}


def test_one_group_alone_opens_to_itself():
    assert opened([point("dogs")], SHOWN) == SHOWN.over(DAY).within(By.PROJECT, "dogs")


def test_a_group_without_a_mark_is_a_group_too():
    assert opened([point("")], SHOWN) == SHOWN.over(DAY).within(By.PROJECT, "")


def test_several_under_the_pointer_open_to_their_days():
    assert opened([point("dogs"), point("cats")], SHOWN) == SHOWN.over(DAY)


def test_an_area_opens_to_the_days_up_to_it():
    assert opened([{"customdata": ["2026-11-01", "2026-11-03"]}], SHOWN) == SHOWN.over(
        Period(date(2026, 11, 1), date(2026, 11, 3))
    )


def test_what_stands_together_opens_to_its_days():
    assert opened([point(OTHERS)], SHOWN) == SHOWN.over(DAY)


def test_the_forecast_opens_nothing():
    assert opened([{"x": "2026-11-28"}], SHOWN) is None
    assert opened([], SHOWN) is None


def test_the_file_of_the_chart_has_every_step_and_its_sum():
    made = month()
    rows = steps(made)
    assert len(rows) == len(made.series.steps)
    assert rows[0]["money"] == "simulated"
    assert rows[-1]["total"] == f"{made.series.steps[-1].total:f}"


def test_groups_called_as_another_column_keep_a_column_of_their_own():
    names = ["total", "money", "", "without project", "project total", "others"]
    runs = [run(f"r{n}", NOW - timedelta(days=1), 1, "0.36", project=name) for n, name in enumerate(names)]
    row = next(one for one in steps(statement(ledger(*runs), SHOWN)) if Decimal(one["total"]))
    assert [value for value in row.values() if value == "0.360000000000"] == ["0.360000000000"] * 6
    assert row["total"] == "2.160000000000"
    assert row["money"] == "simulated"
