"""The price of a training before it starts, and the dialog that starts it."""

import secrets
from functools import partial
from html import escape

import streamlit as st

from dashboard.core.aws import Account, Aws
from dashboard.core.costs import money_note
from dashboard.core.format import duration, money
from dashboard.core.runs.launch import launch
from dashboard.core.runs.plan import Candidate, Plan
from dashboard.ui import confirm, markup, page, receipt, table, train_form
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import Markup, note
from dashboard.ui.page import Place
from dashboard.ui.words import simulated

TOKEN, CHOOSE = "train-token", "candidates-choose"


def token() -> str:
    """Identifies this intent to launch: the same until it was carried out, so that a double click launches once."""
    return str(st.session_state.setdefault(TOKEN, secrets.token_hex(8)))


def sentence(plan: Plan | None, account: Account) -> str:
    """Train's live sentence: what the form describes would take and cost."""
    if plan is None:
        return "something in the form does not fit yet"
    most = money(plan.worst.amount, plan.worst.currency)
    limit = f"at most {duration(plan.spec.max_seconds)} and {most}{simulated(account)}"
    if plan.expected.seconds is None:
        return f"{limit}; how long it will take is unknown"
    return f"about {duration(plan.expected.seconds)} and {money(plan.expected.amount)}, {limit}"


def panel(plan: Plan | None, account: Account) -> None:
    """The quote of what the form describes; its place stays while there is none."""
    with st.container(border=True, key="panel-quote"):
        page.section("What it costs")
        if plan is None:
            st.html('<div class="kn-empty kn-no-quote"><p>No quote while something in the form does not fit.</p></div>')
        else:
            quote(plan, account)


def quote(plan: Plan, account: Account) -> None:
    """Expected and worst case side by side, and what to know before."""
    left, right = st.columns(2, gap="small")
    left.html(str(receipt.sum_of(plan.expected, account, "Expected")))
    right.html(str(receipt.sum_of(plan.worst, account, "Worst case")))
    if plan.worst.unit_price:
        price = receipt.inline(receipt.price(plan.worst), account)
        st.html(note(Markup(f"{escape(plan.spec.instance_type)} at {price} · {escape(plan.worst.source)}")))
    for warning in plan.warnings:
        st.html(receipt.warning(warning, account))


def candidates(rows: tuple[Candidate, ...], chosen: str, account: Account) -> None:
    """Every instance type that could run it, the chosen one marked; a click on one takes it."""
    column = st.column_config
    why = money_note(is_embedded=account.is_embedded)
    st.container(key="table-candidates").dataframe(
        table.candidate_rows(rows, chosen),
        key="candidates",
        hide_index=True,
        placeholder="–",
        height="content",
        alt="Instance types that could run this training, cheapest first",
        column_config={
            "Chosen": column.TextColumn("Chosen", width=58, alignment="center"),
            "Instance": column.ButtonColumn(
                "Instance", alignment="left", type="tertiary", key=CHOOSE, on_click=_choose, width=130
            ),
            "Price/h": column.TextColumn("Price/h", alignment="right", help=why),
            "vCPU": column.NumberColumn("vCPU"),
            "GiB": column.NumberColumn("Memory", format="%d GiB"),
            "Expected time": column.TextColumn("Expected time", alignment="right"),
            "Expected cost": column.TextColumn("Expected cost", alignment="right", help=why),
            "Worst case": column.TextColumn("Worst case", alignment="right", help=why),
        },
    )
    if any(row.expected.seconds is None for row in rows):
        st.html(note("Unknown: no completed run of this data on that instance yet. The time limit bounds the cost."))


def _choose() -> None:
    if chosen := table.opened(CHOOSE):
        st.session_state[train_form.INSTANCE] = chosen


def question(aws: Aws, plan: Plan) -> Question:
    """The review before a launch."""
    return Question("Review launch", partial(_draw, aws, plan))


def _draw(aws: Aws, plan: Plan) -> Action:
    spec = plan.spec
    st.html(
        markup.facts(
            {
                "Run": plan.name,
                "Account": f"{aws.account.account_id} in {aws.account.region}",
                "Data": spec.dataset_uri,
                "Instance": f"{spec.instance_count} × {train_form.machine(spec.instance_type)}",
                "Settings": f"{spec.epochs} epochs, learning rate {spec.learning_rate:g}, batch size {spec.batch_size}",
                "Time limit": duration(spec.max_seconds),
            }
        )
    )
    quote(plan, aws.account)
    with st.expander("Show as code"):
        st.code(plan.code, language="python")

    def do() -> str:
        name = launch(aws, plan)
        st.session_state.pop(TOKEN, None)
        st.session_state[train_form.NAME] = ""
        return f"{name} is starting"

    return Action(
        f"Launch training, at most {receipt.amount(plan.worst)}{simulated(aws.account)}",
        do,
        then=Place.RUNS,
        query={"run": plan.name},
    )


def button(aws: Aws, plan: Plan | None) -> None:
    """Opens the review; grey while there is nothing to launch."""
    if plan is None:
        st.button("Review launch", key="review-launch", type="primary", disabled=True, width="stretch")
        return
    st.button(
        "Review launch",
        key="review-launch",
        type="primary",
        icon=":material/rocket_launch:",
        width="stretch",
        on_click=confirm.ask,
        args=(partial(question, aws, plan),),
    )
