"""The VPC of a function: none, or subnets and groups, and whether it reaches its endpoint from there."""

from dataclasses import replace
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.serving.functions.deploy import plan_update
from dashboard.core.serving.functions.functions import Details
from dashboard.core.serving.functions.network import Networks, Reach, reach
from dashboard.core.serving.functions.role import photos_in
from dashboard.core.serving.functions.wanted import Wanted, like
from dashboard.ui import confirm, function_plan, markup, page, unread
from dashboard.ui.confirm import Question
from dashboard.ui.markup import badge, note
from dashboard.ui.tones import Tone

WHY = (
    "In a VPC a function reaches private things, and no longer the internet by itself: it has no public address, "
    "whatever its subnet gives others. To ask its endpoint it then needs an interface endpoint of sagemaker.runtime, "
    "or a NAT gateway. A function that only asks an endpoint needs no VPC: SageMaker takes signed requests alone."
)


def show(aws: Aws, details: Details) -> None:
    """Where it is, where it could be, and what it reaches from there."""
    one = details.function
    told = state.function_networks(aws)
    page.section("Network")
    st.html(note(WHY))
    by_id = {each.id: f"{each.id} {each.name} · {each.zone} · {each.network}" for each in told.subnets}
    names = {each.id: f"{each.id} {each.name} · {each.network}" for each in told.groups}
    subnets = st.multiselect(
        "Subnets",
        sorted({*by_id, *one.subnets}),
        default=list(one.subnets),
        format_func=lambda each: by_id.get(each, each),
        key="function-subnets",
        help="Of two zones or more, so that one zone's failure does not stop it",
    )
    groups = st.multiselect(
        "Security groups",
        sorted({*names, *one.groups}),
        default=list(one.groups),
        format_func=lambda each: names.get(each, each),
        key="function-groups",
    )
    _verdict(reach(told, subnets, groups))
    if told.unread is not None:
        unread.show("Not checked", [Unread("routes and interface endpoints", told.unread)], "function-network")
    if not (one.is_kennels or one.is_sample):
        st.html(note("Kennel did not make this function, and does not change it."))
        return
    wanted = (tuple(subnets), tuple(groups))
    st.button(
        "Review",
        key="network-review",
        type="primary",
        disabled=wanted == (one.subnets, one.groups) or bool(subnets) != bool(groups),
        on_click=confirm.ask,
        args=(partial(_question, aws, one.name, *wanted),),
        help="Shows the plan; nothing is changed yet",
    )


def _verdict(found: Reach) -> None:
    tone, word = {
        True: (Tone.DONE, "reaches its endpoint"),
        False: (Tone.FAILED, "does not reach its endpoint"),
        None: (Tone.WAITING, "not checked"),
    }[found.ok]
    st.html(markup.Markup(f"<p>{badge(tone, word)} {markup.escape(markup.sentence(found.why))}.</p>"))
    if found.what_to_do:
        st.html(note(f"{markup.sentence(found.what_to_do)}."))


def _question(aws: Aws, name: str, subnets: tuple[str, ...], groups: tuple[str, ...]) -> Question:
    details = state.function(aws, name).value
    granted = state.function_rights(aws, name)
    plan = plan_update(
        details, _wanted(aws, details, granted, subnets, groups), None, account=aws.account, granted=granted
    )
    told: Networks = state.function_networks(aws)
    found = reach(told, subnets, groups)
    if found.ok is False:
        plan = replace(plan, warnings=(found.why, *plan.warnings))
    return function_plan.question(aws, plan)


def _wanted(
    aws: Aws, details: Details, granted: dict[str, object] | None, subnets: tuple[str, ...], groups: tuple[str, ...]
) -> Wanted:
    one, account = details.function, aws.account
    arns = {each.name: each.arn for each in state.endpoints(aws).value}
    arn = arns.get(one.endpoint, f"arn:aws:sagemaker:{account.region}:{account.account_id}:endpoint/{one.endpoint}")
    return replace(like(one, arn, photos_in(granted)), subnets=subnets, groups=groups)
