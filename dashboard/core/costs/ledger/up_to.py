"""What receipts came to by an earlier moment: what goes on is cut there, what came later is left out. Pure.

A bill is of the moment at which AWS was asked for it, and so is the list price that it is held against.
"""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from dashboard.core.costs.ledger.ledger import Ledger
from dashboard.core.costs.receipt import MOMENT, Line, Receipt

PARAMETER = "until"
"""What the moment is called in a page's address."""


def parse(text: str) -> datetime | None:
    """The moment that an address asks for, None for no moment."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo is not None else None


def query(at: datetime) -> dict[str, str]:
    """The part of an address that asks for a moment."""
    return {PARAMETER: at.astimezone(UTC).isoformat().replace("+00:00", "Z")}


def ledger_up_to(ledger: Ledger, at: datetime) -> Ledger:
    """The same receipts as far as they had come at a moment; those that began then or later are left out."""
    receipts = tuple(cut for receipt in ledger.receipts if (cut := receipt_up_to(receipt, at)) is not None)
    return replace(ledger, receipts=receipts, at=min(ledger.at, at), counted=dict(ledger.counted))


def receipt_up_to(receipt: Receipt, at: datetime) -> Receipt | None:
    """A receipt as far as it had come; the same one where all of it was over by then, None where it had not begun."""
    if receipt.started >= at:
        return None
    if all(line.ended <= at for line in receipt.lines) and (receipt.ended is None or receipt.ended <= at):
        return receipt
    lines = tuple(_up_to(line, at) for line in receipt.lines if line.started < at)
    ended = None if receipt.ended is None or receipt.ended > at else receipt.ended
    return replace(receipt, lines=lines, ended=ended)


def _up_to(line: Line, at: datetime) -> Line:
    """Its part of a line, which accrues evenly from its start to its end."""
    if line.ended <= at:
        return line
    passed, whole = Decimal((at - line.started) // MOMENT), Decimal((line.ended - line.started) // MOMENT)
    quantity, amount = (None if number is None else number * passed / whole for number in (line.quantity, line.amount))
    how = f"{line.how}, and of that what had come by {at:%H:%M:%S} UTC" if line.how else ""
    return replace(line, quantity=quantity, amount=amount, ended=at, how=how)
