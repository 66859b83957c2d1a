"""A receipt as a table that can be checked by hand: quantity × price = amount, line by line. Pure markup."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from dashboard.core.aws import Account
from dashboard.core.costs.ledger.ledger import Share
from dashboard.core.costs.prices import Confidence
from dashboard.core.costs.receipt import Fact, Line, Nature, Receipt
from dashboard.core.costs.selection import Period
from dashboard.core.format import UNKNOWN, duration, money, rate
from dashboard.core.runs.expectation import came
from dashboard.ui import spend_words
from dashboard.ui.markup import Markup, escape
from dashboard.ui.receipt import word_of

CONFIDENCE = {Confidence.LISTED: "", Confidence.WEAK: "one weak source", Confidence.ESTIMATE: "estimate"}


def table(receipt: Receipt) -> Markup:
    """Every line: what, how its quantity came about, × its price, = its amount; where the price is from; the sum."""
    body = "".join(_row(line) for line in receipt.lines)
    return Markup(
        '<div class="kn-scroll" tabindex="0" role="region" aria-label="The lines of the receipt">'
        '<table class="kn-lines kn-stacks"><thead><tr><th>What</th>'
        '<th class="kn-number">Quantity</th><th class="kn-number">× price</th><th class="kn-number">= amount</th>'
        f"<th>Price from</th></tr></thead><tbody>{body}</tbody><tfoot><tr><th>Sum</th><td></td><td></td>"
        f'<td class="kn-number" data-of="= amount"{behind(receipt.amount)}>'
        f"{'at least ' if receipt.is_least else ''}{digits(receipt.amount)}</td>"
        f"<td>{word_of(receipt.nature)}</td></tr>"
        "</tfoot></table></div>"
    )


def _row(line: Line) -> str:
    how = f'<p class="kn-note">{escape(line.how)}</p>' if line.how else ""
    span = f"{line.started:%Y-%m-%d %H:%M:%S} to {line.ended:%Y-%m-%d %H:%M:%S} UTC"
    quantity_of = "unknown" if line.quantity is None else f"{quantity(line.quantity)} {line.unit}"
    price = "unknown" if line.price is None else rate(line.price.amount, line.price.per, line.price.currency)
    return (
        f'<tr><td title="{span}">{escape(line.what)}{how}</td>'
        f'<td class="kn-number" data-of="Quantity">{escape(quantity_of)}</td>'
        f'<td class="kn-number" data-of="× price">{escape(price)}</td>'
        f'<td class="kn-number" data-of="= amount"{behind(line.amount)}>{digits(line.amount)}</td>'
        f'<td data-of="Price from">{source(line)}</td></tr>'
    )


def source(line: Line) -> str:
    """Where a line's price is from, and of which day; or why the line is unknown."""
    parts = []
    if line.price is not None:
        doubt = CONFIDENCE[line.price.confidence]
        parts.append(f"{line.price.source}, {line.price.date.isoformat()}" + (f" ({doubt})" if doubt else ""))
    if line.amount is None:
        parts.append(f"unknown: {line.why_unknown}")
    return f'<span class="kn-note">{escape("; ".join(parts))}</span>'


def quantity(number: Decimal) -> str:
    """A quantity with up to six digits after the point; one that is less than those says so."""
    text = f"{number:,.6f}".rstrip("0").rstrip(".")
    return "under 0.000001" if text == "0" and number else text


def digits(amount: Decimal | None) -> str:
    """An amount with six digits after the point, so that lines are seen to add up: "$0.000598"."""
    return UNKNOWN if amount is None else f"${amount:,.6f}"


def behind(amount: Decimal | None) -> str:
    """All digits of an amount, as the tooltip of its cell."""
    return "" if amount is None else f' title="${amount:f}"'


def lacks(line: Line) -> str:
    """A line that the sum lacks: "storage (no price …)"."""
    return f"{line.what} ({line.why_unknown})" if line.why_unknown else line.what


def by_day(days: Mapping[date, Decimal], period: Period) -> Markup:
    """What accrued on each UTC day; those of the period stand out."""
    rows = "".join(
        f'<tr class="{"kn-inside" if day in period else ""}"><td>{day.isoformat()}</td>'
        f'<td class="kn-number"{behind(amount)}>{digits(amount)}</td></tr>'
        for day, amount in sorted(days.items())
    )
    return Markup(
        '<table class="kn-lines kn-short"><thead><tr><th>Day (UTC)</th><th class="kn-number">Amount</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def answered_by(facts: Sequence[Fact]) -> str:
    """Whose words they are: an EC2 training's are in files that Kennel and the instance wrote."""
    return "What its files in S3 say" if all(one.operation.startswith("s3 ") for one in facts) else "What AWS answered"


def answers(facts: Sequence[Fact]) -> Markup:
    """AWS's own answers that the receipt is computed from."""
    rows = "".join(
        f'<tr><td data-of="Operation">{escape(fact.operation)}</td><td data-of="Member">{escape(fact.member)}</td>'
        f'<td data-of="Answer">{escape(fact.value)}</td></tr>'
        for fact in facts
    )
    return Markup(
        '<div class="kn-scroll" tabindex="0" role="region" aria-label="What AWS answered">'
        '<table class="kn-lines kn-stacks">'
        "<thead><tr><th>Operation</th><th>Member</th><th>Answer</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def total(share: Share, nature: Nature) -> Markup:
    """The sum under a table of receipts, with all of its digits behind it: at least so much, where something of it is
    unknown.
    """
    digits = "" if share.known is None else f' title="${share.known:f}"'
    return Markup(
        f'<p class="kn-total"{digits}>Sum of {spend_words.receipts(share)}: '
        f"<strong>{spend_words.sum_of(share)}</strong> {word_of(nature)}</p>"
    )


def against_expected(receipt: Receipt) -> tuple[str, str]:
    """What was expected at the launch, and what came: ("$0.012", "cost $0.014 (+17 %), at most $0.50")."""
    expected = receipt.expected
    if expected is None or expected.amount is None:
        bound = "" if expected is None or expected.most is None else f"; at most {money(expected.most)}"
        return "unknown", f"its cost could not be told at the launch{bound}"
    cost = receipt.amount if receipt.is_comparable else None  # a part of it says nothing about what was expected
    parts = [came(expected, cost, has_ended=receipt.ended is not None)]
    if receipt.ended is not None and expected.seconds:
        parts.append(f"expected to take {duration(expected.seconds)}")
    if expected.most is not None:
        parts.append(f"at most {money(expected.most)}")
    return money(expected.amount), ", ".join(parts)


def foot(nature: Nature, account: Account, at: datetime, address: str, note: str = "") -> Markup:
    """What a sheet of paper needs to be believed: whose money of which kind (or `note`), read when, from where."""
    told = note or nature.note
    sentence = told[:1].upper() + told[1:]
    return Markup(
        f'<p class="kn-note kn-foot">{escape(sentence)}. Account {escape(account.account_id)} in '
        f"{escape(account.region)}, read {at:%Y-%m-%d %H:%M} UTC; days are UTC days."
        f'<span class="kn-on-paper"> {escape(address)}</span></p>'
    )
