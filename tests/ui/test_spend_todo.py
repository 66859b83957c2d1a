"""What to do is said with its dollars a day and its evidence, of one nature of money."""

from decimal import Decimal

from dashboard.core.costs.ledger import Unread
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.waste import Evidence, Finding, Kind, Sweep, Thing
from dashboard.core.errors import ServiceFault
from dashboard.ui import spend_todo
from dashboard.ui.page import Place
from tests.core.costs.receipts import HOUR, NOW, line


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
