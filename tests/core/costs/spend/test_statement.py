"""What a page of spending says adds up: groups, days, months and receipts to one total, of one nature."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.selection import By, Period, Selection
from dashboard.core.costs.spend.over_time import OTHERS, series, steps
from dashboard.core.costs.spend.statement import statement
from tests.core.costs.receipts import HOUR, NOW, endpoint, ledger, many, run

NOVEMBER = Period(date(2026, 11, 1), date(2026, 11, 30))
YEAR = Period.parse("12m", NOW)
DAY = timedelta(days=1)
CENT = Decimal("1e-20")


def of(period: Period = NOVEMBER, by: By = By.SERVICE, nature: Nature = Nature.SIMULATED) -> Selection:
    return Selection(nature, period, by)


@pytest.mark.parametrize(
    "period", [NOVEMBER, YEAR, Period.parse("30d", NOW), Period(date(2026, 3, 3), date(2026, 3, 3))]
)
@pytest.mark.parametrize("by", [By.SERVICE, By.PROJECT, By.OWNER, By.PLATFORM])
def test_everything_adds_up_to_the_total(period, by):
    book = many(400)
    made = statement(book, of(period, by))
    known = sum(amount for _, amount in made.rows if amount is not None)
    assert made.total.amount == known
    assert abs(sum(share.amount for share in made.shares) - known) < CENT
    assert abs(sum(step.total for step in made.series.steps) - known) < CENT
    assert abs(made.change.now - known) < CENT
    assert made.total.receipts == len(made.rows)


def test_each_group_opens_to_receipts_that_add_up_to_it():
    book = many(300)
    chosen = of(YEAR, By.PROJECT)
    for share in statement(book, chosen).shares:
        opened = book.total(chosen.within(By.PROJECT, share.group))
        assert (opened.amount, opened.receipts) == (share.amount, share.receipts)


def test_natures_are_never_together():
    book = ledger(run("own", NOW - 5 * HOUR), run("example", NOW - 5 * HOUR, each="99", nature=Nature.SAMPLE))
    made = statement(book, of())
    assert [receipt.name for receipt, _ in made.rows] == ["own"]
    assert made.total.amount == Decimal("0.36")
    assert made.change.now == Decimal("0.36")


def test_an_endpoint_over_the_end_of_a_month_is_in_both():
    serving = endpoint("e", NOW.replace(month=10, day=31, hour=0), NOW.replace(day=2, hour=0))
    october = statement(ledger(serving), of(NOVEMBER.before())).total.amount
    november = statement(ledger(serving), of()).total.amount
    assert (october, november) == (Decimal("0.24") * 24, Decimal("0.24") * 24)


def test_a_receipt_without_a_price_is_counted_as_unknown_and_not_as_nothing():
    made = statement(ledger(run("a", NOW - 3 * HOUR), run("b", NOW - 3 * HOUR, each=None)), of())
    assert (made.total.amount, made.total.receipts, made.total.unknown) == (Decimal("0.36"), 2, 1)
    assert made.rows[-1][1] is None


def test_only_a_period_that_goes_on_has_a_forecast():
    book = ledger(*(run(f"r{n}", NOW - n * DAY) for n in range(1, 9)))
    assert statement(book, of()).forecast is not None
    assert statement(book, of(NOVEMBER.before())).forecast is None


def test_the_forecast_begins_with_what_the_page_says_is_spent():
    made = statement(many(200), of())
    assert abs(made.forecast.so_far - made.total.amount) < CENT


def test_a_year_is_drawn_by_month_and_a_month_by_day():
    book = many(50)
    year, month = statement(book, of(YEAR)).series, statement(book, of()).series
    assert year.is_monthly
    assert [step.period.first for step in year.steps[:2]] == [date(2025, 12, 1), date(2026, 1, 1)]
    assert year.steps[-1].period == Period(date(2026, 11, 1), date(2026, 11, 21))
    assert not month.is_monthly
    assert len(month.steps) == 21  # days to come have no bar


def test_the_cheapest_groups_stand_together_and_nothing_is_lost():
    daily = {f"g{n}": {date(2026, 11, 3): Decimal(n + 1)} for n in range(9)}
    made = series(daily, NOVEMBER, date(2026, 11, 21))
    assert made.groups == ("g8", "g7", "g6", "g5", "g4", OTHERS)
    assert made.together == 4
    assert made.steps[2].amounts[-1] == 1 + 2 + 3 + 4
    assert sum(step.total for step in made.steps) == sum(range(1, 10))


def test_sums_add_up_from_step_to_step():
    daily = {"a": {date(2026, 11, 1): Decimal(1), date(2026, 11, 3): Decimal(2)}}
    sums = series(daily, NOVEMBER, date(2026, 11, 4)).adding_up()
    assert [step.total for step in sums.steps] == [1, 1, 3, 3]


def test_months_at_the_edges_of_a_period_are_cut_there():
    found = steps(Period(date(2026, 1, 15), date(2026, 3, 2)), date(2027, 1, 1), is_monthly=True)
    assert [(one.first, one.last) for one in found] == [
        (date(2026, 1, 15), date(2026, 1, 31)),
        (date(2026, 2, 1), date(2026, 2, 28)),
        (date(2026, 3, 1), date(2026, 3, 2)),
    ]


def test_the_sum_over_the_days_of_a_receipt_is_the_receipt():
    book = many(100)
    for receipt in book.receipts:
        assert abs(sum(book.days(receipt).values(), Decimal(0)) - receipt.amount) < CENT
