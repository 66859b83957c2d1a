from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from dashboard.core import format

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "unknown"),
        ("0", "$0.00"),
        ("0.075140", "$0.0751"),
        ("0.0116", "$0.0116"),
        ("0.408", "$0.408"),
        ("0.5", "$0.50"),
        ("5.4107", "$5.41"),
        ("2.79", "$2.79"),
        ("1204.4", "$1,204"),
        ("1" + "0" * 30, "$1" + ",000" * 10),
        ("999.994", "$999.99"),
        ("999.999", "$1,000"),
        ("0.00001", "under $0.0001"),
        ("0.00007", "$0.0001"),
        ("-5.41", "−$5.41"),
    ],
)
def test_money(amount, text):
    assert format.money(None if amount is None else Decimal(amount)) == text


def test_money_of_an_unlisted_currency_names_it():
    assert format.money(Decimal("5.4"), "CHF") == "5.40 CHF"


@pytest.mark.parametrize(
    ("amount", "text"),
    [("1.408", "$1.408/h"), ("0.0116", "$0.0116/h"), ("0.230", "$0.23/h"), ("2", "$2.00/h"), ("10", "$10.00/h")],
)
def test_rate_keeps_every_digit(amount, text):
    assert format.rate(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "unknown"),
        (0, "0 s"),
        (0.04, "under 0.1 s"),
        (0.42, "0.4 s"),
        (3, "3 s"),
        (9.96, "10 s"),
        (42, "42 s"),
        (59.6, "1 min"),
        (663, "11 min 3 s"),
        (1353, "22 min 33 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (86400 * 3 + 4 * 3600 + 59, "3 d 4 h"),
        (-663, "−11 min 3 s"),
    ],
)
def test_duration(seconds, text):
    assert format.duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "unknown"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1258291, "1.2 MiB"),
        (1024**2 - 1, "1.0 MiB"),
        (3 * 1024**4, "3.0 TiB"),
        (150 * 1024, "150 KiB"),
    ],
)
def test_size(count, text):
    assert format.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3, "just now"),
        (45, "45 s ago"),
        (200, "3 min ago"),
        (7300, "2 h ago"),
        (200_000, "2 d ago"),
        (-300, "in 5 min"),
    ],
)
def test_ago(seconds, text):
    assert format.ago(NOW - timedelta(seconds=seconds), NOW) == text


def test_ago_of_nothing_is_unknown():
    assert format.ago(None, NOW) == "unknown"


@pytest.mark.parametrize(
    ("share", "text"),
    [(None, "unknown"), (0.93, "93 %"), (0, "0 %"), (1, "100 %"), (0.0004, "under 1 %"), (0.9996, "over 99 %")],
)
def test_percent_never_rounds_to_a_false_certainty(share, text):
    assert format.percent(share) == text


def test_count():
    assert format.count(1, "run") == "1 run"
    assert format.count(3, "run") == "3 runs"
    assert format.count(6680, "photo") == "6,680 photos"
    assert format.count(2, "class", "classes") == "2 classes"
    assert format.count(1204) == "1,204"
    assert format.count(None, "run") == "unknown"


def test_a_number_is_written_without_an_exponent():
    told = {1e-06: "0.000001", 1: "1", 1000: "1,000", 0.02: "0.02", 40.0: "40", -0.5: "-0.5", 1e6: "1,000,000"}
    assert {number: format.plain(number) for number in told} == told
    assert format.plain(float("nan")) == "nan"


def test_prices_under_each_other_can_have_equal_places():
    assert format.rate(Decimal("0.230"), least=4) == "$0.2300/h"


def test_the_smallest_prices_have_no_exponent():
    assert format.rate(Decimal("2E-7"), "request") == "$0.0000002/request"
    assert format.rate(Decimal("3.09E-8"), "GB-s") == "$0.0000000309/GB-s"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.07514", "0.0751"),
        ("5.4071874", "5.41"),
        ("1204.5", "1204"),
        ("0", "0.00"),
        ("0.0000314", "0.000031"),
        ("3.09E-8", "0.000000031"),
        ("-0.5", "-0.50"),
    ],
)
def test_an_amount_for_a_program_has_the_places_of_money_and_nothing_else(value, text):
    assert format.amount(Decimal(value)) == text


@pytest.mark.parametrize(
    ("one", "other", "text"),
    [
        ("0.13079", "0.07514", "$0.0557"),  # beside $0.1308 and $0.0751
        ("0.00174", "0.00006", "$0.0016"),  # beside $0.0017 and $0.0001
        ("5.406", "1.404", "$4.01"),
        ("5", "0.00001", "$5.00"),
        ("0.00004", "0.00001", "under $0.0001"),
        ("1", "2", "−$1.00"),
    ],
)
def test_what_sums_are_apart_is_what_a_reader_reckons(one, other, text):
    assert format.apart(Decimal(one), Decimal(other)) == text
