"""What to do is said with its dollars a day and its evidence, of one nature of money."""

from dataclasses import replace
from decimal import Decimal

from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.costs.receipt import Nature, Receipt
from dashboard.core.costs.selection import Period
from dashboard.core.costs.spend.forecast import Forecast, forecast
from dashboard.core.costs.waste.waste import Evidence, Finding, Kind, Sweep, Thing
from dashboard.core.errors import ServiceFault
from dashboard.ui import spend_todo, spend_words
from dashboard.ui.page import Place
from tests.core.costs.receipts import HOUR, NOW, endpoint, line, run


def waste(name: str, each: str | None, nature: Nature = Nature.SIMULATED) -> Finding:
    evidence = (Evidence("no request in the last 24 h", "CloudWatch Invocations"),)
    lines = (line(NOW, NOW + 24 * HOUR, each),)
    return Finding(Kind.IDLE_ENDPOINT, Thing.ENDPOINT, name, nature, evidence, lines)


def test_the_card_sums_one_nature_and_leads_to_waste():
    sweep = Sweep((waste("a", "0.5"), waste("b", "0.25"), waste("c", "9", Nature.SAMPLE)), NOW)
    (card,) = spend_todo.figures(sweep, Nature.SIMULATED)
    assert (card.value, card.note) == ("$18.00", "2 things nobody uses")
    assert card.place is Place.WASTE
    assert card.query == {"of": "simulated"}


def test_no_waste_is_nought_and_says_what_was_not_checked():
    sweep = Sweep((), NOW, unread=(Unread("notebooks", ServiceFault("not there")),))
    (card,) = spend_todo.figures(sweep, Nature.SIMULATED)
    assert (card.value, card.note) == ("$0.00", "nothing found, 1 part not checked")


def test_waste_without_any_price_is_unknown_and_not_nought():
    (card,) = spend_todo.figures(Sweep((waste("a", None),), NOW), Nature.SIMULATED)
    assert card.value == "unknown"
    assert "at an unknown price" in spend_todo.finding(waste("a", None))


def test_a_finding_says_its_dollars_a_day_and_its_evidence():
    said = spend_todo.finding(waste("<b>old</b>", "0.115"))
    for words in ("$2.76 a day", "endpoint &lt;b&gt;old", "nobody asks it", "No request in the last 24 h"):
        assert words in said
    assert Decimal("2.76") == waste("a", "0.115").per_day


def coming(*receipts: Receipt) -> Forecast:
    return forecast([(one, one.by_day()) for one in receipts], Period.month(NOW.date()), NOW)


def test_what_a_schedule_deletes_is_no_advice_any_more():
    when = NOW + HOUR
    by_sweep, by_ledger = replace(waste("a", "0.5"), scheduled=when), replace(waste("b", "0.5"), receipt="endpoint:b@1")
    stands = replace(endpoint("b", NOW - HOUR), key="endpoint:b@1", ends=when)
    ending = spend_todo.going([by_sweep, by_ledger, waste("c", "1")], coming(stands))
    assert list(ending.values()) == [("a", when), ("b", when)]
    assert spend_todo.moment(when) == "21 November, 13:00 UTC"
    (card,) = spend_todo.figures(Sweep((by_sweep, waste("c", "1")), NOW), Nature.SIMULATED)
    assert card.note == "2 things nobody uses, 1 of them ends by a schedule"


def test_what_most_of_the_month_to_come_is_for_is_named():
    small, dear = endpoint("small", NOW - HOUR, each="0.01"), endpoint("<i>dear", NOW - HOUR, each="0.5")
    month = coming(small, dear)
    stands = spend_todo.standing(month, [])
    assert stands is not None
    said = spend_todo.stands_line(stands, month)
    assert "$114.00 until 30 November" in said
    assert "&lt;i&gt;dear, which stands at $0.50/h" in said
    assert spend_todo.standing(month, [replace(waste("dear", "0.5"), receipt=dear.key)]) is None  # told of already
    assert spend_todo.standing(coming(small, replace(dear, ends=NOW + 200 * HOUR)), []) is None
    assert spend_todo.standing(coming(run("r", NOW - 2 * HOUR)), []) is None
    assert spend_todo.standing(None, []) is None


def test_what_is_wanted_for_a_day_is_not_forecast_for_a_month_without_a_word():
    wanted = NOW + 24 * HOUR
    month = coming(replace(endpoint("demo", NOW - HOUR, each="0.1"), wanted=wanted))
    stands = spend_todo.standing(month, [])
    assert stands is not None
    said = spend_todo.stands_line(stands, month)
    assert "$22.80 until 30 November" in said
    assert "It is wanted until 22 November, 12:00 UTC, $2.40 from now; nothing deletes it then by itself." in said
    assert month.unwanted == Decimal("20.4")
    assert "$20.40 of it longer than wanted" in month.method
    assert spend_words.forecast_note(month).startswith("if only what stands goes on, $20.40 of it longer than wanted: ")
    late = coming(replace(endpoint("late", NOW - HOUR, each="0.1"), wanted=NOW - HOUR))
    assert "It was wanted until 21 November, 11:00 UTC;" in spend_todo.wish(late.things[0], late)
    whole = coming(replace(endpoint("long", NOW - HOUR), wanted=NOW + 9999 * HOUR))
    assert spend_todo.wish(whole.things[0], whole) == ""
    assert not whole.unwanted
    ends = coming(replace(endpoint("ends", NOW - HOUR), wanted=wanted, ends=wanted))
    assert not ends.unwanted
