"""The price book of a region as a list: complete, found by its words, with what is unknown and why."""

from datetime import date
from decimal import Decimal

import pytest

from dashboard.core.costs.price_table import Group, Row, regions, rows, unknown
from dashboard.core.costs.prices import Extra, Kind, Price, PriceBook

BOOK = PriceBook.load()


def found(group: Group, name: str, region: str = "us-east-1", book: PriceBook = BOOK) -> Row:
    (row,) = [row for row in rows(book, region) if (row.group, row.name) == (group, name)]
    return row


def test_everything_that_has_a_price_somewhere_stands_once():
    for region in ("us-east-1", "ap-northeast-1"):
        names = [(row.group, row.name) for row in rows(BOOK, region)]
        assert len(names) == len(set(names))
        assert (Group.EC2, "c5.large") in names
        assert (Group.LAMBDA, Extra.LAMBDA_PROVISIONED.word) in names
        assert (Group.OTHER, Extra.ML_STORAGE.word) in names


def test_what_a_region_has_no_price_of_is_said_with_why():
    missing = found(Group.EC2, "g5.xlarge", "eu-west-1")
    assert missing.why_unknown == "no price for g5.xlarge in eu-west-1 in the price book"
    assert found(Group.TRAINING, "ml.inf1, every size").why_unknown == "no price: the sources disagree"
    nothing = unknown(rows(BOOK, "mars-north-1"))
    assert nothing == list(rows(BOOK, "mars-north-1"))
    assert all(row.why_unknown and row.month(Decimal(730)) is None for row in nothing)
    assert all(row.why_unknown == "" for row in rows(BOOK, "us-east-1") if row.price is not None)


def test_a_month_has_the_hours_that_are_chosen():
    row = found(Group.EC2, "c5.large")
    assert row.month(Decimal(730)) == Decimal("62.05")
    assert row.month(Decimal(744)) == Decimal("63.24")
    assert found(Group.LAMBDA, Extra.LAMBDA_REQUEST.word).month(Decimal(744)) is None


@pytest.mark.parametrize("text", ["", "C5.LARGE", "ec2 c5.large", "on-demand linux"])
def test_a_row_is_found_by_any_of_its_words(text):
    assert found(Group.EC2, "c5.large").says(text)
    assert not found(Group.EC2, "c5.large").says(f"{text} t2.micro")


def test_estimates_and_weaker_sources_are_found_by_that():
    assert found(Group.EC2, "m5.large", "eu-west-1").says("estimate")
    assert found(Group.TRAINING, "ml.c5.2xlarge").says("weaker source")


def test_small_instances_come_before_large_ones_of_their_family():
    names = [row.name for row in rows(BOOK, "us-east-1") if row.group is Group.EC2 and row.name.startswith("c5")]
    assert names == ["c5.large", "c5.xlarge", "c5.2xlarge"]


def test_a_price_that_changed_keeps_what_it_was():
    newer = Price(Decimal("0.09"), "USD", "AWS Pricing API", date(2026, 11, 20))
    row = found(Group.EC2, "c5.large", book=BOOK.with_prices([((Kind.EC2, "c5.large", "us-east-1"), newer)]))
    assert row.price == newer
    assert [price.amount for price in row.before] == [Decimal("0.085")]
    assert found(Group.EC2, "c5.large").before == ()


def test_the_accounts_region_comes_first_even_without_a_price():
    assert regions(BOOK, "sa-east-1")[0] == "sa-east-1"
    shipped = ["us-east-1", "ap-northeast-1", "ap-south-1", "eu-west-1"]
    assert regions(BOOK, "us-east-1") == shipped
    others = ("us-west-2", "us-east-1", "eu-central-1", "eu-west-1")
    assert regions(BOOK, "us-east-1", others) == [*shipped, "eu-central-1", "us-west-2"]
