"""Overview's list of what needs attention, the worst first and of those the dearest, each with the way there."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from html import escape

import streamlit as st

from dashboard import state
from dashboard.core import attention, attention_risks
from dashboard.core.aws import Account, Aws
from dashboard.core.costs.ledger.ledger import Ledger, Unread
from dashboard.core.format import money
from dashboard.core.overview import Attention, Overview, Severity, in_order
from dashboard.core.runs.window import Window
from dashboard.core.serving.health import Answering
from dashboard.ui import confirm, endpoint, receipt, unread
from dashboard.ui.markup import badge, literal, note, sentence
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone

TONES = {Severity.CRITICAL: Tone.FAILED, Severity.WARNING: Tone.WAITING, Severity.HINT: Tone.STOPPED}
WAYS = {
    "runs": (Place.RUN, "Open run"),
    "spend": (Place.COSTS, "Open Spend"),
    "waste": (Place.WASTE, "Open Waste"),
    "security": (Place.SECURITY, "Open finding"),
    "data": (Place.DATA, "Open Data"),
    "setup": (Place.SETTINGS, "Set up this account"),
    "endpoint": (Place.ENDPOINT, "Open endpoint"),
    "function": (Place.FUNCTION, "Open function"),
}
MOST = 8
"""Items that stand on the page at once; the others are one click away."""


def everything(aws: Aws, seen: Overview, ledger: Ledger, answers: Mapping[str, Answering], now: datetime) -> Overview:
    """The overview with what money and risk say: receipts, budgets, the last sweep for waste, roles, alarms, health."""
    costly = attention.with_money(
        seen,
        ledger,
        state.budgets(aws).value.all,
        state.waste_so_far(aws),
        now,
        is_embedded=aws.account.is_embedded,
    )
    risks = attention_risks.of_health(answers)
    if (standing := state.posture_so_far(aws)) is not None:
        risks += attention_risks.of_findings(standing.posture.findings, standing.posture.audited)
    if (morning := state.morning(aws)) is not None:
        risks += morning.items
    return replace(costly, attention=in_order([*costly.attention, *risks]))


def is_reading(aws: Aws) -> bool:
    """Whether what costs money or is at risk is still being read, or looked through for waste, for the first time."""
    return (
        not state.ledger(aws).value.is_complete
        or state.waste_so_far(aws) is None
        or state.posture_so_far(aws) is None
        or state.morning(aws) is None
    )


def query(item: Attention) -> Mapping[str, str]:
    """The address of an item's page."""
    return {"run": item.name} if item.page == "runs" else dict(item.query)


def show(aws: Aws, items: tuple[Attention, ...], *, is_reading: bool = False) -> None:
    """What a person should look at, the worst first, each with the way there; all is well once that is known."""
    if is_reading and not items:
        st.html(note("Nothing yet: what costs money and what is at risk is still being looked through."))
    elif not items:
        st.html(f'<div class="kn-row"><p>{badge(Tone.DONE, "all well")} Nothing needs attention.</p></div>')
    for place, item in enumerate(items[:MOST]):
        _row(aws, place, item)
    if len(items) > MOST:
        with st.expander(f"{len(items) - MOST} more", key="attention-more"):
            for place, item in enumerate(items[MOST:], MOST):
                _row(aws, place, item)
    unread.show("Not checked", not_checked(aws), "attention")


def not_checked(aws: Aws) -> tuple[Unread, ...]:
    """What could not be looked at, each once: of the runs, receipts, budgets, waste, roles and the rest."""
    morning = state.morning(aws)
    found = list(morning.unread) if morning is not None else []
    found += [Unread(what, problem) for what, problem in state.listing(aws, Window.MONTH).problems.items()]
    found += state.ledger(aws).value.unread
    if (problem := state.budgets(aws).value.problem) is not None:
        found.append(Unread("budgets", problem))
    if (sweep := state.waste_so_far(aws)) is not None:
        found += sweep.unread
    if (standing := state.posture_so_far(aws)) is not None:
        found += (*standing.unread, *standing.posture.audited.unread)
    return tuple({one.what.lower(): one for one in found}.values())


def _row(aws: Aws, place: int, item: Attention) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-attention-{place}"):
        st.html(line(item, aws.account))
        if item.page in WAYS:
            to, label = WAYS[item.page]
            st.page_link(to, label=label, query_params=dict(query(item)), help=literal(sentence(item.what)))
        elif item.page == "endpoints":
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
        f'<p class="kn-note">{escape(sentence(item.why))}{hour} → {escape(item.next_step)}</p></div>'
    )
