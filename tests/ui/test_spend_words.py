"""Periods, changes and forecasts as people say them."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from dashboard.core.costs.selection import By, Period, Selection
from dashboard.core.costs.spend.change import Change, Item
from dashboard.core.costs.spend.statement import statement
from dashboard.ui import spend_words
from tests.core.costs.receipts import HOUR, NOW, ledger, line, run
from tests.core.costs.spend.test_statement import NOVEMBER, of

D = Decimal


@pytest.mark.parametrize(
    ("period", "said"),
    [
        (NOVEMBER, "November 2026"),
        (Period(date(2026, 11, 3), date(2026, 11, 3)), "3 November 2026"),
        (Period(date(2026, 11, 3), date(2026, 11, 20)), "3 to 20 November 2026"),
        (Period(date(2026, 10, 23), date(2026, 11, 21)), "23 October to 21 November 2026"),
        (Period(date(2025, 12, 1), date(2026, 11, 21)), "1 December 2025 to 21 November 2026"),
    ],
)
def test_a_period_is_said_as_short_as_it_can_be(period, said):
    assert spend_words.span(period) == said


def test_a_period_stands_in_a_sentence():
    assert spend_words.when(NOVEMBER) == "in November 2026"
    assert spend_words.when(Period(date(2026, 11, 3), date(2026, 11, 3))) == "on 3 November 2026"
    assert spend_words.when(Period(date(2026, 11, 3), date(2026, 11, 20))) == "from 3 to 20 November 2026"


def test_named_periods_are_found_again_in_the_address():
    for period in spend_words.presets(NOW).values():
        assert Period.parse(str(period), NOW) == period


@pytest.mark.parametrize(
    ("by", "name", "said"),
    [
        (By.PROJECT, "", "without project"),
        (By.PLATFORM, "", "not a run"),
        (By.COUNT, "1", "1 instance"),
        (By.COUNT, "4", "4 instances"),
        (By.SERVICE, "EC2", "EC2"),
    ],
)
def test_a_group_without_a_mark_says_which_it_lacks(by, name, said):
    assert spend_words.group(by, name) == said


def test_what_is_kept_is_said():
    chosen = of().within(By.PROJECT, "dogs").within(By.SERVICE, "EC2").within(By.OWNER, "")
    assert spend_words.only(chosen) == "project dogs, EC2, without owner"


def test_a_project_that_is_called_one_is_not_called_so_twice():
    assert spend_words.kept(By.PROJECT, "project C") == "project C"
    assert spend_words.kept(By.OWNER, "project C") == "owner project C"
    assert spend_words.kept(By.PROJECT, "projectile") == "project projectile"


def test_days_before_the_first_receipt_are_no_part_of_a_day_s_mean():
    today = statement(ledger(run("a", NOW - 3 * HOUR, 1, "2")), of())
    assert spend_words.total_note(today) == "day 21 of 30 · the first receipt is of 21 November"
    week = statement(ledger(run("a", NOW - timedelta(days=6), 1, "7")), of())
    assert spend_words.total_note(week) == "day 21 of 30 · $1.00 a day since 15 November"
    whole = statement(ledger(run("a", NOW.replace(day=1), 1, "21")), of())
    assert spend_words.total_note(whole) == "day 21 of 30 · $1.00 a day"


def test_a_change_of_sums_known_in_part_says_so():
    dear = line(NOW - 3 * HOUR, NOW - 2 * HOUR, None, what="spot instances")
    made = statement(ledger(run("a", NOW - 3 * HOUR, extra=(dear,)), run("b", NOW - timedelta(days=35))), of())
    assert spend_words.change_note(made.change) == "1 to 21 October 2026: $0.36, of what is known"
    assert spend_words.sum_of(made.total) == "at least $0.36"
    beside = replace(dear, what="storage", essential=False)  # is named under the sums, and makes none of them vague
    assert spend_words.sum_of(statement(ledger(run("a", NOW - 3 * HOUR, extra=(beside,))), of()).total) == "$0.36"


def test_the_title_says_the_days_the_receipts_and_what_is_unknown():
    book = ledger(run("a", NOW - 3 * HOUR), run("b", NOW - 3 * HOUR, each=None))
    said = spend_words.title(statement(book, of()))
    assert said == "November 2026 so far, 2 receipts, 1 of unknown cost; days are UTC"
    over = spend_words.title(statement(book, of(NOVEMBER.before())))
    assert "so far" not in over


def test_a_change_names_the_group_that_made_most_of_it():
    change = Change(NOVEMBER, NOVEMBER.before(), (Item("a", D(5), D(1)), Item("b", D(0), D(1))))
    assert spend_words.change_finding(change, By.PROJECT) == "$3.00 more than in October 2026, most of it a"
    assert spend_words.change_value(change) == "+$3.00 (+150 %)"
    less = Change(NOVEMBER, NOVEMBER.before(), (Item("a", D(1), D(5)), Item("b", D(1), D(0))))
    assert spend_words.change_finding(less, By.PROJECT) == "$3.00 less than in October 2026, most of it a"
    assert spend_words.change_value(less) == "−$3.00 (−60 %)"


def test_a_first_period_is_not_called_more_than_nothing():
    change = Change(NOVEMBER, NOVEMBER.before(), (Item("a", D(5), D(0)),))
    assert "all of it is new" in spend_words.change_finding(change, By.PROJECT)
    assert spend_words.change_value(change) == "+$5.00"


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [("2", "0", "new: $2.00"), ("0", "2", "$2.00 before, nothing now"), ("3", "1", "$1.00 → $3.00")],
)
def test_an_item_says_where_it_came_from(now, before, said):
    assert spend_words.item_note(Item("a", D(now), D(before))) == said


def test_the_finding_of_a_month_that_goes_on_is_what_it_comes_to():
    book = ledger(*(run(f"r{n}", NOW.replace(hour=0) - timedelta(days=n), 1, "1") for n in range(1, 21)))
    made = statement(book, of())
    assert spend_words.adding_up_finding(made) == "$20.00 so far, about $29.50 by 30 November ($29.50 to $29.50)"


def test_other_days_than_the_month_do_not_come_to_what_the_month_does():
    book = ledger(*(run(f"r{n}", NOW.replace(hour=0) - timedelta(days=n), 1, "1") for n in range(1, 40)))
    made = statement(book, Selection(of().nature, Period.parse("30d", NOW)))
    assert made.forecast is not None
    assert made.ahead is None
    assert spend_words.adding_up_finding(made) == "SageMaker training is 100 % of $29.00"


def test_a_charge_that_known_sums_lack_is_said_once():
    storage = line(NOW - 3 * HOUR, NOW - 2 * HOUR, None, what="storage", essential=False)
    rows = [(run(name, NOW - 3 * HOUR, extra=(storage,)), D("0.36")) for name in "ab"]
    assert spend_words.lacking(rows) == "storage of 2 receipts (no price for storage)"
    assert spend_words.lacking([(run("a", NOW), None)]) == ""


def test_a_day_and_a_year_have_findings():
    book = ledger(run("a", NOW - 3 * HOUR, 1, "2"), run("b", NOW - timedelta(days=40), 1, "1", platform="EC2"))
    day = spend_words.each_finding(statement(book, of()).series, By.SERVICE)
    assert day == "Most on 21 November: $2.00, all of it SageMaker training"
    year = statement(book, Selection(of().nature, Period.parse("12m", NOW)))
    assert spend_words.each_finding(year.series, By.SERVICE).startswith("Most in November 2026: $2.00")


def test_what_nobody_knows_is_not_said_to_be_nothing() -> None:
    made = statement(ledger(run("u", NOW - 2 * HOUR, 1, None)), of())
    assert made.is_unknown
    assert made.total.known is None
    assert spend_words.total_note(made) == "what it costs is not known"
    assert spend_words.adding_up_finding(made) == "What was spent on these days is not known"
    assert spend_words.change_value(made.change) == "unknown"
    assert spend_words.change_finding(made.change, By.SERVICE) == (
        "1 receipt of unknown cost: no comparison with 1 to 21 October 2026"
    )
    some = statement(ledger(run("u", NOW - 2 * HOUR, 1, None), run("k", NOW - 2 * HOUR, 1, "1")), of())
    assert some.total.known == 1
    assert not some.is_unknown
    assert statement(ledger(), of()).total.known == 0


@pytest.mark.parametrize("text", ["abc", "²", "1e9", "-1", "others"])
def test_a_number_of_instances_that_is_none_is_said_as_it_stands(text):
    assert text in spend_words.kept(By.COUNT, text)


def test_a_difference_has_its_sign_and_the_smallest_its_word() -> None:
    told = [spend_words.signed(Decimal(one)) for one in ("3.2", "-0.4", "0", "0.00001", "-0.00001")]
    assert told == ["+$3.20", "−$0.40", "$0.00", "under $0.0001 more", "under $0.0001 less"]
