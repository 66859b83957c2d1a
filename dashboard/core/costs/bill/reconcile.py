"""List price and bill beside each other: two columns, the difference, and what may explain it. Never mixed. Pure.

Credits, savings plans, free tier, tax and a day's lag are AWS's to know: where the bill tells an amount for one of them
it is given, and nothing is guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from dashboard.core.costs.bill.billed import USAGE, Billed, Question
from dashboard.core.costs.bill.names import BilledService
from dashboard.core.costs.ledger.ledger import Ledger, Share
from dashboard.core.costs.ledger.up_to import ledger_up_to
from dashboard.core.costs.quantities import MONTH_HOURS
from dashboard.core.costs.receipt import Nature, Service
from dashboard.core.costs.selection import By, Period, Selection
from dashboard.core.format import count, percent

_AREAS: Mapping[str, tuple[tuple[Service, ...], tuple[str, ...]]] = {
    "SageMaker": ((Service.TRAINING, Service.ENDPOINTS, Service.NOTEBOOKS), (BilledService.SAGEMAKER,)),
    "EC2": ((Service.EC2,), (BilledService.EC2, BilledService.EC2_OTHER, BilledService.VPC)),
    "Lambda": ((Service.LAMBDA,), (BilledService.LAMBDA,)),
    "S3": ((Service.S3,), (BilledService.S3,)),
    "Cost Explorer": ((Service.COST_EXPLORER,), (BilledService.COST_EXPLORER,)),
}
"""A bill cuts differently: what stands against what. SageMaker does not tell training from serving on a bill."""
ROUNDING = Decimal("0.0000001")
"""USD: far less than anything costs, and more than a thousand amounts lose that are rounded to ten places."""
_RECORDS = {
    "Credit": "credits, taken off by AWS",
    "Refund": "refunds",
    "Tax": "tax",
    "SavingsPlanNegation": "what savings plans took off",
    "SavingsPlanCoveredUsage": "use that savings plans cover, at list price",
    "SavingsPlanRecurringFee": "the savings plans themselves",
    "SavingsPlanUpfrontFee": "savings plans, paid at once",
    "DiscountedUsage": "use under reservations",
    "RIFee": "the reservations themselves",
    "BundledDiscount": "discounts that come with other use",
    "EdpDiscount": "discounts by agreement",
    "PrivateRateDiscount": "prices by agreement",
    "Fee": "fees that are not for use",
    "Support": "AWS Support",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of both columns. None: that column has no such line.

    `unknown` receipts have no price, and are missing from `listed`; `unpriced` is usage that is missing from `billed`.
    """

    name: str
    listed: Decimal | None
    billed: Decimal | None
    receipts: int = 0
    unknown: int = 0
    unpriced: str = ""
    parts: tuple[str, ...] = ()  # the names on the bill
    shares: tuple[Share, ...] = ()  # what `listed` is the sum of, each with receipts of its own

    @property
    def difference(self) -> Decimal | None:
        """Billed minus list price; None where one of the two says nothing."""
        return None if self.listed is None or self.billed is None else _apart(self.billed, self.listed)


@dataclass(frozen=True, slots=True)
class Reason:
    """What may explain a difference: with its amount where AWS tells it."""

    what: str
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Both columns with their sums, each of its own, and why they differ. Amounts are in `currency`."""

    rows: tuple[Row, ...]
    listed: Decimal
    billed: Decimal
    currency: str
    is_comparable: bool
    reasons: tuple[Reason, ...]

    @property
    def difference(self) -> Decimal | None:
        return _apart(self.billed, self.listed) if self.is_comparable else None


def reconcile(
    ledger: Ledger, selection: Selection, billed: Billed, at: datetime, *, is_embedded: bool
) -> Reconciliation:
    """The receipts of the account's own nature against the answer of Cost Explorer, over the same days and filters.

    Receipts count as far as they had come `at` the moment of the question: an answer does not grow, and what is used
    goes on. So the question itself, which is paid for when it is answered, is in neither column.
    In another currency than USD the bill stands by itself: nothing is compared, and no difference is given.
    """
    nature = Nature.SIMULATED if is_embedded else Nature.LISTED
    question = billed.question
    asked = replace(selection, nature=nature, period=question.period, by=question.by, only=question.only)
    then = ledger_up_to(ledger, at)
    rows = tuple(_by_service(then, asked, billed) if question.by is By.SERVICE else _by_tag(then, asked, billed))
    listed = sum((row.listed for row in rows if row.listed is not None), Decimal(0))
    partly = sum(bool(receipt.missing) for receipt, amount in then.of(asked) if amount is not None)
    return Reconciliation(
        rows,
        listed,
        billed.total,
        billed.currency,
        billed.is_comparable,
        tuple(_reasons(rows, billed, partly, is_embedded=is_embedded)),
    )


def _apart(billed: Decimal, listed: Decimal) -> Decimal:
    """Billed minus listed; what Cost Explorer's own rounding may make, which writes ten places, is none."""
    apart = billed - listed
    return Decimal(0) if abs(apart) < ROUNDING else apart


def _by_service(ledger: Ledger, asked: Selection, billed: Billed) -> list[Row]:
    shares = {share.group: share for share in ledger.shares(asked)}
    left = set(billed.groups)
    rows = []
    for name, (services, names) in _AREAS.items():
        mine = [shares[one] for one in services if one in shares]
        parts = sorted(one for one in left if one in names or (name == "SageMaker" and one.startswith(names[0])))
        left -= set(parts)
        if not mine and not parts:
            continue
        rows.append(
            Row(
                name,
                sum((share.amount for share in mine), Decimal(0))
                if any(one.known is not None for one in mine)
                else None,
                sum((billed.amount(one) for one in parts), Decimal(0)) if parts else None,
                sum(share.receipts for share in mine),
                sum(share.unknown for share in mine),
                ", ".join(billed.unpriced[one] for one in parts if one in billed.unpriced),
                tuple(parts),
                tuple(mine),
            )
        )
    rows += [Row(one, None, billed.amount(one), unpriced=billed.unpriced.get(one, ""), parts=(one,)) for one in left]
    return _sorted(rows)


def _by_tag(ledger: Ledger, asked: Selection, billed: Billed) -> list[Row]:
    shares = {share.group: share for share in ledger.shares(asked)}
    return _sorted(
        [
            Row(
                name,
                shares[name].known if name in shares else None,
                billed.amount(name) if name in billed.groups else None,
                shares[name].receipts if name in shares else 0,
                shares[name].unknown if name in shares else 0,
                billed.unpriced.get(name, ""),
                (name,) if name in billed.groups else (),
                (shares[name],) if name in shares else (),
            )
            for name in {*shares, *billed.groups}
        ]
    )


def _sorted(rows: list[Row]) -> list[Row]:
    """The dearest first, in whichever column."""
    return sorted(rows, key=lambda row: (-max(row.listed or Decimal(0), row.billed or Decimal(0)), row.name))


def _reasons(rows: tuple[Row, ...], billed: Billed, partly: int, *, is_embedded: bool) -> list[Reason]:
    """What is known to be in one column and not in the other; then what may be, and cannot be told from outside."""
    found = [
        Reason(_RECORDS.get(record, record), amount)
        for record, amount in sorted(billed.records().items())
        if record != USAGE and amount
    ]
    if billed.question.by is By.SERVICE:
        unseen = [row for row in rows if not row.receipts and row.billed]
        if unseen:
            amount = sum((row.billed for row in unseen if row.billed is not None), Decimal(0))
            found.append(
                Reason(f"on the bill, without a receipt here: {_listed([row.name for row in unseen])}", amount)
            )
        unbilled = [row for row in rows if row.billed is None and row.listed]
        if unbilled:
            amount = sum((row.listed for row in unbilled if row.listed is not None), Decimal(0))
            found.append(
                Reason(f"with receipts here, not on the bill: {_listed([one.name for one in unbilled])}", -amount)
            )
    unknown = sum(row.unknown for row in rows)
    if unknown:
        found.append(Reason(f"{count(unknown, 'receipt')} without a known price: missing from the list prices"))
    if partly:
        found.append(
            Reason(f"{count(partly, 'receipt')} known in part: the unknown charges are missing from the list prices")
        )
    unpriced = sorted({row.unpriced for row in rows if row.unpriced})
    if unpriced:
        found.append(Reason(f"the bill has no price for {_listed(unpriced)}"))
    if billed.question.by is not By.SERVICE:
        found.append(Reason("a tag counts on a bill from its activation on, not before"))
    if not billed.is_whole:
        found.append(Reason(f"the answer has more than {count(billed.pages, 'page')}: the rest is not in it"))
    if is_embedded:
        found.append(Reason("a training is billed when it ends; an endpoint while it serves and Kennel is running"))
        found.append(Reason("an instance that ended before this bill was kept is not on it"))
    else:
        if billed.is_estimated:
            found.append(Reason("AWS's figures for these days are not final, and lag behind by up to a day"))
        found.append(Reason("the bill is of the whole account and every region; receipts are of what Kennel sees here"))
        found.append(Reason("free tier and prices by agreement are in the bill, and in no list price"))
    found.append(Reason(_months(billed.question.period)))
    return found


def _months(period: Period) -> str:
    """How the price of a month of storage becomes that of its hours, here and on a bill."""
    if not period.is_month:
        return f"a GB-month here is {MONTH_HOURS} hours; a bill divides by the hours of the month itself"
    hours = 24 * period.days
    apart = percent(abs(float(MONTH_HOURS / hours) - 1), 1)
    word = "more" if hours < MONTH_HOURS else "less"
    return (
        f"a GB-month here is {MONTH_HOURS} hours, on the bill of {period.first:%B} {hours}: "
        f"a volume comes to {apart} {word} there"
    )


def _listed(names: list[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def comparable(selection: Selection) -> str:
    """Why a page's view cannot be held against a bill, as a sentence; "" when it can."""
    if selection.nature is Nature.SAMPLE:
        return "Sample money is an example: nothing of it is billed"
    unasked = Question.unasked(selection)
    if unasked:
        named = " and ".join(by.word for by in unasked)
        return f"A bill is not told by {named}. Take that filter away to hold this page against it"
    return ""
