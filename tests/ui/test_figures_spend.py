"""Charts of spending show what core says: every amount, the cone, the limit, and an axis from nought."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.selection import By, Period, Selection
from dashboard.core.costs.spend.statement import statement
from dashboard.ui import figures_spend
from dashboard.ui.figures_spend import Limit
from tests.core.costs.receipts import NOW, ledger, many, run

NOVEMBER = Period(date(2026, 11, 1), date(2026, 11, 30))
MIDNIGHT = NOW.replace(hour=0)


def month():
    runs = [run(f"r{n}", MIDNIGHT - timedelta(days=n), 1, f"0.{n % 9}5", project="ab"[n % 2]) for n in range(1, 20)]
    return statement(ledger(*runs), Selection(Nature.SIMULATED, NOVEMBER, By.PROJECT))


def test_bars_hold_every_amount_and_open_to_their_days_and_group():
    made = month()
    figure = figures_spend.each(made.series, str)
    assert sum(sum(bar.y) for bar in figure.data) == pytest.approx(float(made.total.amount))
    bar = figure.data[0]
    assert list(bar.customdata[0]) == ["2026-11-01", "2026-11-01", made.series.groups[0]]
    assert figure.layout.barmode == "stack"
    assert figure.layout.yaxis.range[0] == 0


def test_a_name_is_no_markup_to_plotly():
    made = month()
    evil = "<b>x</b> <a href='http://e'>y</a>"
    bars = figures_spend.each(made.series, lambda _: evil)
    areas = figures_spend.adding_up(made.series, NOVEMBER, NOW, lambda _: evil)
    told = [*(one.name for one in (*bars.data, *areas.data)), *(one.text for one in areas.layout.annotations)]
    assert any("&lt;b&gt;x" in one for one in told)
    assert not any("<b" in one or "<a" in one for one in told)


def test_bars_are_told_apart_without_colour():
    figure = figures_spend.each(month().series, str)
    assert len({bar.marker.pattern.shape for bar in figure.data}) == len(figure.data)


def test_areas_end_where_the_sum_is_and_the_cone_begins_there():
    made = month()
    figure = figures_spend.adding_up(made.series, NOVEMBER, NOW, str, forecast=made.forecast)
    areas = [trace for trace in figure.data if trace.stackgroup]
    total = float(made.total.amount)
    assert sum(area.y[-1] for area in areas) == pytest.approx(total)
    assert all(area.y[0] == 0 for area in areas)
    line = next(trace for trace in figure.data if trace.name == "forecast")
    assert line.y[0] == pytest.approx(total)
    assert line.y[-1] == pytest.approx(float(made.forecast.amount))
    assert line.x[-1] == datetime(2026, 12, 1, tzinfo=UTC)
    assert figure.layout.yaxis.range[1] >= float(made.forecast.high)


def test_the_budget_is_a_line_that_fits_in():
    made = month()
    limit = Limit("budget", 2 * made.total.amount)
    figure = figures_spend.adding_up(made.series, NOVEMBER, NOW, str, forecast=made.forecast, limit=limit)
    assert figure.layout.shapes[0].y0 == float(limit.amount)
    assert figure.layout.yaxis.range[1] >= float(limit.amount)
    assert any(limit.words(float(limit.amount)) in str(note.text) for note in figure.layout.annotations)


def test_a_budget_far_above_is_named_and_presses_nothing_flat():
    made = month()
    alone = figures_spend.adding_up(made.series, NOVEMBER, NOW, str, forecast=made.forecast)
    limit = Limit("budget", Decimal(50_000))
    figure = figures_spend.adding_up(made.series, NOVEMBER, NOW, str, forecast=made.forecast, limit=limit)
    assert figure.layout.shapes == ()
    assert figure.layout.yaxis.range == alone.layout.yaxis.range
    assert "budget $50,000 ↑" in [note.text for note in figure.layout.annotations]


def test_bars_of_months_have_the_budgets_line():
    made = month()
    figure = figures_spend.each(made.series, str, Limit("budget", made.total.amount / 10))
    assert figure.layout.shapes[0].y0 == float(made.total.amount / 10)


def test_a_month_without_a_forecast_names_its_areas_where_they_end():
    made = statement(month().ledger, Selection(Nature.SIMULATED, NOVEMBER.before(), By.PROJECT))
    figure = figures_spend.adding_up(made.series, made.selection.period, NOW, str)
    assert {note.text for note in figure.layout.annotations} == set(made.series.groups)


def test_a_year_has_few_names_under_its_axis():
    made = statement(many(60), Selection(Nature.SIMULATED, Period.parse("12m", NOW)))
    figure = figures_spend.each(made.series, str)
    assert 2 <= len(figure.layout.xaxis.tickvals) <= 6
    assert figure.layout.xaxis.ticktext[0] == "Dec 2025"


def test_nothing_at_all_draws():
    made = statement(ledger(), Selection(Nature.SIMULATED, NOVEMBER))
    assert figures_spend.each(made.series, str).data == ()
    assert figures_spend.adding_up(made.series, NOVEMBER, NOW, str).layout.yaxis.range[1] > 0
