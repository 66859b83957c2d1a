"""Spot prices: believable, of every zone, the same whenever they are asked for."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from local_aws.services import ec2_spot
from tests.conftest import Embedded
from tests.local_aws.sagemaker_world import client

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OBSERVED = {  # USD an hour in us-east-1, seen 2026-09 to 2026-11
    "c5.2xlarge": (0.130, 0.153),
    "m5.2xlarge": (0.140, 0.161),
    "g4dn.xlarge": (0.200, 0.216),
    "t2.micro": (0.0032, 0.0042),
}


@pytest.mark.parametrize("instance_type", sorted(OBSERVED))
def test_prices_stay_near_the_range_that_was_observed_and_move(instance_type: str) -> None:
    low, high = OBSERVED[instance_type]
    rows = ec2_spot.history([instance_type], ["us-east-1a"], NOW - timedelta(days=30), NOW)
    prices = [float(price) for _, _, _, price in rows]
    assert len(set(prices)) > 1
    assert all(0.93 * low < price < 1.07 * high for price in prices)
    times = [since for since, _, _, _ in rows]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("minutes", range(0, 720, 7))
def test_at_every_moment_one_price_is_in_force(minutes: int) -> None:
    at = NOW + timedelta(minutes=minutes)
    ((since, _, _, price),) = ec2_spot.history(["m5.large"], ["us-east-1a"], at, at)
    assert since <= at
    assert ec2_spot.price("m5.large", "us-east-1a", at) == price


def test_a_price_that_nobody_knows_is_not_made_up() -> None:
    assert ec2_spot.price("u-6tb1.metal", "us-east-1a", NOW) is None
    assert not ec2_spot.history(["u-6tb1.metal"], ["us-east-1a"], NOW - timedelta(days=1), NOW)


def test_the_price_of_now_is_told_for_every_zone(embedded: Embedded) -> None:
    ec2 = client(embedded, "ec2")
    now = datetime.now(UTC)
    found = ec2.describe_spot_price_history(
        InstanceTypes=["m5.large"], ProductDescriptions=["Linux/UNIX"], StartTime=now, EndTime=now
    )["SpotPriceHistory"]
    zones = {one["ZoneName"] for one in ec2.describe_availability_zones()["AvailabilityZones"]}
    assert {one["AvailabilityZone"] for one in found} == zones
    assert len(found) == len(zones)
    assert all(one["Timestamp"] <= now for one in found)
    assert all(0.3 < float(one["SpotPrice"]) / 0.096 < 0.5 for one in found)
    again = ec2.describe_spot_price_history(InstanceTypes=["m5.large"], StartTime=now, EndTime=now)
    assert again["SpotPriceHistory"] == found
    assert not ec2.describe_spot_price_history(ProductDescriptions=["Windows"])["SpotPriceHistory"]


def test_history_comes_in_pages_and_by_filter(embedded: Embedded) -> None:
    ec2 = client(embedded, "ec2")
    pages = list(
        ec2.get_paginator("describe_spot_price_history").paginate(
            Filters=[{"Name": "instance-type", "Values": ["c5.xlarge"]}],
            AvailabilityZone="us-east-1b",
            StartTime=datetime.now(UTC) - timedelta(days=10),
            PaginationConfig={"PageSize": 20},
        )
    )
    rows = [one for page in pages for one in page["SpotPriceHistory"]]
    assert len(pages) > 1
    assert {(one["InstanceType"], one["AvailabilityZone"]) for one in rows} == {("c5.xlarge", "us-east-1b")}
    assert len({one["Timestamp"] for one in rows}) == len(rows)
    dear = [{"Name": "spot-price", "Values": ["9*"]}]
    assert not ec2.describe_spot_price_history(InstanceTypes=["c5.xlarge"], Filters=dear)["SpotPriceHistory"]
    with pytest.raises(ClientError, match="Invalid availability zone"):
        ec2.describe_spot_price_history(AvailabilityZone="moon-1a")


def test_requests_that_are_not_there(embedded: Embedded) -> None:
    ec2 = client(embedded, "ec2")
    for operation in (ec2.describe_spot_instance_requests, ec2.cancel_spot_instance_requests):
        with pytest.raises(ClientError, match=r"InvalidSpotInstanceRequestID\.NotFound"):
            operation(SpotInstanceRequestIds=["sir-nothing"])
