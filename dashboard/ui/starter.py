"""When nothing serves: why, and the way back to an answer."""

import logging
import secrets
from functools import cache, partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.exposure import SHARE
from dashboard.core.serving.deploy import DeployPlan, deploy
from dashboard.core.serving.starter import STARTER, has_starter, plan_starter
from dashboard.doorkeeper import doorkeeper
from dashboard.ui import access, confirm, empty, receipt
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import note
from dashboard.ui.page import Place
from dashboard.ui.words import simulated

logger = logging.getLogger(__name__)


def absent(aws: Aws) -> None:
    """Nothing serves and nothing is starting: while the first start fills the account that changes by itself."""
    if state.is_filling(aws):
        st.html(
            note(
                "On its first start Kennel deploys its starter model; that takes a moment, "
                "and this page opens by itself."
            )
        )
        st.skeleton(height=180)
        return
    if access.is_visitor():
        why = ""
        if (share := doorkeeper().share) and share.endpoint and not _is_there(aws, share.endpoint):
            why = ": the one that is shared here is not there. Whoever runs this server finds in its log what to do"
            _warn(share.endpoint)
        st.html(note(f"No model answers at this moment{why}. This page opens by itself once one does."))
        st.skeleton(height=180)
        return
    can_return = aws.account.writable and has_starter(aws)
    how = "A model answers here once an endpoint serves it: deploy the model of one of your own runs"
    how += f", or the {STARTER} model that came with this account." if can_return else "."
    empty.show("serving", "No model is serving.", how, Place.RUNS, "Choose a run to deploy")
    if can_return:
        st.button(
            "Deploy the starter again",
            key="deploy-starter",
            type="primary",
            on_click=confirm.ask,
            args=(partial(question, aws),),
        )


def _is_there(aws: Aws, name: str) -> bool:
    return any(one.name == name for one in state.endpoints(aws).value)


@cache
def _warn(name: str) -> None:
    """Once in the life of a server: every visitor's page looks each two seconds."""
    logger.warning("%s names %s, and there is no such endpoint: deploy one of that name, or name another", SHARE, name)


def question(aws: Aws) -> Question:
    """What the starter's endpoint costs; each dialog is one order."""
    plan = plan_starter(aws.account, state.prices(), secrets.token_hex(8))
    return Question("Deploy the starter again", partial(_draw, aws, plan))


def _draw(aws: Aws, plan: DeployPlan) -> Action:
    st.html(note(f"Endpoint {plan.name} on {plan.instance_type}, with the model at {plan.model_uri}"))
    st.html(str(receipt.sum_of(plan.hourly, aws.account, "Costs each hour until it is deleted", plan.hourly.source)))
    for warning in plan.warnings:
        st.html(receipt.warning(warning, aws.account))
    with st.expander("Show as code"):
        st.code(plan.code, language="python")

    def do() -> str:
        name = deploy(aws, plan)
        return f"{name} is starting: it answers photos in a moment"

    return Action(f"Deploy for {receipt.amount(plan.hourly)}/h{simulated(aws.account)}", do, about=plan.name)
