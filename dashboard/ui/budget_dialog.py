"""The dialogs that set, change and delete a budget: what is wished on top, the calls that AWS would get below it."""

from collections.abc import Sequence
from decimal import Decimal
from functools import partial

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.costs.budgets import plan as budgets_plan
from dashboard.core.costs.budgets.budgets import Budget, Scope
from dashboard.core.costs.budgets.calls import TOPIC
from dashboard.core.costs.budgets.plan import BudgetPlan, There, plan_budget
from dashboard.core.costs.budgets.wish import EXPECTED, LARGEST, SPENT, Wish, addresses
from dashboard.core.costs.ledger.ledger import Ledger, groups
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.selection import Selection
from dashboard.core.errors import KennelError
from dashboard.core.format import money
from dashboard.core.people import Role
from dashboard.ui import as_code, calls
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import literal, note, sentence
from dashboard.ui.tones import Tone

Target = tuple[Scope, str]
ALL: Target = (Scope.ALL, "")
PERCENTS = (50, 80, 90, 100, 120)
FREE = "AWS asks nothing for budgets and their e-mails. SNS may charge for what a topic delivers."


def question(aws: Aws, ledger: Ledger, selection: Selection, known: Sequence[Budget]) -> Question:
    """A budget for what the page shows, or for another project or owner. Reads what AWS has of it."""
    targets = choices(ledger, known)
    first = aimed(selection, targets)
    there = {first: budgets_plan.look(aws, *first)}
    return Question("Budget", partial(_draw, aws, targets, first, there))


def choices(ledger: Ledger, known: Sequence[Budget]) -> list[Target]:
    """The whole account, and every project and owner that has receipts of the account's own, or a budget."""
    own = [receipt for receipt in ledger.receipts if receipt.nature is not Nature.SAMPLE]
    found = [(scope, name) for scope in (Scope.PROJECT, Scope.OWNER) if scope.by for name in groups(own, scope.by)]
    found += [(one.scope, one.group) for one in known if one.is_kennels and one.scope.by]
    return [ALL, *sorted({target for target in found if target[1]})]


def aimed(selection: Selection, targets: Sequence[Target]) -> Target:
    """Which of them a page shows."""
    for scope, group in targets:
        if scope.by is not None and selection.only == ((scope.by, group),):
            return scope, group
    return ALL


def named(target: Target) -> str:
    return "the whole account" if target == ALL else f"{target[0]} {target[1]}"


def _draw(aws: Aws, targets: Sequence[Target], first: Target, there: dict[Target, There]) -> Action | None:
    target = st.selectbox("For", targets, index=list(targets).index(first), format_func=named, key="budget-for")
    if target not in there:
        there[target] = budgets_plan.look(aws, *target)
    wish, problem_at = _wished(target, there[target]), st.container()
    try:
        plan = plan_budget(wish, there[target], aws.account)
    except KennelError as wrong:
        problem_at.html(note(f"{wrong}", Tone.FAILED))
        return None
    _planned(plan)
    if not plan.calls:
        return None
    label = f"Set {money(wish.limit)} a month" if plan.is_new else "Change budget"
    return Action(label, partial(budgets_plan.carry_out, aws, plan), needs=Role.MANAGER, about=plan.name)


def _wished(target: Target, there: There) -> Wish:
    """The fields, as the budget is now where there is one."""
    budget, mark = there.budget, f"{target[0]}-{target[1]}"
    alerts = [one for one in there.alerts if not one.is_odd]
    limit = st.number_input(
        "Limit a month (USD)",
        min_value=0.0,
        max_value=float(LARGEST),
        value=min(float(budget.limit), float(LARGEST)) if budget else 100.0,
        step=10.0,
        format="%.2f",
        key=f"budget-limit-{mark}",
    )
    mails = sorted({address for one in alerts for address in one.emails})
    written = st.text_input(
        "Tell these e-mail addresses",
        value=", ".join(mails),
        placeholder="ada@example.com, team@example.com",
        key=f"budget-mails-{mark}",
        live=True,
        autocomplete="off",
    )
    spent = [int(one.threshold) for one in alerts if not one.is_forecast]
    expected = [int(one.threshold) for one in alerts if one.is_forecast]
    with st.container(horizontal=True):
        chosen = st.pills(
            "When spent (% of the limit)",
            sorted({*PERCENTS, *spent}),
            selection_mode="multi",
            default=spent if alerts else SPENT,
            key=f"budget-spent-{mark}",
        )
        foreseen = st.pills(
            "When AWS expects it by the month's end (%)",
            sorted({*PERCENTS[1:], *expected}),
            selection_mode="multi",
            default=expected if alerts else EXPECTED,
            key=f"budget-expected-{mark}",
        )
    publishes = st.toggle(
        f"Publish to the SNS topic {TOPIC}",
        value=any(one.topic for one in alerts),
        key=f"budget-topic-{mark}",
        help="Programs and chats subscribe to the topic. It is made when it is missing.",
    )
    return Wish(
        Decimal(f"{limit or 0:.2f}"),
        *target,
        spent=tuple(sorted(chosen)),
        expected=tuple(sorted(foreseen)),
        emails=addresses(written or ""),
        publishes=publishes,
    )


def _planned(plan: BudgetPlan) -> None:
    st.html(
        calls.listed(plan.calls) if plan.calls else note("AWS has exactly this budget: there is nothing to change.")
    )
    for warning in plan.warnings:
        st.html(note(f"{sentence(warning)}.", Tone.WAITING))
    for one in plan.notes:
        st.html(note(f"{sentence(one)}."))
    st.html(note(FREE))
    if plan.calls:
        with st.expander("Show as code"):
            st.code(plan.code, language="python")


def delete_question(aws: Aws, budget: Budget) -> Question:
    """What deleting ends."""
    plan = budgets_plan.plan_delete(budget, aws.account)
    return Question(f"Delete {literal(budget.name)}", partial(_draw_delete, aws, plan))


def _draw_delete(aws: Aws, plan: BudgetPlan) -> Action:
    st.html(note("Nobody is told any more, and the line goes from the chart. No money changes, and the topic stays."))
    as_code.below(plan.calls, plan.code)
    return Action(f"Delete {plan.name}", partial(budgets_plan.delete, aws, plan), is_dangerous=True, needs=Role.MANAGER)
