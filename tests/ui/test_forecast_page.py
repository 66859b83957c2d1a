"""A forecast opens to what makes it, and that adds up to it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.selection import Period, Selection
from dashboard.core.costs.spend.statement import month_forecast, statement
from dashboard.ui import forecast_page, spend, spend_words
from dashboard.ui.page import Place
from tests.core.costs.receipts import HOUR, NOW, endpoint, ledger, run

NOVEMBER = Selection(Nature.SIMULATED, Period.parse("2026-11", NOW))


def stands(name: str = "dogs", each: str = "0.115"):
    return endpoint(name, NOW - HOUR, each=each)


def test_its_parts_add_up_to_it_and_each_opens_its_receipt():
    runs = [run(f"r{day}", datetime(2026, 11, day, 9, tzinfo=UTC), 1, "0.5") for day in range(1, 21)]
    held = ledger(*runs, stands(), stands("cats", "0.23"))
    coming = month_forecast(held, NOVEMBER, NOW.date())
    found = list(forecast_page.parts(coming, NOVEMBER))
    assert [what for what, *_ in found] == ["Spent so far", "cats", "dogs", "All that comes and goes"]
    assert sum(amount for _, _, amount, _, _ in found) == coming.amount
    assert found[1][3]["receipt"] == stands("cats").key
    assert found[2][1] == "SageMaker endpoints, $0.115/h for 228.0 h, unless it is stopped"
    assert "$0.50 a day, the mean of the last 20 full days, for 9.5 days" in found[3][1]


def test_one_that_a_schedule_deletes_says_when():
    coming = month_forecast(ledger(replace(stands(), ends=NOW + 2 * HOUR)), NOVEMBER, NOW.date())
    (_, (_, note, amount, _, _)) = forecast_page.parts(coming, NOVEMBER)
    assert note.endswith("$0.115/h for 2.0 h, until a schedule deletes it on 21 Nov, 14:00 UTC")
    assert amount == Decimal("0.23")


def test_the_card_says_what_stands_adds_where_there_is_no_forecast_and_opens_what_makes_it():
    made = statement(ledger(stands(), run("r", NOW - timedelta(hours=2))), NOVEMBER)
    card = next(one for one in spend.figures(made, [], []) if one.key == "spend-forecast")
    assert card.value.startswith("$26.")
    assert card.value == spend_words.forecast_value(made.forecast)
    assert card.note.startswith("if only what stands goes on: a forecast needs 3 full days")
    assert (card.place, card.query["forecast"]) == (Place.RECEIPT, "month")
    said = spend_words.adding_up_finding(made)
    assert f"so far, {card.value} by 30 November" in said
    assert said.endswith(" if only what stands goes on")


def test_without_anything_that_stands_and_too_few_days_there_is_nothing_to_open():
    made = statement(ledger(run("r", NOW - timedelta(hours=2))), NOVEMBER)
    card = next(one for one in spend.figures(made, [], []) if one.key == "spend-forecast")
    assert (card.value, card.place) == ("unknown", None)


def test_its_days_are_the_rest_and_what_stood_and_add_up():
    past = [(NOW.date() - timedelta(days=days), Decimal(amount)) for days, amount in ((3, "0.5"), (2, 0), (1, "0.25"))]
    whole = {past[0][0]: Decimal("0.7"), past[1][0]: Decimal(0), past[2][0]: Decimal("0.25")}
    said = forecast_page.table(past, whole)
    for row in (
        ("2026-11-18", "$0.500000", "$0.200000", "$0.700000"),
        ("2026-11-20", "$0.250000", "$0.000000", "$0.250000"),
        ("1 other day", "$0.000000", "$0.000000", "$0.000000"),
        ("Sum", "$0.750000", "$0.200000", "$0.950000"),
    ):
        cells = "".join(f'<td class="kn-number">{cell}</td>' for cell in row[1:])
        assert f"<tr><td>{row[0]}</td>{cells}</tr>" in said
