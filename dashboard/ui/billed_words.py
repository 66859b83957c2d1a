"""What the section on the bill says in words. Pure."""

from datetime import UTC, datetime
from decimal import Decimal

from dashboard.core.costs.bill.billed import CURRENCY, METRIC, Billed, Question
from dashboard.core.costs.bill.names import REQUEST_PRICE
from dashboard.core.costs.bill.reconcile import Reason, Reconciliation, Row
from dashboard.core.costs.budgets.standing import Standing
from dashboard.core.costs.selection import By
from dashboard.core.format import ago, count, money
from dashboard.ui import spend_words

PRICE = money(REQUEST_PRICE)
ASK = f"Ask AWS for the bill ({PRICE})"
AGAIN = f"Ask again ({PRICE})"
PRICE_OF_ASKING = f"Cost Explorer charges {PRICE} for this call, and as much for each further page of a long answer"

COUNTED = "It counts as spent here too, as a receipt of Cost Explorer"


def budget_after(stands: Standing) -> str:
    """What one question does to the budget of the whole account in this month."""
    of, limit, after = "Budget of the whole account this month", money(stands.budget.limit), stands.left - REQUEST_PRICE
    if stands.left < 0:
        return f"{of}: {money(-stands.left)} over its limit of {limit} already"
    left = f"{of}: {money(stands.left)} of {limit} is left"
    return f"{left}, {money(after)} after this" if after >= 0 else f"{left}, so that this goes {money(-after)} over it"


def not_asked(question: Question) -> str:
    """In place of the bill, until somebody asks."""
    about = spend_words.span(question.period)
    return f"What AWS bills for {about} is not known here: asking costs {PRICE}, so that it is asked only on a click"


def question_said(question: Question) -> str:
    """What is asked, in a sentence."""
    only = " and ".join(f"{by.word} {value}" if value else f"no {by.word}" for by, value in question.only)
    of = f", of {only}" if only else ""
    return f"What was billed in {spend_words.span(question.period)}, by {question.by.word}{of}, in every region"


def answered(billed: Billed, at: datetime, now: datetime) -> str:
    """Under the section's heading: whose figures these are, how old, and how final."""
    final = "not final yet" if billed.is_estimated else "final"
    paid = f"{money(billed.cost)}, which is in neither sum"
    return f"Asked {ago(at, now)} for {paid} · AWS's figures are {final} · days are UTC"


def moment(question: Question, at: datetime, now: datetime) -> str:
    """Up to when a bill can tell of its days: "19:42 UTC", "20 November, 19:42 UTC"; "" when they were over by then."""
    at = at.astimezone(UTC)
    if question.period.last < at.date():
        return ""
    day = "" if at.date() == now.astimezone(UTC).date() else f"{spend_words.day(at.date())}, "
    return f"{day}{at:%H:%M} UTC"


def finding(made: Reconciliation, until: str = "") -> str:
    """Both sums in one sentence, `until` the moment that both are of. They are compared, and never added."""
    billed, by = money(made.billed, made.currency), f" by {until}" if until else ""
    if not made.is_comparable:
        return f"{billed} billed{by}, in {made.currency}: not comparable with list prices, which are in USD"
    difference = made.difference
    if not difference:
        return f"Billed {billed}{by}, exactly the list price"
    word = "more" if difference > 0 else "less"
    then = " until then" if until else ""
    return f"Billed {billed}{by}, {money(abs(difference))} {word} than the list price of {money(made.listed)}{then}"


def name(row: Row, by: By) -> str:
    return group(by, row.name)


def group(by: By, told: str) -> str:
    """A name on the bill; what carries no such tag says so."""
    return told if by is By.SERVICE else spend_words.group(by, told)


def note(row: Row, by: By) -> str:
    """Under a row's name: what each column has of it, or lacks."""
    parts = []
    if row.receipts:
        parts.append(count(row.receipts, "receipt"))
    if row.unknown:
        parts.append(f"{row.unknown} of unknown price, not in the list price")
    if not row.receipts:
        parts.append("no receipt here")
    if row.billed is None:
        parts.append("not on the bill")
    elif by is By.SERVICE and tuple(row.parts) != (row.name,):
        parts.append(f"on the bill: {', '.join(row.parts)}")
    if row.unpriced:
        parts.append(f"the bill has no price for {row.unpriced}")
    return " · ".join(parts)


def reason(one: Reason, currency: str) -> str:
    """ "tax: +$1.20", or the sentence alone where AWS tells no amount."""
    if one.amount is None:
        return one.what
    return f"{one.what}: {spend_words.signed(one.amount, currency)}"


def difference(value: Decimal | None) -> str:
    """A difference with its sign; "–" where one of the two says nothing."""
    return "–" if value is None else spend_words.signed(value)


def tags_missing(by: By) -> str:
    """When nothing on the bill carries the tag."""
    return (
        f"Nothing on this bill carries a {by.word}. AWS breaks a bill down by a tag only from the day on which the tag "
        "was activated as a cost allocation tag"
    )


def amount(value: Decimal | None, currency: str = "USD") -> str:
    """A cell: "–" where the column has no such line."""
    return "–" if value is None else money(value, currency)


def parts_note(billed: Billed, name: str) -> str:
    """Under the sum of one line of the bill, or of all of it for ""."""
    about = f"{name} on " if name else ""
    return f"{about}AWS's bill of {spend_words.span(billed.question.period)}, {METRIC}, as Cost Explorer answered it"


def plain(made: Reconciliation, question: Question) -> list[dict[str, str]]:
    """Both columns for a spreadsheet, all digits, each in its own currency; empty where a column has no such line."""
    return [
        {
            question.by.word: row.name,
            "first_day": str(question.period.first),
            "last_day": str(question.period.last),
            "list_price": "" if row.listed is None else f"{row.listed:f}",
            "list_price_currency": CURRENCY,
            "billed": "" if row.billed is None else f"{row.billed:f}",
            "billed_currency": made.currency,
            "on_the_bill": "; ".join(row.parts),
            "receipts": str(row.receipts),
            "receipts_without_price": str(row.unknown),
        }
        for row in made.rows
    ]
