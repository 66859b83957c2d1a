"""Overview's card of the month: what its receipts add up to, against the budget, and the way to Spend."""

from dataclasses import replace
from datetime import datetime

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.ledger.ledger import Ledger, Share
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.selection import Period, Selection
from dashboard.core.format import count
from dashboard.ui import budget, receipt, spend_words
from dashboard.ui.page import Place
from dashboard.ui.strip import Figure


def figure(aws: Aws, ledger: Ledger, now: datetime) -> Figure:
    """The month that goes on, of one kind of money: the account's own, or the sample's while there is no other."""
    nature = ledger.usual(is_embedded=aws.account.is_embedded)
    selection = Selection(nature, Period.parse("", now))
    total = ledger.total(selection)
    budgets = state.budgets(aws).value
    stands = budget.of_month(budgets, ledger, nature, now)
    is_warning = stands is not None and stands.level.is_warning
    return Figure(
        "month",
        f"{now:%B}",
        spend_words.sum_of(total),
        ((stands.warning or stands.sentence) if stands else known(total, ledger, nature, budgets))
        + apart(ledger, selection),
        Place.COSTS,
        "Open Spend",
        receipt.of(nature),
        tone=budget.TONES[stands.level] if stands and is_warning else "",
        query=selection.query(),
    )


def apart(ledger: Ledger, selection: Selection) -> str:
    """What the sample account's come to beside it: ", the sample's $0.58 apart"; "" where there are none."""
    if selection.nature is Nature.SAMPLE:
        return ""
    sample = ledger.total(replace(selection, nature=Nature.SAMPLE))
    return f", the sample's {spend_words.sum_of(sample)} apart" if sample.receipts else ""


def known(total: Share, ledger: Ledger, nature: Nature, budgets: state.Budgets) -> str:
    """What is in the sum, and what is not: "12 receipts, 1 without a price, no budget"."""
    parts = [count(total.receipts, "receipt")]
    if total.unknown:
        parts.append(f"{total.unknown} without a price")
    if total.lacking:
        parts.append(f"{total.lacking} known in part")
    if not ledger.is_complete:
        parts.append("still reading")
    elif nature is not Nature.SAMPLE:  # which no budget counts
        parts.append("budget not checked" if budgets.problem else "no budget")
    return ", ".join(parts)
