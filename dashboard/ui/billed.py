"""The bill beside list prices: asked for on a click, for $0.01; two columns that are compared and never added."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import streamlit as st

from dashboard import state
from dashboard.core.aws import Account, Aws
from dashboard.core.costs.bill.activate_tags import ActivationPlan, carried
from dashboard.core.costs.bill.billed import TAGS, Billed, Question
from dashboard.core.costs.bill.names import REQUEST_PRICE
from dashboard.core.costs.bill.reconcile import Reconciliation, Row, comparable, reconcile
from dashboard.core.costs.ledger import up_to
from dashboard.core.costs.ledger.ledger import Ledger
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.selection import Selection
from dashboard.core.format import count, money
from dashboard.core.people import Role
from dashboard.readings import Reading
from dashboard.ui import billed_words, budget, chart, confirm, markup, page, receipt
from dashboard.ui.markup import Markup, escape
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone

BILL = "bill"
"""In a receipt page's address: the line of the bill that it opens."""
WHOLE = "*"
"""Its value for all of the bill; "" is what carries no tag."""
CELL = 96  # points


def section(aws: Aws, ledger: Ledger, selection: Selection) -> None:
    """AWS's bill against this view, or the button that asks for it. `selection` is what the page shows."""
    account = aws.account
    why_not = comparable(selection)
    page.section("Billed by AWS", Markup("") if why_not else mark(account))
    if why_not:
        st.html(markup.note(f"{why_not}."))
        return
    question = Question.of(selection)
    reading = state.bill(aws, question)
    with st.container(border=True, key="panel-billed"):
        if reading is None:
            st.html(markup.note(f"{billed_words.not_asked(question)}."))
            _buttons(aws, ledger, selection, question, None)
            return
        made = reconcile(ledger, selection, reading.value, reading.at, is_embedded=account.is_embedded)
        until = billed_words.moment(question, reading.at, state.now())
        st.html(f'<h2 class="kn-finding">{escape(billed_words.finding(made, until))}</h2>')
        st.html(markup.note(f"{billed_words.answered(reading.value, reading.at, state.now())}."))
        _rows(made, reading, selection.nature)
        _why(made)
        if reading.value.lacks_tags and any(row.listed and row.name for row in made.rows):
            st.html(markup.note(f"{billed_words.tags_missing(question.by)}."))
        _buttons(aws, ledger, selection, question, reading, made)


def mark(account: Account) -> Markup:
    """ "◇ simulated" for the embedded AWS's bill, "billed" for a real one."""
    if account.is_embedded:
        return receipt.mark(account)
    return Markup('<span class="kn-money-mark" title="What AWS charges, as Cost Explorer tells it">billed</span>')


def _rows(made: Reconciliation, reading: Reading[Billed], nature: Nature) -> None:
    """A line for each, a heading above and the sums below; each sum opens what it is made of."""
    question = reading.value.question
    base = Selection(nature, question.period, question.by, question.only)
    then = up_to.query(reading.at)
    with _line("head", ""):
        for text in ("List price", "Billed", "Difference"):
            with st.container(width=CELL):
                st.html(f'<p class="kn-note kn-total">{text}</p>')
    for place, row in enumerate(made.rows):
        _row(place, row, made, base, then)
    with _line("all", "<p><strong>All</strong></p>"):
        _cell(billed_words.amount(made.listed), base.query() | then, "Open the receipts of all")
        _cell(billed_words.amount(made.billed, made.currency), {**base.query(), BILL: WHOLE}, "Open the whole bill")
        _cell(billed_words.difference(made.difference))


def _row(place: int, row: Row, made: Reconciliation, base: Selection, then: dict[str, str]) -> None:
    """What stands against each other. A sum of several kinds of receipts has a line for each, which opens them.

    `then`: the part of an address that opens receipts as they stood when the bill was asked for.
    """
    by, name = base.by, billed_words.name(row, base.by)
    first = row.shares[0] if len(row.shares) == 1 else None
    with _line(f"{place}", f"<p><strong>{escape(name)}</strong></p>", billed_words.note(row, by)):
        listed = base.within(by, first.group).query() | then if first else None
        _cell(billed_words.amount(row.listed), listed, f"Open the receipts of {name}")
        parts = {**base.query(), BILL: row.name} if row.parts else None
        _cell(billed_words.amount(row.billed, made.currency), parts, f"Open {name} on the bill")
        _cell(billed_words.difference(row.difference if made.is_comparable else None))
    for number, share in enumerate(row.shares if first is None else ()):
        with _line(f"{place}-{number}", "", f"of it {share.group}, {count(share.receipts, 'receipt')}"):
            query = base.within(by, share.group).query() | then
            _cell(money(share.amount), query, f"Open the receipts of {share.group}")
            _cell("")
            _cell("")


@contextmanager
def _line(key: str, body: str, note: str = "") -> Iterator[None]:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-billed-{key}"):
        under = f'<p class="kn-note">{escape(note)}</p>' if note else ""
        st.html(f'<div class="kn-row">{body}{under}</div>')
        yield


def _cell(text: str, query: Mapping[str, str] | None = None, tip: str = "") -> None:
    with st.container(width=CELL, horizontal_alignment="right"):
        if query is None:
            st.html(f'<p class="kn-total">{escape(text)}</p>')
        else:
            st.page_link(Place.RECEIPT, label=markup.literal(text), query_params=dict(query), help=markup.literal(tip))


def _why(made: Reconciliation) -> None:
    with st.expander("What may explain the difference", key="billed-why"):
        items = "".join(f"<li>{escape(billed_words.reason(one, made.currency))}</li>" for one in made.reasons)
        st.html(f'<ul class="kn-list">{items}</ul>')


def _buttons(
    aws: Aws,
    ledger: Ledger,
    selection: Selection,
    question: Question,
    reading: Reading[Billed] | None,
    made: Reconciliation | None = None,
) -> None:
    with st.container(horizontal=True, key="billed-buttons"):
        if made is not None:
            chart.download(
                lambda: billed_words.plain(made, question), f"kennel-billed-{question.period}.csv", "download-billed"
            )
        st.button(
            billed_words.ASK if reading is None else billed_words.AGAIN,
            key="bill-ask",
            icon=":material/receipt_long:",
            on_click=confirm.ask,
            args=(lambda: _asking(aws, question, reading),),
        )
        plan = ActivationPlan(carried(ledger, selection.nature))
        if question.by in TAGS and plan.keys:
            st.button(
                f"Activate {plan.named}",
                key="bill-activate",
                icon=":material/sell:",
                on_click=confirm.ask,
                args=(lambda: _activating(aws, plan),),
                help="AWS then breaks its bill down by it, from that day on",
            )


def _asking(aws: Aws, question: Question, reading: Reading[Billed] | None) -> confirm.Question:
    request = question.request(state.now().date())  # says now what cannot be asked

    def draw() -> confirm.Action:
        st.html(f"<p>{escape(billed_words.question_said(question))}.</p>")
        _price(aws)
        _request("GetCostAndUsage", request)
        return confirm.Action(f"Ask for {billed_words.PRICE}", do, needs=Role.MANAGER)

    def do() -> str:
        found = state.ask_bill(aws, question, reading.at if reading else None)
        return f"AWS's bill is here, asked for {billed_words.amount(found.value.cost)}"

    return confirm.Question("Ask AWS for the bill", draw)


def _activating(aws: Aws, plan: ActivationPlan) -> confirm.Question:
    def draw() -> confirm.Action:
        st.html(
            f"<p>AWS will break its bill down by {escape(plan.named)}, for everyone who sees this account's bill, "
            "from now on; what was used before stays without them. It can be undone in the Billing console.</p>"
        )
        _price(aws)
        _request("UpdateCostAllocationTagsStatus", plan.request)
        return confirm.Action(f"Activate {plan.named} for {billed_words.PRICE}", lambda: state.activate_tags(aws, plan))

    return confirm.Question("Activate cost allocation tags", draw)


def _price(aws: Aws) -> None:
    """What asking costs, that it counts as spent, and what that does to the month's budget."""
    account = aws.account
    said = escape(f"{billed_words.PRICE_OF_ASKING}. {billed_words.COUNTED}.")
    st.html(markup.note(Markup(f"{said} {receipt.mark(account)}")))
    nature = Nature.of({}, is_embedded=account.is_embedded)
    stands = budget.of_month(state.budgets(aws).value, state.ledger(aws).value, nature, state.now())
    if stands is not None:
        tone = Tone.WAITING if stands.left < REQUEST_PRICE else ""
        st.html(markup.note(f"{billed_words.budget_after(stands)}.", tone))


def _request(operation: str, request: dict[str, object]) -> None:
    st.caption(f"One call: ce {operation}")
    st.code(json.dumps(request, indent=2), language="json")
