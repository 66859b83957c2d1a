"""Prices: every figure with its source and day, what is unknown and why, and asking AWS for them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dashboard import state
from dashboard.core.costs import price_cache
from dashboard.core.costs.price_cache import Refreshed
from dashboard.core.costs.prices import Kind, Price, PriceBook
from dashboard.core.errors import AccessDenied
from local_aws.protocol import Caller
from local_aws.services.pricing import Pricing
from tests.views.conftest import Open, text
from tests.views.scripted import REAL, ScriptedAws

PRICING = Pricing(PriceBook.load)


class PricedAws(ScriptedAws):
    """An account that answers for prices too."""

    def _GetProducts(self, asked: dict[str, Any]) -> dict[str, Any]:
        return PRICING.get_products(asked, Caller("123456789012", "us-east-1", "AKIA", ""))


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("KENNEL_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def priced() -> PricedAws:
    found = PricedAws()
    found.spot = {"c5.2xlarge": "0.1400", "c5.large": "0.0400"}
    return found


def deny(aws: ScriptedAws, operation: str, action: str) -> None:
    aws.errors[operation] = AccessDenied(f"not allowed to {action}", "no policy allows it", "ask for it", action=action)


def test_every_price_has_its_source_its_day_and_how_sure_it_is(priced: PricedAws, visit: Open) -> None:
    page = visit(priced, "prices")
    assert not page.exception
    said = text(page)
    assert "us-east-1: 62 prices, 2 unknown" in said
    assert "was not asked for those of us-east-1 yet" in said
    assert "tax are not in them" in said
    table = page.dataframe[0].value
    row = table[(table["What"] == "ml.c5.2xlarge") & (table["For"] == "training")].iloc[0]
    assert (row["Price"], row["Sure"], str(row["As of"])[:10]) == ("$0.408/h", "weaker source", "2026-09-01")
    assert "weaker source" in row["Source"]
    assert row["Month"] == pytest.approx(297.84)
    assert table["Source"].all()
    assert "Spot c5.2xlarge cost $0.14/h" in said
    assert "The sources disagree" in said  # ml.inf1


def test_the_address_chooses_region_kind_words_and_month(priced: PricedAws, visit: Open) -> None:
    page = visit(priced, "prices", region="eu-west-1", q="m5", month="744", **{"for": "EC2"})
    assert not page.exception
    assert "eu-west-1: 41 prices, 19 estimates among them, 23 unknown" in text(page)
    table = page.dataframe[0].value
    assert set(table["What"]) == {"m5.large", "m5.xlarge", "m5.2xlarge"}
    assert next(iter(table["Month"])) == pytest.approx(0.107 * 744)
    assert "What spot costs in eu-west-1 is asked for by a refresh of its prices" in text(page)


def test_every_region_of_sagemaker_can_be_chosen_and_refreshed(priced: PricedAws, visit: Open, own_home: Path) -> None:
    page = visit(priced, "prices", region="eu-central-1")
    assert not page.exception
    assert "eu-central-1: no price is known" in text(page)
    assert "No price of eu-central-1 is known here." in text(page)
    assert "the embedded AWS has those alone" in text(page)
    offered = page.selectbox(key="region").options
    assert offered[:4] == ["us-east-1", "ap-northeast-1", "ap-south-1", "eu-west-1"]  # the shipped ones first
    assert len(offered) > 25
    page.button(key="refresh-prices").click().run()
    said = text(page)
    assert "one for each figure of eu-central-1" in said
    assert "The embedded AWS answers from the shipped prices, and has none of eu-central-1" in said
    page.button(key="confirm-do").click().run()
    assert not page.exception
    asked = [{one["Field"]: one["Value"] for one in call["Filters"]} for call in priced.asked("GetProducts")]
    assert {told["regionCode"] for told in asked} == {"eu-central-1"}
    assert priced.asked("in_region") == [{"region": "eu-central-1"}]
    kept, _ = price_cache.read(price_cache.file(own_home, "eu-central-1", is_embedded=True))
    assert kept is not None
    assert kept.spot
    assert "Spot c5.2xlarge cost $0.14/h" in text(page)
    assert "all zones of eu-central-1" in text(page)


def test_what_is_not_there_is_said(priced: PricedAws, visit: Open) -> None:
    page = visit(priced, "prices", q="no such thing")
    assert not page.exception
    assert "No price fits." in text(page)


def test_a_refresh_is_planned_confirmed_and_kept(priced: PricedAws, visit: Open, own_home: Path) -> None:
    page = visit(priced, "prices")
    assert priced.asked("GetProducts") == []
    page.button(key="refresh-prices").click().run()
    said = text(page)
    assert "pricing GetProducts in us-east-1" in said
    assert "free of charge" in said
    assert "pricing:GetProducts and ec2:DescribeSpotPriceHistory" in said
    assert priced.asked("GetProducts") == []  # a plan asks nothing
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert len(priced.asked("GetProducts")) > 40
    assert "told just now" in text(page)
    kept, problem = price_cache.read(price_cache.file(own_home, "us-east-1", is_embedded=True))
    assert problem == ""
    assert kept is not None
    assert len(kept.prices) > 30
    what = ("ec2", "c5.large", "us-east-1")
    assert state.prices().price(*what) == PriceBook.load().price(*what)


def test_without_the_permission_the_shipped_prices_stay(priced: PricedAws, visit: Open, own_home: Path) -> None:
    deny(priced, "GetProducts", "pricing:GetProducts")
    deny(priced, "DescribeSpotPriceHistory", "ec2:DescribeSpotPriceHistory")
    page = visit(priced, "prices")
    assert not page.exception
    assert "us-east-1: 62 prices" in text(page)
    assert "Not checked: not allowed to ec2:DescribeSpotPriceHistory" in text(page)
    page.button(key="refresh-prices").click().run()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert "Not allowed to pricing:GetProducts" in text(page) or "not allowed to pricing:GetProducts" in text(page)
    assert "us-east-1: 62 prices" in text(page)
    assert not (own_home / "prices").exists()


def test_half_of_a_refresh_is_kept_and_the_other_half_is_said(priced: PricedAws, visit: Open) -> None:
    deny(priced, "GetProducts", "pricing:GetProducts")
    page = visit(priced, "prices")
    page.button(key="refresh-prices").click().run()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    said = text(page)
    assert "was not asked for those of us-east-1 yet" in said
    assert "The price list could not be read: not allowed to pricing:GetProducts" in said


def test_a_broken_file_is_said_and_the_shipped_prices_are_shown(priced: PricedAws, visit: Open, own_home: Path) -> None:
    file = price_cache.file(own_home, "us-east-1", is_embedded=True)
    file.parent.mkdir()
    file.write_text('{"version": 1, "prices": 7}')
    page = visit(priced, "prices")
    assert not page.exception
    assert "embedded-us-east-1.json.broken made no sense and was set aside" in text(page)
    assert "us-east-1: 62 prices" in text(page)


def test_a_real_account_in_a_region_without_prices_says_so(visit: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KENNEL_AWS_PROFILE", "work")
    account = PricedAws(REAL.__class__("work", "sa-east-1", "210987654321", False, False))
    page = visit(account, "prices")
    assert not page.exception
    said = text(page)
    assert "sa-east-1: no price is known" in said
    assert "Refresh prices asks AWS for them, free of charge." in said
    assert "AWS was not asked for those of sa-east-1 yet" in said


def test_refreshed_prices_count_from_the_next_look_on(
    priced: PricedAws, visit: Open, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit(priced, "prices")
    before = state.prices()
    assert state.prices() is before  # nothing changed: nothing is counted anew
    newer = Price(Decimal("9"), "USD", "AWS Pricing API, published 2026-11-20", date(2026, 11, 20))
    kept = Refreshed("us-east-1", datetime.now(UTC), prices=(((Kind.EC2, "c5.large"), newer),))
    price_cache.write(price_cache.file(own_home, "us-east-1", is_embedded=False), kept)
    assert state.prices() is before  # those of real accounts are not the embedded AWS's
    price_cache.write(price_cache.file(own_home, "us-east-1", is_embedded=True), kept)
    assert state.prices().price(Kind.EC2, "c5.large", "us-east-1") == newer
    monkeypatch.setenv("KENNEL_AWS_PROFILE", "work")
    assert state.prices().price(Kind.EC2, "c5.large", "us-east-1") == newer


def test_a_price_that_changed_shows_what_it_was(priced: PricedAws, visit: Open, own_home: Path) -> None:
    newer = Price(Decimal("9"), "USD", "AWS Pricing API, published 2026-11-20", date(2026, 11, 20))
    kept = Refreshed("us-east-1", datetime.now(UTC), prices=(((Kind.EC2, "c5.large"), newer),), left_out=("x: y",))
    price_cache.write(price_cache.file(own_home, "us-east-1", is_embedded=True), kept)
    page = visit(priced, "prices")
    assert not page.exception
    said = text(page)
    assert "Prices that changed" in said
    assert "$0.085/h" in said
    assert "$9.00/h" in said
    assert "x: y." in said


def test_an_address_of_a_region_without_prices_says_so_in_a_line(priced: PricedAws, visit: Open) -> None:
    said = text(visit(priced, "prices", region="xx-nowhere-1"))
    assert "The address asks for the region xx-nowhere-1, which is not known here" in said
    assert "The address asks" not in text(visit(priced, "prices", region="us-east-1"))
