"""The month against its budget: a bar, a warning in words, and the way to set one. What is planned is in the dialog."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Account, Aws
from dashboard.core.costs.budgets.budgets import Budget, Scope, budget_of
from dashboard.core.costs.budgets.sent import Sent
from dashboard.core.costs.budgets.standing import Level, Standing, against, standing
from dashboard.core.costs.ledger.ledger import Ledger
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.selection import Period, Selection
from dashboard.core.costs.spend.statement import Statement, month_forecast
from dashboard.core.format import money, percent
from dashboard.ui import budget_alerts, budget_dialog, confirm, markup, receipt
from dashboard.ui.figures_spend import Limit
from dashboard.ui.markup import Markup, badge, escape, literal, note
from dashboard.ui.page import Place
from dashboard.ui.strip import Figure
from dashboard.ui.tones import Tone

TONES = {Level.OVER: Tone.FAILED, Level.AHEAD: Tone.WAITING, Level.NEARLY: Tone.WAITING, Level.WITHIN: Tone.DONE}
WIDEST = 1.25
"""The share of a limit at which the bar is full: what is over it goes on beyond the limit's mark."""


@dataclass(frozen=True)
class Seen:
    """What a page knows of budgets: those of the account, and how the month that it shows stands against its own."""

    budgets: state.Budgets
    selection: Selection
    month: Period
    stands: Standing | None = None

    @property
    def is_shown_month(self) -> bool:
        """Whether the page shows just the month of the budget, so that its line belongs into the chart."""
        return self.selection.period == self.month


def look(aws: Aws, made: Statement, now: datetime) -> Seen:
    """Against the month that the page shows, or that goes on."""
    selection = made.selection
    month = selection.period if selection.period.is_month else Period.month(made.today)
    seen = state.budgets(aws).value
    budget = budget_of(seen.all, selection)
    if budget is None:
        return Seen(seen, selection, month)
    spent = made.total if month == selection.period else made.ledger.total(selection.over(month))
    if made.forecast is not None and made.forecast.period == month:
        return Seen(seen, selection, month, against(budget, spent.amount, now, made.forecast))
    return Seen(seen, selection, month, standing(budget, spent.amount, now, month=month))


def of_month(budgets: state.Budgets, ledger: Ledger, nature: Nature, now: datetime) -> Standing | None:
    """The whole account's month that goes on, where it has a budget."""
    selection = Selection(nature, Period.parse("", now))
    budget = budget_of(budgets.all, selection)
    if budget is None:
        return None
    coming = month_forecast(ledger, selection, now.astimezone(UTC).date())
    return against(budget, ledger.total(selection).amount, now, coming)


def figures(seen: Seen) -> list[Figure]:
    """The card for the strip: what is left; none without a budget."""
    if seen.stands is None:
        return []
    left = seen.stands.left
    return [
        Figure(
            "spend-budget",
            "Budget left" if left >= 0 else "Over budget",
            money(abs(left)),
            seen.stands.sentence,
            Place.RECEIPT,
            "Open what is spent of it",
            receipt.of(seen.selection.nature),
            tone=TONES[seen.stands.level] if seen.stands.level.is_warning else "",
            query=seen.selection.over(seen.month).query(),
        )
    ]


def limit(seen: Seen, made: Statement) -> Limit | None:
    """The line in the chart of the month, and above the bars of months."""
    if seen.stands is None or not (seen.is_shown_month or made.series.is_monthly):
        return None
    return Limit("budget", seen.stands.budget.limit)


def panel(aws: Aws, seen: Seen, ledger: Ledger, now: datetime) -> None:
    """The bar, the warning and what can be done; then all budgets of the account and what was told."""
    with st.container(border=True, key="panel-budget", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="budget-line"):
            st.html(bar(seen) if seen.stands else f'<div class="kn-row">{note(Markup(why_none(seen)))}</div>')
            if seen.budgets.problem is None:
                set_here = seen.stands is not None and seen.stands.budget.is_kennels
                st.button(
                    "Change budget" if set_here else "Set a budget",
                    key="budget-set",
                    icon=":material/savings:",
                    on_click=confirm.ask,
                    args=(partial(budget_dialog.question, aws, ledger, seen.selection, seen.budgets.all),),
                )
        if seen.budgets.all:
            with st.expander(budget_alerts.heading(seen.budgets.all), key="budgets-all"):
                read, messages = state.budgets(aws).at, state.budget_messages(aws)
                for one in seen.budgets.all:
                    row(aws, one, read, messages)
                budget_alerts.sent(messages)


def why_none(seen: Seen) -> str:
    """Why there is no bar, as markup."""
    if seen.budgets.problem is not None:
        return f"Budgets: not checked. {escape(str(seen.budgets.problem))}"
    if seen.selection.nature is Nature.SAMPLE:
        return "A budget counts the account's own money; what is shown here is the sample's."
    kept = [f"{by.value} {name}" for by, name in seen.selection.only]
    return f"No monthly budget for {escape(' and '.join(kept) or 'the whole account')}."


def bar(seen: Seen) -> str:
    """The month in a bar: what is spent, where the month stands, where the limit is; and a warning in words."""
    stands = seen.stands
    if stands is None:
        return ""
    tone = TONES[stands.level]
    widest = max(1.0, min(WIDEST, stands.share))
    filled, passed = (min(1.0, part / widest) * 100 for part in (stands.share, stands.elapsed))
    warning = f" {badge(tone, stands.level.value)}" if stands.level.is_warning else ""
    said = f"{markup.sentence(stands.warning)}." if stands.warning else f"{money(stands.left)} is left."
    return (
        f'<div class="kn-row kn-budget"><p>Budget of {escape(stands.budget.words)}, {seen.month.first:%B}: '
        f"<strong>{escape(stands.sentence)}</strong> {receipt.word_of(seen.selection.nature)}{warning}</p>"
        f'<div class="kn-budget-bar" role="img" aria-label="{escape(stands.sentence)}">'
        f'<span class="kn-{tone}" style="width:{filled:.1f}%"></span>'
        f'<i style="left:{passed:.1f}%" title="{escape(percent(stands.elapsed))} of the month has passed"></i>'
        + (f'<b style="left:{100 / widest:.1f}%" title="the limit"></b>' if widest > 1 else "")
        + f"</div>{note(said, tone if stands.level.is_warning else '')}</div>"
    )


def row(aws: Aws, budget: Budget, read: datetime, messages: Sequence[Sent]) -> None:
    """One budget of the account, as AWS had it when it was `read`, with its alerts."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-budget-{budget.name}"):
        st.html(line(budget, aws.account, read, messages))
        if budget.is_kennels:
            st.button(
                "Delete",
                key=f"delete-budget-{budget.name}",
                type="tertiary",
                help=f"Delete the budget {literal(budget.name)}",
                on_click=confirm.ask,
                args=(partial(budget_dialog.delete_question, aws, budget),),
            )


def line(budget: Budget, account: Account, read: datetime, messages: Sequence[Sent] = ()) -> str:
    """Its limit, what AWS has counted by when, and whom it tells: of each alert, whether and when it did."""
    limit = f"{money(budget.limit, budget.currency)} for {budget.words}"
    counted = "AWS has not counted it yet"
    if budget.actual is not None:
        forecast = f", expects {money(budget.forecast, budget.currency)}" if budget.forecast is not None else ""
        text = f"AWS has billed {money(budget.actual, budget.currency)}{forecast}"
        counted = receipt.inline(text, account) if account.is_embedded else escape(text)
        of = ", questions to Cost Explorer among it" if budget.scope is Scope.ALL else ""
        counted += f" (read {read:%H:%M} UTC{of})"
    parts = [told(budget), counted, escape(budget.why_apart)]
    return (
        f'<div class="kn-row"><p><strong>{escape(budget.name)}</strong> {escape(limit)}</p>'
        f'<p class="kn-note">{" · ".join(part for part in parts if part)}</p>'
        f"{budget_alerts.listed(budget, messages)}</div>"
    )


def told(budget: Budget) -> str:
    """What is to know about a budget that has no alerts to list."""
    if not budget.is_kennels:
        return "made outside of Kennel: change it in the AWS console"
    return "" if budget.alerts else "tells nobody"
