"""The price book against the published figures, typed here by hand."""

import json
from datetime import date
from decimal import Decimal

import pytest

from dashboard.core.costs.prices import SHIPPED, Confidence, PriceBook


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
