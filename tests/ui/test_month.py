"""Overview's card of the month names the other kind of money, which it never adds."""

from datetime import timedelta

from dashboard.core.costs.ledger.ledger import Ledger
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.selection import Period, Selection
from dashboard.ui import month
from tests.core.costs.receipts import HOUR, NOW, ledger, run


def selection(nature: Nature) -> Selection:
    return Selection(nature, Period.parse("", NOW))


def both() -> Ledger:
    begun = NOW - timedelta(hours=3)
    return ledger(run("own", begun, each="0.36"), run("example", begun - HOUR, each="0.58", nature=Nature.SAMPLE))


def test_beside_ones_own_money_the_samples_is_named() -> None:
    assert month.apart(both(), selection(Nature.SIMULATED)) == ", the sample's $0.58 apart"


def test_the_samples_card_and_an_account_without_samples_name_no_other() -> None:
    assert month.apart(both(), selection(Nature.SAMPLE)) == ""
    assert month.apart(ledger(run("own", NOW - HOUR)), selection(Nature.SIMULATED)) == ""
