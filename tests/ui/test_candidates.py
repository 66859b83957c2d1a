"""The table of instance types: each as a row of plain values."""

from dataclasses import replace
from decimal import Decimal

from dashboard.core.costs.prices import PriceBook
from dashboard.core.runs.candidates import candidates
from dashboard.core.runs.spec import Platform, TrainingSpec
from dashboard.ui.candidates import as_rows, gpu, places_of

SPEC = TrainingSpec("s3://bucket/datasets/dogs/")


def test_what_is_not_known_is_said_and_only_the_chosen_one_is_marked() -> None:
    rows = as_rows(candidates(SPEC, PriceBook.load(), "us-east-1"))
    [chosen] = [row for row in rows if row["Chosen"]]
    assert chosen["Instance"] == "ml.m5.large"
    assert (chosen["Price/h"], chosen["Time"], chosen["Cost"], chosen["At most"]) == (
        "$0.115",
        "unknown",
        "unknown",
        "$0.115",
    )
    assert "Spot/h" not in chosen


def test_a_price_that_is_an_estimate_is_marked_and_one_that_is_missing_is_unknown() -> None:
    book = PriceBook.load()
    [estimated] = [row for row in as_rows(candidates(SPEC, book, "eu-west-1")) if row["Instance"] == "ml.m5.large"]
    assert estimated["Price/h"].startswith("≈ $")
    strange = replace(SPEC, platform=Platform.EC2, instance_type="x9.huge")
    [unknown] = [row for row in as_rows(candidates(strange, book, "us-east-1")) if row["Chosen"]]
    assert (unknown["Price/h"], unknown["vCPU"], unknown["GPU"]) == ("unknown", None, None)


def test_prices_per_hour_have_equal_places() -> None:
    shown = [row["Price/h"] for row in as_rows(candidates(SPEC, PriceBook.load(), "us-east-1"))]
    assert {"$0.115", "$0.230"} <= set(shown)
    assert len({len(price.partition(".")[2]) for price in shown}) == 1


def test_sums_have_the_places_of_the_prices_beside_them_unless_they_are_far_apart() -> None:
    rows = as_rows(candidates(SPEC, PriceBook.load(), "us-east-1"))
    assert {("$0.230", "$0.230"), ("$1.408", "$1.408")} <= {(row["Price/h"], row["At most"]) for row in rows}
    assert places_of([Decimal("0.0751"), None, Decimal("5.41")]) == 4
    assert places_of([Decimal("0.0751"), Decimal("54.1")]) == 0
    assert places_of([None]) == 0


def test_a_gpu_is_named_in_one_word() -> None:
    assert gpu("1 × NVIDIA T4 16 GiB") == "T4"
    assert gpu("8 × NVIDIA A100 40 GiB") == "8 × A100"
    assert gpu("") is None
