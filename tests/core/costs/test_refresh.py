"""Asking AWS for prices: what is taken from its answers, what is left out and why, and what one half failing leaves."""

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.aws import Aws, connect
from dashboard.core.costs.prices import Confidence, Extra, Kind, PriceBook
from dashboard.core.costs.refresh import plan_refresh, refresh
from dashboard.core.costs.refresh_parse import LeftOut, price
from dashboard.core.errors import AccessDenied
from tests.conftest import Embedded
from tests.core.conftest import FakeAws, Reply, refusal, write_client

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TODAY = NOW.date()


def listed(
    amount: str | None = "0.11", unit: str = "Hrs", currency: str = "USD", published: str = "2026-11-19T20:01:02Z"
) -> dict[str, Any]:
    """A product as AWS writes it."""
    dimension = {"unit": unit, "beginRange": "0", "endRange": "Inf", "pricePerUnit": {currency: amount}}
    return {
        "product": {"sku": "S", "attributes": {}},
        "publicationDate": published,
        "terms": {"OnDemand": {"S.T": {"priceDimensions": {"S.T.R": dimension}}}},
    }


def read(*products: object, unit: str = "Hrs", tiered: bool = False) -> Any:
    texts = [one if isinstance(one, str) else json.dumps(one) for one in products]
    return price(texts, unit, "h", TODAY, "AWS Pricing API", tiered=tiered)


def test_a_price_carries_the_day_of_its_list():
    found = read(listed("0.1020000000"))
    assert (found.amount, found.currency, found.date) == (Decimal("0.102"), "USD", date(2026, 11, 19))
    assert found.source == "AWS Pricing API, published 2026-11-19"
    assert found.confidence is Confidence.LISTED
    assert read(listed(published="2027-01-01T00:00:00Z")).date == TODAY  # a clock ahead of ours


def test_the_same_price_told_twice_is_one():
    assert read(listed(), listed()).amount == Decimal("0.11")


def test_of_tiers_the_first_is_taken_and_said():
    tiers = listed("0.0000166667", "Lambda-GB-Second")
    rates = tiers["terms"]["OnDemand"]["S.T"]["priceDimensions"]
    rates["S.T.Q"] = rates["S.T.R"] | {"beginRange": "6000000000", "pricePerUnit": {"USD": "0.000015"}}
    found = read(tiers, unit="Lambda-GB-Second", tiered=True)
    assert found.amount == Decimal("0.0000166667")
    assert "first tier" in found.source
    with pytest.raises(LeftOut, match="2 rates"):
        read(tiers, unit="Lambda-GB-Second")


@pytest.mark.parametrize(
    ("products", "why"),
    [
        ((), "no price"),
        ((listed("0.1"), listed("0.2")), r"2 prices for it: \$0.1, \$0.2"),
        ((listed(currency="CNY"),), "in CNY, not in USD"),
        ((listed(unit="Quantity"),), "per Quantity, not per Hrs"),
        ((listed("0.0000000000"),), "no price"),
        ((listed("-1"),), "no price"),
        ((listed("NaN"),), "no price"),
        ((listed("cheap"),), "form of a price list"),
        ((listed(None),), "form of a price list"),
        ((listed(published="soon"),), "form of a price list"),
        (("{",), "form of a price list"),
        (("[]",), "form of a price list"),
        (({"publicationDate": "2026-11-19T00:00:00Z", "terms": {"Reserved": {}}},), "no price on demand"),
        (({"terms": None},), "form of a price list"),
    ],
)
def test_what_is_not_strictly_a_price_is_left_out(products, why):
    with pytest.raises(LeftOut, match=why):
        read(*products)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["terms", "OnDemand", "priceDimensions", "publicationDate", "x"]), inner)
    ),
    max_leaves=8,
)


@given(JSON)
def test_no_answer_breaks_the_reading(answer):
    with pytest.raises(LeftOut):
        read(answer if isinstance(answer, str) else json.dumps(answer))


def test_the_plan_names_its_calls_and_asks_for_what_kennel_offers(aws: Aws):
    plan = plan_refresh(aws.account, PriceBook.load())
    wanted = {one.what for one in plan.figures}
    assert {(Kind.EC2, "c5.large"), (Kind.SAGEMAKER_TRAINING, "ml.g5.xlarge"), (Kind.ENDPOINT, "ml.m5.large"),
            (Kind.NOTEBOOK, "ml.t3.medium"), Extra.LAMBDA_PROVISIONED} <= wanted  # fmt: skip
    assert len(wanted) == len(plan.figures) < 100
    assert "us-east-1" in plan.calls[0]
    assert str(len(plan.figures)) in plan.calls[0]
    assert "DescribeSpotPriceHistory" in plan.calls[1]
    one = next(one for one in plan.figures if one.what == (Kind.ENDPOINT, "ml.m5.large"))
    assert dict(one.attributes)["usagetype"] == "USE1-Host:ml.m5.large"


def test_another_region_is_planned_and_asked_in_its_own_spot_market(fake: FakeAws, aws: Aws):
    plan = plan_refresh(aws.account, PriceBook.load(), "eu-central-1")
    assert (plan.region, plan.asked_in) == ("eu-central-1", "us-east-1")
    assert "figure of eu-central-1" in plan.calls[0]
    assert "DescribeSpotPriceHistory in eu-central-1" in plan.calls[1]
    one = next(one for one in plan.figures if one.what == (Kind.ENDPOINT, "ml.m5.large"))
    assert dict(one.attributes) == {"usagetype": "EUC1-Host:ml.m5.large", "regionCode": "eu-central-1"}
    fake.on("GetProducts", Reply({"PriceList": []}))
    fake.on("DescribeSpotPriceHistory", spot(("c5.large", "0.05", NOW)))
    made = refresh(aws, plan, lambda: NOW)
    assert (made.found.region, made.problems) == ("eu-central-1", ())
    assert aws.in_region("eu-central-1").client("ec2").meta.region_name == "eu-central-1"
    assert aws.client("ec2").meta.region_name == "us-east-1"


DENIED = Reply(
    b"<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>",
    403,
    {"Content-Type": "text/xml"},
)


def spot(*rows: tuple[str, str, datetime]) -> Reply:
    items = "".join(
        f"<item><instanceType>{kind}</instanceType><availabilityZone>us-east-1a</availabilityZone>"
        f"<spotPrice>{amount}</spotPrice><timestamp>{at:%Y-%m-%dT%H:%M:%S.000Z}</timestamp>"
        "<productDescription>Linux/UNIX</productDescription></item>"
        for kind, amount, at in rows
    )
    body = f"<DescribeSpotPriceHistoryResponse><spotPriceHistorySet>{items}</spotPriceHistorySet>"
    return Reply(f"{body}</DescribeSpotPriceHistoryResponse>".encode(), 200, {"Content-Type": "text/xml"})


def test_both_halves_are_read_and_what_is_left_out_is_said(fake: FakeAws, aws: Aws):
    def answer(asked: dict[str, Any]) -> Reply:
        told = {one["Field"]: one["Value"] for one in asked["Filters"]}
        if told.get("instanceType") == "c5.large":
            return Reply({"PriceList": [json.dumps(listed("0.0900000000"))]})
        if told.get("usagetype") == "USE1-Train:ml.c5.large":
            return Reply({"PriceList": [json.dumps(listed("0.7", currency="CNY"))]})
        return Reply({"PriceList": []})

    day = timedelta(days=1)
    fake.on("GetProducts", answer)
    fake.on(
        "DescribeSpotPriceHistory",
        lambda _: spot(
            ("c5.large", "0.0400", NOW - 40 * day), ("c5.large", "0.0500", NOW - day), ("c5.large", "0.0300", NOW),
            ("t2.micro", "-1", NOW),
        ),
    )  # fmt: skip
    made = refresh(aws, plan_refresh(aws.account, PriceBook.load()), lambda: NOW)
    assert made.problems == ()
    ((what, told),) = made.found.prices
    assert (what, told.amount) == ((Kind.EC2, "c5.large"), Decimal("0.09"))
    assert "ml.c5.large (sagemaker-training): AWS lists it in CNY, not in USD" in made.found.left_out
    assert "spot prices: 1 entry of no sensible amount" in made.found.left_out
    days = {one.day: (one.lowest, one.highest) for one in made.found.spot}
    assert len(days) == 30
    assert days[TODAY - 5 * day] == (Decimal("0.04"), Decimal("0.04"))  # nothing changed: what held before holds
    assert days[TODAY - day] == (Decimal("0.04"), Decimal("0.05"))
    assert days[TODAY] == (Decimal("0.03"), Decimal("0.05"))
    asked = Counter(operation for operation, _ in fake.calls)
    assert asked["DescribeSpotPriceHistory"] == 1


def test_without_the_permission_for_prices_spot_is_read_all_the_same(fake: FakeAws, aws: Aws):
    fake.on("GetProducts", lambda _: refusal("AccessDeniedException", "not authorized", 400))
    fake.on("DescribeSpotPriceHistory", lambda _: spot(("c5.large", "0.0400", NOW)))
    made = refresh(aws, plan_refresh(aws.account, PriceBook.load()), lambda: NOW)
    ((half, problem),) = made.problems
    assert half == "The price list"
    assert isinstance(problem, AccessDenied)
    assert "pricing:GetProducts" in str(problem)
    assert made.found.prices_at is None
    assert made.found.spot_at == NOW
    assert made.found.spot


def test_when_nothing_may_be_read_that_is_an_error(fake: FakeAws, aws: Aws):
    fake.on("GetProducts", lambda _: refusal("AccessDeniedException", "no"))
    fake.on("DescribeSpotPriceHistory", lambda _: DENIED)
    with pytest.raises(AccessDenied):
        refresh(aws, plan_refresh(aws.account, PriceBook.load()), lambda: NOW)


def test_on_the_embedded_aws_the_same_path_gives_the_shipped_figures(embedded: Embedded, tmp_path: Path):
    write_client(tmp_path, embedded.endpoint_url, access_key_id=embedded.access_key_id,
                 secret_access_key=embedded.secret_access_key)  # fmt: skip
    aws, shipped = connect({"KENNEL_HOME": str(tmp_path)}), PriceBook.load()
    made = refresh(aws, plan_refresh(aws.account, shipped), lambda: datetime.now(UTC))
    assert made.problems == ()
    told = dict(made.found.prices)
    assert told[Kind.SAGEMAKER_TRAINING, "ml.c5.2xlarge"].amount == Decimal("0.408")
    assert dict(made.found.extras)[Extra.LAMBDA_PROVISIONED].amount == Decimal("0.0000041667")
    for (kind, instance), found in told.items():
        known = shipped.price(kind, instance, "us-east-1")
        assert known is not None
        assert (found.amount, found.date) == (known.amount, known.date)
    assert {one.instance_type for one in made.found.spot} >= {"c5.large", "t2.micro"}
    assert made.found.into(shipped).prices == shipped.prices  # the same figures of the same days: nothing new
