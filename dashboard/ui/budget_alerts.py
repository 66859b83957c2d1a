"""The alerts of a budget: at what each tells whom, whether and when it did, and what it said. Mostly pure markup."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import streamlit as st

from dashboard.core.costs.budgets.budgets import Alert, Budget
from dashboard.core.costs.budgets.sent import OUTBOX, Sent, when
from dashboard.core.format import count, money
from dashboard.ui.markup import badge, escape, literal, note
from dashboard.ui.tones import Tone


def heading(budgets: Sequence[Budget]) -> str:
    """What the budgets are folded under: how many, and how many alerts were told in this period."""
    raised = sum(alert.is_raised for one in budgets for alert in one.alerts)
    of = f" · {count(raised, 'alert')} told" if raised else ""
    return f"{count(len(budgets), 'budget')} of the account{of}"


def listed(budget: Budget, messages: Iterable[Sent]) -> str:
    """A line for each alert: its limit in money, whom it tells, and whether it did and when."""
    kept = tuple(messages)
    items = "".join(f"<li>{_line(budget, alert, when(kept, budget, alert))}</li>" for alert in budget.alerts)
    return f'<ul class="kn-list kn-note">{items}</ul>' if items else ""


def _line(budget: Budget, alert: Alert, at: datetime | None) -> str:
    edge = "" if alert.is_absolute else f", above {money(alert.edge(budget.limit), budget.currency)}"
    told = f"told {moment(at)}" if at is not None else "told"
    state = badge(Tone.WAITING, told) if alert.is_raised else "not reached"
    return f"{escape(f'{alert.words}{edge}: {alert.listeners}')} · {state}"


def moment(at: datetime) -> str:
    """ "21 Nov 19:43 UTC"."""
    return f"{at:%-d %b %H:%M} UTC"


def sent(messages: Sequence[Sent]) -> None:
    """What would have been mailed, where the account keeps that; each opens to its text."""
    if not messages:
        return
    st.html(note(f"No e-mail leaves the embedded AWS: what would be sent this month is kept, in its log {OUTBOX}."))
    for number, one in enumerate(messages):
        of = f" ({literal(one.threshold)})" if one.threshold else ""
        with st.expander(f"{moment(one.at)} · {unlinked(one.to)} · {literal(one.subject)}{of}", key=f"sent-{number}"):
            if one.problem:
                st.html(note(f"It would not have arrived: {one.problem}", Tone.WAITING))
            st.code(one.message, language=None, wrap_lines=True)


def unlinked(address: str) -> str:
    """An address for a label, which would otherwise become a link to write to it."""
    return f"`{address.replace('`', '')}`"
