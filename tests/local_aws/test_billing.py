"""The bill: list price × use, by hand; cut into days without a cent lost; tags count from their activation on."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from dashboard.core.costs.prices import Extra, Kind, Price, PriceBook
from local_aws.services import ec2_spot
from local_aws.services.billing import Bill, Item
from local_aws.services.billing_journal import Journal, Usage, Used
from local_aws.services.billing_tags import CostTags
from local_aws.store import Store

DAY = 86400.0
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp()
MIDNIGHT = datetime(2026, 3, 11, tzinfo=UTC).timestamp()


def price(amount: str, per: str = "h") -> Price:
    return Price(Decimal(amount), "USD", "a test", date(2026, 1, 1), per=per)


BOOK = PriceBook(
    {
        (Kind.SAGEMAKER_TRAINING, "ml.m5.large", "us-east-1"): (price("0.115"),),
        (Kind.ENDPOINT, "ml.m5.large", "us-east-1"): (price("0.115"),),
        (Kind.EC2, "m5.large", "us-east-1"): (price("0.096"),),
    },
    {},
    "",
    date(2026, 1, 1),
    {},
    extras={
        (Extra.GP3, "us-east-1"): (price("0.08", "GB-month"),),
        (Extra.PUBLIC_IPV4, "us-east-1"): (price("0.005"),),
        (Extra.SERVERLESS_3GB, "us-east-1"): (price("0.00006", "s"),),
    },
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def journal(store: Store) -> Journal:
    return Journal(store)


def bill_of(store: Store, journal: Journal, now: float = NOON + 30 * DAY) -> Bill:
    return Bill(journal, CostTags(store), prices=lambda: BOOK, now=lambda: now)


def all_of(bill: Bill, *cuts: float) -> list[Item]:
    return list(bill.items(NOON - 400 * DAY, NOON + 400 * DAY, cuts))


def test_a_training_costs_its_billable_seconds_on_each_instance(store: Store, journal: Journal) -> None:
    journal.add(Usage(Used.TRAINING, "t", "us-east-1", NOON, "ml.m5.large", 2, NOON + 663, seconds=331))
    (item,) = all_of(bill_of(store, journal))
    assert item.quantity == Decimal(662) / 3600
    assert item.amount == Decimal("0.115") * 662 / 3600
    assert (item.service, item.usage_type, item.unit) == ("Amazon SageMaker", "USE1-Train:ml.m5.large", "Hrs")


def test_what_ended_before_it_began_is_a_moment_and_not_less_than_nothing(store: Store, journal: Journal) -> None:
    journal.add(Usage(Used.ENDPOINT, "e", "us-east-1", NOON, "ml.m5.large", 1, NOON - 10))
    assert all(item.quantity == 0 == item.amount for item in all_of(bill_of(store, journal)))
    journal.add(Usage(Used.TRAINING, "t", "us-east-1", NOON, "ml.m5.large", 1, NOON, seconds=1))
    total = sum(item.amount or Decimal(0) for item in all_of(bill_of(store, journal)))
    assert abs(total - Decimal("0.115") / 3600) < Decimal("1E-20")


def test_an_endpoint_costs_until_now_while_it_serves(store: Store, journal: Journal) -> None:
    journal.there("e", [Usage(Used.ENDPOINT, "e", "us-east-1", NOON, "ml.m5.large", 3)], NOON)
    (item,) = all_of(bill_of(store, journal, NOON + 7200))
    assert item.amount == Decimal("0.69")  # 3 × 2 h × 0.115


def test_a_serverless_variant_costs_the_seconds_that_it_answered(store: Store, journal: Journal) -> None:
    for number, memory in enumerate(("3072", "1024")):
        thing = f"arn:aws:sagemaker:us-east-1:1:endpoint/e/{number}"
        usage = Usage(Used.SERVERLESS, thing, "us-east-1", NOON, memory, ended=NOON + 60, seconds=12.5)
        journal.add(usage)
    three, one = all_of(bill_of(store, journal))
    assert (three.quantity, three.unit, three.amount) == (Decimal("12.5"), "Seconds", Decimal("0.00075"))
    assert three.usage_type == "USE1-ServerlessInf:Mem-3GB"
    assert (one.quantity, one.amount) == (Decimal("12.5"), None), "the book knows the price of 3 GB only"


def test_the_parts_of_a_cut_interval_add_up_to_it(store: Store, journal: Journal) -> None:
    journal.add(Usage(Used.TRAINING, "t", "us-east-1", MIDNIGHT - 1000, "ml.m5.large", 1, MIDNIGHT + 2000, seconds=777))
    before, after = all_of(bill_of(store, journal), MIDNIGHT)
    assert (before.amount or 0) + (after.amount or 0) == pytest.approx(
        Decimal("0.115") * 777 / 3600, abs=Decimal("1e-20")
    )
    assert after.quantity == before.quantity * 2


def test_instances_volumes_and_addresses(store: Store, journal: Journal) -> None:
    journal.there(
        "ec2/us-east-1",
        [
            Usage(Used.INSTANCE, "i", "us-east-1", NOON, "m5.large"),
            Usage(Used.VOLUME, "v", "us-east-1", NOON, "gp3", 100),
            Usage(Used.ADDRESS, "a", "us-east-1", NOON, detail="InUseAddress"),
        ],
        NOON,
    )
    items = {item.usage_type: item for item in all_of(bill_of(store, journal, NOON + 3600))}
    assert items["BoxUsage:m5.large"].amount == Decimal("0.096")
    assert items["BoxUsage:m5.large"].purchase == "On Demand Instances"
    assert items["USE1-PublicIPv4:InUseAddress"].amount == Decimal("0.005")
    # 100 GB for one of March's 744 hours
    assert items["EBS:VolumeUsage.gp3"].amount == Decimal("0.08") * (Decimal(3600) / (744 * 3600) * 100)
    assert {item.service for item in items.values()} == {
        "Amazon Elastic Compute Cloud - Compute",
        "Amazon Virtual Private Cloud",
        "EC2 - Other",
    }


def test_a_gigabyte_for_a_whole_month_is_one_gigabyte_month_whatever_its_length(store: Store, journal: Journal) -> None:
    february, march = (datetime(2026, month, 1, tzinfo=UTC).timestamp() for month in (2, 3))
    journal.there("ec2", [Usage(Used.VOLUME, "v", "us-east-1", february, "gp3", 1)], february)
    (item,) = all_of(bill_of(store, journal, march))
    assert (item.quantity, item.amount) == (1, Decimal("0.08"))


def test_a_spot_instance_costs_each_hour_the_price_at_its_beginning(store: Store, journal: Journal) -> None:
    began = NOON + 1200
    spot = Usage(Used.INSTANCE, "i", "us-east-1", began, "m5.large", spot_zone="us-east-1a")
    journal.there("ec2", [spot], began)
    (item,) = all_of(bill_of(store, journal, began + 5400))
    paid = [
        ec2_spot.price("m5.large", "us-east-1a", datetime.fromtimestamp(began + hour * 3600, UTC)) for hour in (0, 1)
    ]
    assert paid[0] is not None
    assert paid[1] is not None
    assert item.amount == pytest.approx(paid[0] + paid[1] / 2, abs=Decimal("1e-20"))
    assert (item.usage_type, item.purchase) == ("SpotUsage:m5.large", "Spot Instances")


def test_what_has_no_price_has_a_quantity_and_no_amount(store: Store, journal: Journal) -> None:
    journal.add(Usage(Used.TRAINING, "t", "us-east-1", NOON, "ml.inf1.xlarge", 1, NOON + 3600))
    bill = bill_of(store, journal)
    (item,) = all_of(bill)
    assert (item.quantity, item.amount) == (1, None)
    assert bill.spent(datetime.fromtimestamp(NOON - 1, UTC), datetime.fromtimestamp(NOON + DAY, UTC)) == 0


def test_a_request_is_one_moment(store: Store, journal: Journal) -> None:
    journal.add(Usage(Used.REQUEST, "r", "us-east-1", NOON, ended=NOON))
    bill = bill_of(store, journal)
    assert [item.amount for item in bill.items(NOON, NOON + 1)] == [Decimal("0.01")]
    assert list(bill.items(NOON - 5, NOON)) == []
    assert list(bill.items(NOON + 1, NOON + 5)) == []


def test_a_tag_counts_while_it_is_active(store: Store, journal: Journal) -> None:
    tags = CostTags(store)
    journal.there("e", [Usage(Used.ENDPOINT, "e", "us-east-1", NOON, "ml.m5.large", tags={"project": "dogs"})], NOON)
    bill = bill_of(store, journal, NOON + 4 * 3600)
    assert [item.tags for item in all_of(bill)] == [{}]
    tags.set("project", active=True, now=NOON + 3600)
    tags.set("project", active=True, now=NOON + 5000)  # is so already
    tags.set("project", active=False, now=NOON + 3 * 3600)
    found = all_of(bill)
    assert [(item.tags, item.quantity) for item in found] == [({}, 1), ({"project": "dogs"}, 2), ({}, 1)]
    span = datetime.fromtimestamp(NOON, UTC), datetime.fromtimestamp(NOON + DAY, UTC)
    assert bill.spent(*span, lambda item: item.tags.get("project") == "dogs") == Decimal("0.23")
    assert bill.spent(*span) == Decimal("0.46")


def test_only_what_lies_in_the_time_asked_for_is_counted(store: Store, journal: Journal) -> None:
    journal.there("e", [Usage(Used.ENDPOINT, "e", "us-east-1", NOON, "ml.m5.large")], NOON)
    bill = bill_of(store, journal)
    (item,) = bill.items(NOON + 3600, NOON + 7200)
    assert item.quantity == 1
    assert list(bill.items(NOON - 7200, NOON)) == []


@pytest.mark.parametrize(
    ("region", "training", "instance"),
    [
        ("us-east-1", "USE1-Train:x", "BoxUsage:x"),
        ("eu-west-1", "EU-Train:x", "EU-BoxUsage:x"),
        ("ap-northeast-1", "APN1-Train:x", "APN1-BoxUsage:x"),
    ],
)
def test_usage_types_carry_their_region(
    store: Store, journal: Journal, region: str, training: str, instance: str
) -> None:
    journal.add(Usage(Used.TRAINING, "t", region, NOON, "x", 1, NOON + 60))
    journal.add(Usage(Used.INSTANCE, "i", region, NOON, "x", 1, NOON + 60))
    assert {item.usage_type for item in all_of(bill_of(store, journal))} == {training, instance}
