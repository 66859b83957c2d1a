"""Prices that were refreshed outlive the process, and a broken file is never mistaken for prices."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from dashboard.core.costs import price_cache
from dashboard.core.costs.price_cache import Refreshed, SpotDay
from dashboard.core.costs.prices import Confidence, Extra, Kind, Price, PriceBook

AT = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
DAY = date(2026, 11, 20)


def listed(amount: str, day: date = DAY, per: str = "h") -> Price:
    return Price(Decimal(amount), "USD", "AWS Pricing API", day, Confidence.LISTED, per)


KEPT = Refreshed(
    "eu-west-1",
    AT,
    spot_at=AT,
    prices=(((Kind.EC2, "c5.large"), listed("0.0971")), ((Kind.ENDPOINT, "ml.c5.large"), listed("0.116"))),
    extras=((Extra.LAMBDA_REQUEST, listed("0.0000002", per="request")),),
    spot=(SpotDay("c5.large", DAY, Decimal("0.0412"), Decimal("0.0433")),),
    left_out=("ml.g5.xlarge: two prices",),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return price_cache.file(tmp_path, "eu-west-1", is_embedded=False)


def test_what_is_written_is_read_to_the_digit(path: Path):
    price_cache.write(path, KEPT)
    assert price_cache.read(path) == (KEPT, "")
    assert [one.name for one in path.parent.iterdir()] == ["eu-west-1.json"]  # nothing half-written lies beside it


def test_where_nothing_was_refreshed_nothing_is_kept_and_nothing_is_wrong(path: Path):
    assert price_cache.read(path) == (None, "")


def test_the_embedded_aws_has_a_file_of_its_own(tmp_path: Path):
    real, own = (price_cache.file(tmp_path, "eu-west-1", is_embedded=embedded) for embedded in (False, True))
    assert real != own


def changed(**members: object) -> str:
    empty: dict[str, object] = {"prices": [], "extras": [], "spot": [], "left_out": []}
    moments = {"prices_at": AT.isoformat(), "spot_at": None}
    return json.dumps({"version": 1, "region": "x"} | moments | empty | members)


ROW = {"kind": "ec2", "instance": "c5.large", "amount": "0.1", "currency": "USD", "source": "s", "date": "2026-11-20",
       "confidence": "listed", "per": "h"}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", '{"version": 1}', changed(version=2), changed(prices_at="2026-11-21T12:00:00"),
        changed(spot_at=5), changed(prices=[ROW | {"amount": "-1"}]), changed(prices=[ROW | {"amount": "NaN"}]),
        changed(prices=[ROW | {"amount": "a lot"}]), changed(prices=[ROW | {"kind": "gpu"}]),
        changed(prices=[ROW | {"date": "yesterday"}]), changed(spot=[["c5.large", "2026-11-20", "x", "y"]]),
        changed(spot=[["c5.large"]]), changed(extras=[{"what": "gold"}]),
    ],
)  # fmt: skip
def test_a_broken_file_is_said_and_set_aside(path: Path, text: str):
    path.parent.mkdir()
    path.write_text(text)
    kept, problem = price_cache.read(path)
    assert kept is None
    assert "made no sense" in problem
    assert not path.exists()
    assert path.with_name("eu-west-1.json.broken").read_text() == text
    assert price_cache.read(path) == (None, "")


def test_a_row_of_the_file_that_makes_sense_is_read(path: Path):
    path.parent.mkdir()
    path.write_text(changed(prices=[ROW]))
    kept, problem = price_cache.read(path)
    assert problem == ""
    assert kept is not None
    assert kept.prices[0][1].amount == Decimal("0.1")


def test_a_failed_write_leaves_what_was_there(path: Path, monkeypatch: pytest.MonkeyPatch):
    price_cache.write(path, KEPT)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        price_cache.write(path, Refreshed("eu-west-1", AT))
    assert price_cache.read(path)[0] == KEPT
    assert len(list(path.parent.iterdir())) == 1


def test_a_later_reading_keeps_the_history(path: Path):
    later = date(2026, 12, 1)
    again = Refreshed(
        "eu-west-1",
        datetime(2026, 12, 1, tzinfo=UTC),
        prices=(((Kind.EC2, "c5.large"), listed("0.1", later)),),
        spot=(
            SpotDay("c5.large", DAY, Decimal("0.04"), Decimal("0.05")),
            SpotDay("c5.large", later, Decimal("0.03"), Decimal("0.04")),
        ),
    ).after(KEPT)
    book = again.into(PriceBook.load())
    assert book.price(Kind.EC2, "c5.large", "eu-west-1", datetime(2026, 11, 25, tzinfo=UTC)) == listed("0.0971")
    assert book.price(Kind.EC2, "c5.large", "eu-west-1") == listed("0.1", later)
    assert book.price(Kind.ENDPOINT, "ml.c5.large", "eu-west-1") == listed("0.116")  # AWS was not asked again
    assert [(one.day, one.lowest) for one in again.spot] == [(DAY, Decimal("0.04")), (later, Decimal("0.03"))]
    assert again.left_out == ()


def test_prices_of_one_region_are_not_those_of_another(path: Path):
    book = KEPT.into(PriceBook.load())
    assert book.price(Kind.EC2, "c5.large", "us-east-1").amount == Decimal("0.085")
    assert book.beside(Extra.LAMBDA_REQUEST, "eu-west-1").amount == Decimal("0.0000002")


WEAK = (Kind.ENDPOINT, "ml.c5.2xlarge")  # $0.408 from a weaker source, collected in September 2026


@pytest.mark.parametrize(
    ("published", "day", "amount"),
    [
        (date(2026, 6, 1), date(2026, 11, 21), "0.45"),  # AWS's list is of June, and what it said on 21 November
        (date(2026, 6, 1), date(2026, 9, 15), "0.45"),
        (date(2026, 6, 1), date(2026, 5, 1), "0.45"),  # the first that is known
        (date(2026, 11, 20), date(2026, 9, 15), "0.408"),
        (date(2026, 11, 20), date(2026, 11, 21), "0.45"),
    ],
)
def test_what_aws_told_last_holds_since_it_was_published(published: date, day: date, amount: str):
    told = Refreshed("us-east-1", AT, prices=((WEAK, listed("0.45", published)),))
    book = told.into(PriceBook.load())
    found = book.price(*WEAK, "us-east-1", day)
    assert found is not None
    assert found.amount == Decimal(amount)
    newest = book.price(*WEAK, "us-east-1")
    assert newest is not None
    assert newest.source == "AWS Pricing API"


def test_a_book_that_is_newer_than_what_aws_told_stands():
    shipped = PriceBook.load().with_prices([((*WEAK, "us-east-1"), listed("0.5", date(2026, 12, 24)))])
    book = Refreshed("us-east-1", AT, prices=((WEAK, listed("0.45", date(2026, 6, 1))),)).into(shipped)
    assert [one.amount for one in book.prices[*WEAK, "us-east-1"]] == [Decimal("0.45"), Decimal("0.5")]
