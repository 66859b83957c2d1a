"""Quotes and receipts of every way to train, against sums done by hand in fractions from the prices themselves."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.quote import Quote
from dashboard.core.runs.cost import run_cost
from dashboard.core.runs.expect import expected, worst
from dashboard.core.runs.model import Capacity, Platform, RunStatus
from dashboard.core.runs.spec import Range, RangeKind, TrainingSpec, Tuning
from dashboard.core.runs.surroundings import SpotPrice
from tests.core.runs.made import DOGS, NOW, run

HOUR = 3600
SPEC = TrainingSpec(DOGS, instance_type="ml.m5.large")  # $0.115 an hour in us-east-1
ON_EC2 = TrainingSpec(DOGS, Platform.EC2, instance_type="m5.large", volume_gb=30)
BESIDE = Fraction(30) * Fraction("0.08") / 730 + Fraction("0.005")  # 30 GB of gp3 and an address, an hour
SEARCH = Tuning((Range("epochs", RangeKind.INTEGER, 5, 40),), max_jobs=6, parallel=4)
SPOT = SpotPrice(Decimal("0.0412"), "us-east-1a", date(2026, 11, 21)).price


@pytest.fixture(scope="module")
def book() -> PriceBook:
    return PriceBook.load()


def is_sum(quote: Quote, by_hand: Fraction) -> bool:
    assert isinstance(quote.amount, Decimal)
    return abs(Fraction(quote.amount) - by_hand) < Fraction(1, 10**15)


@pytest.mark.parametrize(
    ("spec", "by_hand"),
    [
        (SPEC, Fraction("0.115")),
        (replace(SPEC, instance_count=4, max_seconds=1800), Fraction("0.115") * 4 / 2),
        (replace(SPEC, capacity=Capacity.SPOT), Fraction("0.115")),
        (replace(SPEC, instance_count=2, max_seconds=1200, tuning=SEARCH), Fraction("0.115") * 2 * 6 / 3),
        (ON_EC2, (Fraction("0.096") + BESIDE) * Fraction(3600 + 1800, HOUR)),
        (replace(ON_EC2, capacity=Capacity.SPOT), (Fraction("0.096") + BESIDE) * Fraction(3600 + 1800, HOUR)),
    ],
    ids=["one", "four", "spot", "tuning", "EC2", "EC2 spot"],
)
def test_the_worst_case(book: PriceBook, spec: TrainingSpec, by_hand: Fraction) -> None:
    assert is_sum(worst(spec, book, "us-east-1"), by_hand)


def test_the_worst_case_on_sagemaker_says_that_storage_is_not_in_it(book: PriceBook) -> None:
    assert worst(SPEC, book, "us-east-1").basis == "the time limit, without storage"


def test_a_receipt_of_managed_spot_counts_billable_seconds(book: PriceBook) -> None:
    ended = run(instance_type="ml.m5.large", instance_count=2, capacity=Capacity.SPOT, training_seconds=300,
                billable_seconds=91)  # fmt: skip
    assert is_sum(run_cost(ended, book, "us-east-1", NOW), Fraction("0.115") * 2 * 91 / HOUR)
    asked = replace(SPEC, instance_count=2, capacity=Capacity.SPOT)
    share = Fraction("0.3033")  # 91 of 300, to four digits
    assert is_sum(expected(asked, book, "us-east-1", [ended]), Fraction("0.115") * 2 * 300 / HOUR * share)


@pytest.mark.parametrize(("seconds", "billed"), [(20.0, 60), (60.0, 60), (61.5, Fraction("61.5"))])
def test_a_receipt_of_ec2_counts_a_minute_at_least(book: PriceBook, seconds: float, billed: Fraction) -> None:
    ended = run(platform=Platform.EC2, instance_type="m5.large", volume_gb=30, billable_seconds=seconds)
    by_hand = (Fraction("0.096") + BESIDE) * billed / HOUR
    assert is_sum(run_cost(ended, book, "us-east-1", NOW), by_hand)


def test_an_instance_that_has_not_started_has_cost_nothing(book: PriceBook) -> None:
    waiting = run(status=RunStatus.STARTING, platform=Platform.EC2, instance_type="m5.large", started=None)
    assert run_cost(waiting, book, "us-east-1", NOW).amount == 0


def test_a_spot_price_is_an_estimate_before_and_after(book: PriceBook) -> None:
    ended = run(platform=Platform.EC2, instance_type="m5.large", capacity=Capacity.SPOT, volume_gb=30,
                spot_price=SPOT.amount, billable_seconds=90)  # fmt: skip
    by_hand = (Fraction("0.0412") + BESIDE) * 90 / HOUR
    for quote in (
        run_cost(ended, book, "us-east-1", NOW),
        expected(
            replace(ON_EC2, capacity=Capacity.SPOT), book, "us-east-1", [replace(ended, training_seconds=90)], SPOT
        ),
    ):
        assert is_sum(quote, by_hand)
        assert quote.is_estimate


def test_without_a_spot_price_the_expected_cost_says_what_it_is_counted_with(book: PriceBook) -> None:
    ended = run(platform=Platform.EC2, instance_type="m5.large", billable_seconds=90)
    quote = expected(replace(ON_EC2, capacity=Capacity.SPOT), book, "us-east-1", [ended])
    assert is_sum(quote, (Fraction("0.096") + BESIDE) * 90 / HOUR)
    assert "at the on-demand price: the spot price is not known" in quote.basis


@pytest.mark.parametrize("kind", ["ml.inf1.xlarge", "ml.p4d.24xlarge"])
def test_what_has_no_price_is_unknown_everywhere(book: PriceBook, kind: str) -> None:
    ended = run(instance_type=kind)
    for quote in (
        worst(replace(SPEC, instance_type=kind), book, "us-east-1"),
        expected(replace(SPEC, instance_type=kind), book, "us-east-1", [ended]),
        run_cost(ended, book, "us-east-1", NOW),
    ):
        assert quote.amount is None
        assert kind in quote.why_unknown
