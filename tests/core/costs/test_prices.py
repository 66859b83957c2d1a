"""The price book against the published figures, typed here by hand."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from dashboard.core.costs.prices import SHIPPED, Confidence, Extra, Kind, Price, PriceBook


@pytest.mark.parametrize(
    ("kind", "instance", "region", "amount", "confidence"),
    [
        ("sagemaker-training", "ml.m5.large", "us-east-1", "0.115", "listed"),
        ("endpoint", "ml.m5.xlarge", "us-east-1", "0.230", "listed"),
        ("sagemaker-training", "ml.c5.2xlarge", "us-east-1", "0.408", "weak"),
        ("sagemaker-training", "ml.g5.xlarge", "ap-south-1", "1.690", "listed"),
        ("endpoint", "ml.p3.2xlarge", "eu-west-1", "4.131", "listed"),
        ("notebook", "ml.t3.medium", "us-east-1", "0.050", "listed"),
        ("notebook", "ml.t2.medium", "us-east-1", "0.0464", "weak"),
        ("ec2", "t2.micro", "us-east-1", "0.0116", "listed"),
        ("ec2", "m5.large", "eu-west-1", "0.107", "estimate"),
        ("ec2", "g5.xlarge", "ap-south-1", "1.208", "listed"),
    ],
)
def test_figures(prices, kind, instance, region, amount, confidence):
    price = prices.price(kind, instance, region)
    assert price.amount == Decimal(amount)
    assert price.confidence == confidence
    assert price.currency == "USD"
    assert price.source
    assert date(2026, 7, 1) <= price.date <= date(2026, 11, 30)


def test_a_missing_sagemaker_price_is_estimated_from_ec2_and_says_so(prices):
    price = prices.price("sagemaker-training", "ml.c5.xlarge", "ap-south-1")
    assert price.amount == Decimal("0.170") * Decimal("1.2")
    assert price.is_estimate
    assert "estimate: EC2 c5.xlarge in ap-south-1 × 1.2" in price.source
    gpu = prices.price("endpoint", "ml.p2.xlarge", "us-east-1")
    assert not gpu.is_estimate  # it has a figure of its own
    assert prices.price("endpoint", "ml.g4dn.xlarge", "ap-south-1").amount == Decimal("0.811")


@pytest.mark.parametrize(
    ("kind", "instance", "region", "reason"),
    [
        ("sagemaker-training", "ml.inf1.xlarge", "us-east-1", "the sources disagree"),
        ("endpoint", "ml.t2.medium", "us-east-1", "us-east-1"),
        ("ec2", "p3.2xlarge", "eu-west-1", "eu-west-1"),
        ("sagemaker-training", "ml.m5.large", "mars-north-1", "mars-north-1"),
        ("ec2", "m7i.large", "us-east-1", "m7i.large"),
    ],
)
def test_unknown_is_none_with_why(prices, kind, instance, region, reason):
    assert prices.price(kind, instance, region) is None
    assert reason in prices.why_unknown(kind, instance, region)


def test_a_known_price_has_no_reason_to_be_unknown(prices):
    assert prices.why_unknown("ec2", "t2.micro", "us-east-1") == ""


def test_an_unknown_kind_is_a_mistake_not_an_unknown_price(prices):
    with pytest.raises(ValueError, match="lambda"):
        prices.price("lambda", "ml.m5.large", "us-east-1")


def test_every_figure_in_the_file_is_dated_and_sourced_and_there_once():
    book = json.loads(SHIPPED.read_text())
    seen = set()
    for row in book["prices"]:
        source = book["sources"][row["source"]]
        assert date.fromisoformat(source["date"])
        assert source["title"]
        assert Decimal(row["amount"]) > 0
        for kind in row["kinds"]:
            key = (kind, row["instance"], row["region"])
            assert key not in seen
            seen.add(key)
    assert len(seen) > 50


def test_no_price_is_written_as_a_float():
    """0.1 in JSON would become 0.1000000000000000055… on its way to Decimal."""
    assert all(isinstance(row["amount"], str) for row in json.loads(SHIPPED.read_text())["prices"])


def test_a_bad_file_is_an_error(tmp_path):
    bad = tmp_path / "prices.json"
    bad.write_text(json.dumps(json.loads(SHIPPED.read_text()) | {"sources": {}}))
    with pytest.raises(KeyError):
        PriceBook.load(bad)


def test_confidence_says_what_is_an_estimate():
    assert {c.value for c in Confidence} == {"listed", "weak", "estimate"}


ON = (Kind.EC2, "c5.large", "us-east-1")


def told(amount: str, day: date, confidence: Confidence = Confidence.LISTED) -> Price:
    return Price(Decimal(amount), "USD", "AWS Pricing API", day, confidence)


def test_a_price_is_that_of_its_moment(prices):
    """The shipped one is of 2026-07-20."""
    book = prices.with_prices([(ON, told("0.09", date(2026, 10, 5))), (ON, told("0.08", date(2026, 8, 1)))])

    def at(moment: datetime | date | None) -> Decimal:
        return book.price(*ON, moment).amount

    assert at(date(2020, 1, 1)) == Decimal("0.085")  # nobody collected one then: the first that is known
    assert at(date(2026, 7, 31)) == Decimal("0.085")
    assert at(date(2026, 8, 1)) == Decimal("0.08")
    assert at(datetime(2026, 10, 4, 23, 59, tzinfo=UTC)) == Decimal("0.08")
    assert at(datetime(2026, 10, 4, 23, 59, tzinfo=timezone(timedelta(hours=-5)))) == Decimal("0.09")  # the UTC day
    assert at(None) == Decimal("0.09")
    assert prices.price(*ON).amount == Decimal("0.085")  # the book that was there has not changed


def test_a_price_of_the_same_day_takes_the_place_of_the_other(prices):
    day = date(2026, 10, 5)
    book = prices.with_prices([(ON, told("0.09", day))]).with_prices([(ON, told("0.07", day))])
    assert [price.amount for price in book.prices[ON]] == [Decimal("0.085"), Decimal("0.07")]


def test_an_estimate_counts_only_where_no_figure_is_known(prices):
    scaled = (Kind.EC2, "m5.large", "eu-west-1")
    assert prices.price(*scaled).is_estimate
    book = prices.with_prices([(scaled, told("0.106", date(2026, 11, 1)))])
    assert book.price(*scaled, date(2026, 10, 1)).amount == Decimal("0.106")
    assert not book.price(Kind.EC2, "m5.large", "eu-west-1").is_estimate


def test_the_estimate_from_ec2_follows_ec2s_price(prices):
    book = prices.with_prices([((Kind.EC2, "c5.xlarge", "ap-south-1"), told("0.2", date(2026, 11, 1)))])
    assert book.price("endpoint", "ml.c5.xlarge", "ap-south-1").amount == Decimal("0.24")
    assert book.price("endpoint", "ml.c5.xlarge", "ap-south-1", date(2026, 10, 1)).amount == Decimal("0.204")


def test_what_stands_beside_instances_has_prices_too(prices):
    assert prices.beside(Extra.LAMBDA_PROVISIONED, "ap-northeast-1").amount == Decimal("0.0000053835")
    assert prices.beside(Extra.LAMBDA_PROVISIONED_DURATION, "eu-west-1").amount == Decimal("0.0000108407")
    assert prices.beside(Extra.ML_STORAGE, "us-east-1") is None
    assert "us-east-1" in prices.why_missing(Extra.ML_STORAGE, "us-east-1")
    assert prices.why_missing(Extra.ML_STORAGE, "eu-west-1") == ""
    later = told("0.07", date(2026, 11, 1))
    book = prices.with_prices([], [((Extra.GP3, "us-east-1"), later)])
    assert book.beside(Extra.GP3, "us-east-1", date(2026, 10, 1)).amount == Decimal("0.08")
    assert book.beside(Extra.GP3, "us-east-1") == later


def test_observed_spot_prices_say_what_they_are(prices):
    (published,) = [one for one in prices.observed if one.instance_type == "ml.c5.2xlarge"]
    assert published.lowest == published.highest == Decimal("0.174")
    assert "an observation of its day" in published.source
    assert all(one.lowest <= one.highest and one.source for one in prices.observed)
