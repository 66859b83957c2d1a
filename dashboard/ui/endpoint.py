"""Endpoints: a row with its state and price, and the dialog that deletes one."""

from datetime import datetime
from functools import partial
from html import escape

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.waste import expiry
from dashboard.core.format import ago
from dashboard.core.runs.model import Run
from dashboard.core.serving.delete import DeletePlan, delete_endpoint, plan_delete
from dashboard.core.serving.logs import endpoint_group
from dashboard.core.serving.model import Endpoint
from dashboard.ui import confirm, endpoint_deploy, endpoint_words, receipt
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import Markup, badge, facts, literal
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone


def row(aws: Aws, endpoint: Endpoint, now: datetime, health: str = "") -> None:
    """One endpoint: its state, how it answers where that is told, what it costs, and what can be done with it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-endpoint-{endpoint.name}"):
        st.html(line(endpoint, aws, now, health))
        st.page_link(Place.ENDPOINT, label="Open", query_params={"endpoint": endpoint.name})
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


def line(endpoint: Endpoint, aws: Aws, now: datetime, health: str = "") -> str:
    """The text of a row."""
    marks = [badge(endpoint.status.tone, endpoint.status.word, endpoint.failure)]
    if endpoint.is_sample:
        marks.append(badge(Tone.SIMULATED, "sample"))
    until = expiry.expires(endpoint.tags)
    if until and until <= now:
        marks.append(badge(Tone.WAITING, "past its time", f"it was to be gone {ago(until, now)}: see Waste"))
    cost = "not billed"
    if endpoint.status.is_billed:
        by_use = endpoint.is_serverless
        price = endpoint_words.by_use(endpoint, state.prices(), aws.account.region) if by_use else ""
        price = price or endpoint_words.hourly(endpoint.hourly)
        nature = Nature.of(endpoint.tags, is_embedded=aws.account.is_embedded)
        cost = receipt.marked(price, nature) if "$" in price else escape(price)
    left = f"kept for {endpoint_words.kept(endpoint, now)} more" if until and until > now else ""
    # Its configuration, which names the instance, may go before the endpoint does.
    parts = (escape(health), escape(endpoint.machine), cost, ago(endpoint.created, now), left)
    told = " · ".join(part for part in parts if part)
    return (
        f'<div class="kn-row"><p><strong>{escape(endpoint.name)}</strong> {" ".join(marks)}</p>'
        f'<p class="kn-note">{told}</p></div>'
    )


def delete_question(aws: Aws, name: str, *, to_list: bool = False) -> Question:
    """What deleting takes with it and saves; `to_list`: all endpoints are shown then. Raises as `plan_delete`."""
    plan = plan_delete(aws, state.prices(), name)
    nature = Nature.of(state.endpoint(aws, name).value.tags, is_embedded=aws.account.is_embedded)
    then = Place.ENDPOINTS if to_list else None
    return Question(f"Delete {literal(name)}", partial(_draw_delete, aws, plan, nature, then))


def _draw_delete(aws: Aws, plan: DeletePlan, nature: Nature, then: Place | None) -> Action | None:
    saved = Markup(f"{escape(receipt.amount(plan.saves))}/h {receipt.of(nature)}")
    st.html(
        facts(
            {
                "Goes": ", ".join(plan.deletes),
                "Stays": "; ".join(
                    (*plan.kept, f"what it printed, in {endpoint_group(plan.endpoint)} of CloudWatch Logs")
                ),
                "Saves": saved if plan.saves.is_known else f"unknown: {plan.saves.why_unknown}",
            }
        )
    )

    def do() -> str:
        delete_endpoint(aws, plan)
        return f"{plan.endpoint} is being deleted"

    typed = (plan.endpoint, "Whoever asks it gets an error from then on.")
    return Action(f"Delete {plan.endpoint}", do, then=then, is_dangerous=True, typed=typed)


def deploy_question(aws: Aws, run: Run, token: str) -> Question:
    """Name, instances and price of a new endpoint for a run's model."""
    return endpoint_deploy.of_model(aws, run, token)
