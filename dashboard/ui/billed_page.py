"""A line of the bill, opened: what AWS put into it, and the question that it answered. ?bill= names the line."""

import json

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.bill.billed import Billed, Question
from dashboard.core.costs.bill.reconcile import reconcile
from dashboard.core.costs.ledger.ledger import Ledger
from dashboard.core.costs.selection import By, Selection
from dashboard.core.format import money
from dashboard.ui import billed, billed_words, markup, page
from dashboard.ui.markup import escape


def show(aws: Aws, ledger: Ledger, selection: Selection, name: str) -> None:
    """The line named `name` of the bill that was asked for these days; any other name is all of it."""
    reading = state.bill(aws, Question.of(selection))
    if reading is None:
        page.title("Bill", "not asked for yet", marks=billed.mark(aws.account))
        billed.section(aws, ledger, selection)
        return
    found = reading.value
    made = reconcile(ledger, selection, found, reading.at, is_embedded=aws.account.is_embedded)
    row = next((row for row in made.rows if row.name == name), None)
    parts = row.parts if row is not None else tuple(found.groups)
    amount = made.billed if row is None else row.billed
    said = billed_words.name(row, selection.by) if row is not None else "all of it"
    page.title("Bill", f"{said}: {money(amount, found.currency)}", marks=billed.mark(aws.account))
    st.html(markup.note(f"{billed_words.parts_note(found, said if row is not None else '')}."))
    st.html(table(found, parts, selection.by))
    st.html(markup.note(f"{billed_words.answered(found, reading.at, state.now())}."))
    page.section("What was asked")
    st.caption("One call: ce GetCostAndUsage")
    st.code(json.dumps(dict(found.request), indent=2), language="json")


def table(found: Billed, parts: tuple[str, ...], by: By) -> str:
    """What the line is the sum of: each name on the bill by record type, with all of the digits that AWS gave."""
    rows = [
        (billed_words.group(by, part), record, amount)
        for part in sorted(parts)
        for record, amount in sorted(found.groups.get(part, {}).items())
    ]
    body = "".join(
        f'<tr><td>{escape(part)}</td><td>{escape(record)}</td><td class="kn-number">{amount:f}</td></tr>'
        for part, record, amount in rows
    )
    total = sum((amount for *_, amount in rows), start=found.total * 0)
    return (
        f'<table class="kn-lines"><thead><tr><th>{escape(by.word.capitalize())} on the bill</th><th>Record type</th>'
        f'<th class="kn-number">{escape(found.currency)}</th></tr></thead><tbody>{body}</tbody>'
        f'<tfoot><tr><td>Sum</td><td></td><td class="kn-number">{total:f}</td></tr></tfoot></table>'
    )
