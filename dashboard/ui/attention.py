"""Overview's list of what needs attention, the worst first and of those the dearest, each with the way there."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from html import escape

import streamlit as st

from dashboard import state
from dashboard.core import attention
from dashboard.core.aws import Account, Aws
from dashboard.core.format import count, money
from dashboard.core.overview import Attention, Overview, Severity
from dashboard.ui import confirm, endpoint, receipt
from dashboard.ui.markup import badge, literal, note, sentence
from dashboard.ui.page import Place
from dashboard.ui.strip import Figure
from dashboard.ui.tones import Tone

TONES = {Severity.CRITICAL: Tone.FAILED, Severity.WARNING: Tone.WAITING, Severity.HINT: Tone.STOPPED}
WAYS = {
    "runs": (Place.RUN, "Open run"),
    "spend": (Place.COSTS, "Open Spend"),
    "waste": (Place.WASTE, "Open Waste"),
}


def with_money(aws: Aws, seen: Overview, now: datetime) -> Overview:
    """The overview with what receipts, budgets and the last sweep for waste say. Raises those of `state.ledger`."""
    return attention.with_money(
        seen,
        state.ledger(aws).value,
        state.budgets(aws).value.all,
        state.waste_so_far(aws),
        now,
        is_embedded=aws.account.is_embedded,
    )


def is_reading(aws: Aws) -> bool:
    """Whether what costs money is still being read, or looked through for waste, for the first time."""
    return not state.ledger(aws).value.is_complete or state.waste_so_far(aws) is None


def figure(seen: Overview) -> Figure:
    """The card for the strip: how many items there are, and the way to the worst."""
    worst = seen.attention[0] if seen.attention else None
    leads = worst is not None and worst.page in WAYS
    return Figure(
        "attention",
        "Needs attention",
        count(len(seen.attention), "item"),
        f"the worst is {worst.severity}" if worst else "nothing to do",
        WAYS[worst.page][0] if worst and leads else None,
        "Open the worst",
        tone=TONES[worst.severity] if worst else "",
        query=query(worst) if worst and leads else {},
    )


def query(item: Attention) -> Mapping[str, str]:
    """The address of an item's page."""
    return {"run": item.name} if item.page == "runs" else dict(item.query)


def show(aws: Aws, items: tuple[Attention, ...], *, is_reading: bool = False) -> None:
    """What a person should look at, the worst first, each with the way there; all is well once that is known."""
    if is_reading and not items:
        st.html(note("Nothing yet: what costs money is still being looked through."))
    elif not items:
        st.html(f'<div class="kn-row"><p>{badge(Tone.DONE, "all well")} Nothing needs attention.</p></div>')
    for place, item in enumerate(items):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-attention-{place}"):
            st.html(line(item, aws.account))
            if item.page in WAYS:
                to, label = WAYS[item.page]
                st.page_link(to, label=label, query_params=dict(query(item)), help=literal(sentence(item.what)))
            else:
                st.button(
                    "Delete",
                    key=f"attention-delete-{item.name}",
                    type="tertiary",
                    help=f"Delete the endpoint {literal(item.name)}",
                    on_click=confirm.ask,
                    args=(partial(endpoint.delete_question, aws, item.name),),
                )


def line(item: Attention, account: Account) -> str:
    """The text of one item: how bad, what, why and what to do."""
    hour = f" · {receipt.inline(f'{money(item.per_hour)}/h', account)}" if item.per_hour else ""
    mark = f" {receipt.word_of(item.nature)}" if item.nature else ""
    return (
        f'<div class="kn-row"><p>{badge(TONES[item.severity], item.severity)} '
        f"<strong>{escape(item.what)}</strong>{mark}</p>"
        f'<p class="kn-note">{escape(item.why)}{hour} → {escape(item.next_step)}</p></div>'
    )
