"""Asking AWS for its prices: the plan with its calls, and what came of it."""

from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.price_table import regions
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.refresh import RefreshPlan, plan_refresh
from dashboard.core.format import count
from dashboard.core.people import Role
from dashboard.ui import confirm
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import facts, note

NEEDS = ("pricing:GetProducts", "ec2:DescribeSpotPriceHistory")


def button(aws: Aws, region: str) -> None:
    """The one way to ask AWS for the prices of a region: planned, then confirmed."""
    st.button(
        "Refresh prices",
        key="refresh-prices",
        icon=":material/refresh:",
        on_click=confirm.ask,
        args=(partial(question, aws, region),),
    )


def question(aws: Aws, region: str) -> Question:
    """Which calls a refresh makes."""
    return Question(
        f"Refresh prices of {region}", partial(_draw, aws, plan_refresh(aws.account, state.prices(), region))
    )


def _draw(aws: Aws, plan: RefreshPlan) -> Action:
    st.html(
        facts(
            {
                "Asks": plan.calls[0],
                "And": plan.calls[1],
                "Costs": "nothing: AWS answers both free of charge",
                "Changes": "nothing in the account; the answers are kept on this machine",
                "Needs": " and ".join(NEEDS),
            }
        )
    )
    if aws.account.is_embedded and plan.region not in regions(PriceBook.load(), ""):
        st.html(note(f"The embedded AWS answers from the shipped prices, and has none of {plan.region}."))
    elif aws.account.is_embedded:
        st.html(note("The embedded AWS answers from the shipped prices: their days and sources stay what they are."))

    def do() -> str:
        made = state.refresh_prices(aws, plan)
        read = len(made.found.prices) + len(made.found.extras)
        days = len({one.day for one in made.found.spot})
        lacking = "".join(f". {half} could not be read: {why.what}" for half, why in made.problems)
        return f"{count(read, 'price')} and {count(days, 'day')} of spot prices were read{lacking}"

    return Action("Refresh prices", do, needs=Role.MANAGER)
