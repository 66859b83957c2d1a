"""A comparison in words: who was first, and numbers that can be told apart."""

from dataclasses import replace

import pytest

from dashboard.ui.compare_words import dollars, first, places, sentence, short, unlike_note
from dashboard.ui.figures_compare import Compared
from dashboard.ui.lines import STYLES


def compared(place: int, seconds: float | None = 60, cost: float | None = 0.1, right: float | None = 0.9) -> Compared:
    return Compared(f"run-{place}", STYLES[place], seconds, cost, right)


def test_the_first_is_named_by_its_letter() -> None:
    rows = [compared(0, seconds=70), compared(1, seconds=50), compared(2, seconds=None)]
    assert first(rows, lambda row: row.seconds, least=True) == "B"
    assert first(rows, lambda row: row.cost, least=True) == "3 alike"
    assert first(rows[:2], lambda row: row.cost, least=True) == "A and B"


def test_nobody_is_first_alone() -> None:
    rows = [compared(0), compared(1, seconds=None)]
    assert first(rows, lambda row: row.seconds, least=True) == ""
    assert sentence(rows[:1]) == "1 run: choose two or more under All runs"
    unknown = [compared(place, None, None, None) for place in range(2)]
    assert sentence(unknown) == "2 runs, too few have ended"


def test_the_sentence_names_the_cheapest_the_quickest_and_the_best() -> None:
    rows = [compared(0, 60, 0.2, 0.8), compared(1, 50, 0.3, 0.7), compared(2, 90, 0.1, 0.95)]
    assert sentence(rows) == "3 runs: C cheapest, B quickest, C most accurate"


@pytest.mark.parametrize(("cost", "digits"), [(12.0, 2), (0.5, 3), (0.0024, 5), (0.00006, 7), (0.0, 2)])
def test_small_costs_keep_three_digits(cost: float, digits: int) -> None:
    assert places([compared(0, cost=cost), compared(1, cost=None)]) == digits


def test_of_an_address_its_last_part_is_shown() -> None:
    assert short("s3://bucket/datasets/drawn-dogs/") == "drawn-dogs"
    assert short("0.01") == "0.01"
    assert short("") == "–"


def test_money_that_was_spent_never_reads_as_nothing() -> None:
    assert dollars(0.000064, 3) == "$0.0001"
    assert dollars(0.1308, 3) == "$0.131"
    assert dollars(0.0, 3) == "$0.000"
    assert dollars(None, 3) == "unknown"


def test_runs_of_two_kinds_of_money_or_on_other_data_or_from_a_cache_are_not_judged() -> None:
    one, other = compared(0, 60, 0.2, 0.8), compared(1, 50, 0.3, 0.7)
    assert unlike_note([one, other]) == ""
    paid = replace(other, money="sample")
    assert sentence([replace(one, money="simulated"), paid]) == "2 runs: B quickest, A most accurate"
    cached = replace(other, is_cached=True)
    assert sentence([one, cached]) == "2 runs: A most accurate"
    assert "B took the features from the cache" in unlike_note([one, cached])
    elsewhere = replace(other, data="s3://cats")
    assert sentence([one, elsewhere]) == "2 runs that are not alike, so that none is the best"
    assert unlike_note([one, elsewhere]) == "Not everything here is judged: they are on different data."
