"""Endpoints: a row with its state and price, and the dialogs that make and delete one."""

from datetime import datetime
from functools import partial
from html import escape

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.waste import expiry
from dashboard.core.costs.waste.expiry import Keep
from dashboard.core.errors import InvalidInput
from dashboard.core.format import ago, duration, money
from dashboard.core.runs.instances import SERVING
from dashboard.core.runs.model import Run
from dashboard.core.serving.deploy import DeployPlan, deploy, plan_deploy
from dashboard.core.serving.endpoints import DeletePlan, Endpoint, delete_endpoint, plan_delete
from dashboard.ui import confirm, receipt
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import Markup, badge, facts, literal, note
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone
from dashboard.ui.words import simulated


def row(aws: Aws, endpoint: Endpoint, now: datetime) -> None:
    """One endpoint: its state, what it costs, and what can be done with it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-endpoint-{endpoint.name}"):
        st.html(line(endpoint, aws, now))
        if endpoint.status.is_serving:
            st.page_link(Place.CLASSIFY, label="Classify", query_params={"endpoint": endpoint.name})
        if endpoint.is_kennels and not endpoint.status.is_going:
            st.button(
                "Delete",
                key=f"delete-{endpoint.name}",
                type="tertiary",
                help=f"Delete the endpoint {literal(endpoint.name)}",
                on_click=confirm.ask,
                args=(partial(delete_question, aws, endpoint.name),),
            )


def line(endpoint: Endpoint, aws: Aws, now: datetime) -> str:
    """The text of a row."""
    marks = [badge(endpoint.status.tone, endpoint.status.word, endpoint.failure)]
    if endpoint.is_sample:
        marks.append(badge(Tone.SIMULATED, "sample"))
    until = expiry.expires(endpoint.tags)
    if until and until <= now:
        marks.append(badge(Tone.WAITING, "past its time", f"it was to be gone {ago(until, now)}: see Waste"))
    several = endpoint.instance_type and endpoint.count > 1
    machine = f"{endpoint.count} × {endpoint.instance_type}" if several else endpoint.instance_type
    cost = "price unknown"
    if not endpoint.status.is_billed:
        cost = "not billed"
    elif endpoint.hourly.is_known:
        nature = Nature.of(endpoint.tags, is_embedded=aws.account.is_embedded)
        price = f"{money(endpoint.hourly.amount, endpoint.hourly.currency)}/h"
        cost = f'<span class="kn-money">{escape(price)} {receipt.word_of(nature)}</span>'
    wanted = f"wanted for {duration((until - now).total_seconds())} more" if until and until > now else ""
    # Its configuration, which names the instance, may go before the endpoint does.
    told = " · ".join(part for part in (escape(machine), cost, ago(endpoint.created, now), wanted) if part)
    return (
        f'<div class="kn-row"><p><strong>{escape(endpoint.name)}</strong> {" ".join(marks)}</p>'
        f'<p class="kn-note">{told}</p></div>'
    )


def delete_question(aws: Aws, name: str) -> Question:
    """What deleting takes with it and saves. Raises the errors of `plan_delete`."""
    plan = plan_delete(aws, state.prices(), name)
    return Question(f"Delete {literal(name)}", partial(_draw_delete, aws, plan))


def _draw_delete(aws: Aws, plan: DeletePlan) -> Action | None:
    saved = Markup(f"{escape(receipt.amount(plan.saves))}/h {receipt.label(aws.account)}")
    st.html(
        facts(
            {
                "Goes": ", ".join(plan.deletes),
                **({"Stays": ". ".join(plan.kept)} if plan.kept else {}),
                "Saves": saved if plan.saves.is_known else f"unknown: {plan.saves.why_unknown}",
            }
        )
    )
    if not confirm.type_name(plan.endpoint, "Whoever asks it gets an error from then on."):
        return None

    def do() -> str:
        delete_endpoint(aws, plan)
        return f"{plan.endpoint} is being deleted"

    return Action(f"Delete {plan.endpoint}", do, is_dangerous=True)


def deploy_question(aws: Aws, run: Run, token: str) -> Question:
    """Name, instance type and price of a new endpoint for a run's model."""
    return Question("Deploy model", partial(_draw_deploy, aws, run, token))


def _draw_deploy(aws: Aws, run: Run, token: str) -> Action | None:
    name = st.text_input("Endpoint name", value=run.name, key="deploy-name", live=True, max_chars=63)
    slot = st.container()
    instance = st.selectbox("Instance type", SERVING, key="deploy-instance")
    keep = st.segmented_control(
        "Keep it",
        list(Keep),
        default=expiry.DEFAULT,
        required=True,
        key="deploy-keep",
        help="It is found as waste afterwards. Nothing deletes it by itself unless you schedule that.",
    )
    try:
        plan = plan_deploy(
            run,
            name or "",
            instance,
            account=aws.account,
            prices=state.prices(),
            token=token,
            keep=keep,
            now=state.now(),
        )
    except InvalidInput as wrong:
        slot.html(note(f"{wrong}", Tone.FAILED))
        return None
    st.html(str(receipt.sum_of(plan.hourly, aws.account, "Costs each hour until it is deleted", plan.hourly.source)))
    for warning in plan.warnings:
        st.html(receipt.warning(warning, aws.account))
    with st.expander("Show as code"):
        st.code(plan.code, language="python")
    label = f"Deploy for {receipt.amount(plan.hourly)}/h{simulated(aws.account)}"
    return Action(label, partial(_deploy, aws, run, plan), then=Place.RUN, query={"run": run.key})


def _deploy(aws: Aws, run: Run, plan: DeployPlan) -> str:
    name = deploy(aws, plan)
    st.session_state.pop(f"deploy-token-{run.name}", None)
    return f"{name} is starting: it answers photos in a moment"
