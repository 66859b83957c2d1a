"""EC2's cost against AWS's published rules, worked out by hand."""

from datetime import date
from decimal import Decimal

from dashboard.core.costs.ec2 import ec2_quote
from dashboard.core.costs.prices import Price


def test_an_hour_with_its_volume_and_address(prices):
    made = ec2_quote(prices, "m5.large", "us-east-1", seconds=3600, volume_gb=73, basis="the time limit")
    # 0.096 for the instance, 73 GB × 0.08 / 730 h = 0.008 for the volume, 0.005 for the address
    assert made.amount == Decimal("0.109")
    assert made.unit_price == Decimal("0.096")
    assert made.basis == "the time limit, with 73 GB gp3 and a public address"


def test_a_minute_is_billed_at_least(prices):
    short = ec2_quote(prices, "t2.micro", "us-east-1", seconds=5)
    assert short.seconds == 60
    assert short.amount == ec2_quote(prices, "t2.micro", "us-east-1", seconds=60).amount


def test_what_has_no_price_is_said_to_be_missing(prices):
    made = ec2_quote(prices, "m5.large", "ap-south-1", seconds=3600, volume_gb=30)
    assert made.amount == Decimal("0.101")
    assert made.basis == "without 30 GB gp3 and a public address (no price in ap-south-1)"


def test_spot_counts_with_its_own_price(prices):
    spot = Price(Decimal("0.14"), "USD", "EC2's spot price in us-east-1a", date(2026, 11, 21))
    made = ec2_quote(prices, "c5.2xlarge", "us-east-1", seconds=3600, spot=spot)
    assert made.amount == Decimal("0.145")
    assert made.source == "EC2's spot price in us-east-1a"


def test_unknown_stays_unknown(prices):
    assert (
        "no completed run"
        in ec2_quote(prices, "m5.large", "us-east-1", seconds=None, why_unknown="no completed run").why_unknown
    )
    strange = ec2_quote(prices, "m7i.large", "us-east-1", seconds=10)
    assert strange.amount is None
    assert "m7i.large" in strange.why_unknown
