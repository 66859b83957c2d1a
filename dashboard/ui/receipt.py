"""Money with what defends it: quotes before, receipts after. Pure markup; every sum says whether it is simulated."""

from collections.abc import Mapping
from html import escape

from dashboard.core.aws import Account
from dashboard.core.costs import money_note
from dashboard.core.costs.quote import Quote
from dashboard.core.costs.receipt import Nature
from dashboard.core.format import count, duration, money, rate
from dashboard.ui.markup import Markup, badge, facts, note, sentence
from dashboard.ui.tones import LOOKS, Tone


def label(account: Account) -> Markup:
    """The mark that stands beside money: a violet "simulated" with the full sentence behind it, or "list price"."""
    word, tone = ("simulated", Tone.SIMULATED) if account.is_embedded else ("list price", Tone.STOPPED)
    return Markup(badge(tone, word, money_note(is_embedded=account.is_embedded)))


def inline(text: str, account: Account) -> Markup:
    """A sum inside a line of text: "$0.115/h ◇ simulated", the full sentence behind it."""
    return Markup(f'<span class="kn-money">{escape(text)} {mark(account)}</span>')


def marked(text: str, nature: Nature) -> Markup:
    """The same of a thing that may be the sample account's: "$0.0008 so far ◇ sample"."""
    return Markup(f'<span class="kn-money">{escape(text)} {word_of(nature)}</span>')


def mark(account: Account) -> Markup:
    """ "◇ simulated" for a line of text, with the full sentence behind it; "list price" on a real account."""
    word = f"{LOOKS[Tone.SIMULATED].shape} simulated" if account.is_embedded else "list price"
    tip = escape(money_note(is_embedded=account.is_embedded))
    return Markup(f'<span class="kn-money-mark" title="{tip}">{word}</span>')


def of(nature: Nature) -> Markup:
    """The mark that stands beside a sum of receipts: its nature as a badge, the full sentence behind it."""
    tone = Tone.STOPPED if nature is Nature.LISTED else Tone.SIMULATED
    return Markup(badge(tone, nature.word, nature.note))


def word_of(nature: Nature) -> Markup:
    """The same for a line of text: "◇ sample", "◇ simulated" or "list price"."""
    shape = "" if nature is Nature.LISTED else f"{LOOKS[Tone.SIMULATED].shape} "
    return Markup(f'<span class="kn-money-mark" title="{escape(nature.note)}">{shape}{nature.word}</span>')


def amount(quote: Quote) -> str:
    """ "$0.0024", "about $0.0024" for an estimated price, "at least $0.0024" where a part is unknown, or "unknown"."""
    known = quote.amount if quote.least is None else quote.least
    about = "about " if known is not None and quote.is_estimate else ""
    return f"{'at least ' if quote.least is not None else ''}{about}{money(known, quote.currency)}"


def price(quote: Quote) -> str:
    """The price per instance and hour: "$0.115/h", or "unknown"."""
    return rate(quote.unit_price, "h", quote.currency)


def sum_of(quote: Quote, account: Account, title: str, basis: str = "") -> Markup:
    """One sum with its title, its mark and how it came about (or `basis` instead), or why it is unknown."""
    if quote.is_known:
        value, basis = amount(quote), basis or f"{duration(quote.seconds)} · {quote.basis}"
    else:
        value, basis = "unknown", quote.why_unknown
    return Markup(
        f'<div class="kn-sum"><p class="kn-sum-title">{escape(title)}</p>'
        f'<p class="kn-sum-value"><span>{escape(value)}</span>{label(account) if quote.is_known else ""}</p>'
        f'<p class="kn-note">{escape(basis)}</p></div>'
    )


def warning(text: str, account: Account) -> str:
    """Something to know before it is done; a sum of money in it is marked like every other."""
    said = escape(f"{sentence(text)}.")
    return note(Markup(f"{said} {mark(account)}" if "$" in text else said), Tone.WAITING)


def receipt(quote: Quote, nature: Nature, against: Mapping[str, str] | None = None) -> Markup:
    """How a sum came about, line by line: seconds × instances × price. `against`: what to hold it against, by title."""
    rows = {
        "Sum": Markup(f"{escape(amount(quote))} {of(nature) if quote.is_known or quote.least is not None else ''}"),
        **(against or {}),
        "Billable time": f"{duration(quote.seconds)}, {quote.basis}" if quote.basis else duration(quote.seconds),
        "Instances": count(quote.count),
        "Price": price(quote),
        "Price from": quote.source or "unknown",  # it says itself when it was collected
    }
    if quote.why_unknown:
        rows["Unknown because"] = quote.why_unknown
    return Markup(facts(rows) + f'<p class="kn-note">{escape(nature.note)}</p>')
