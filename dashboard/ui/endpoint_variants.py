"""An endpoint's variants: what each serves, on what, how it does, and the dialog that shares the requests anew."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from html import escape
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.receipt import Nature
from dashboard.core.errors import InvalidInput, KennelError, Refused
from dashboard.core.format import percent
from dashboard.core.serving import live, parts, variant
from dashboard.core.serving.live import Traffic
from dashboard.core.serving.model import Endpoint, EndpointStatus
from dashboard.core.serving.span import Span
from dashboard.core.serving.weights import Share, WeightsPlan, plan_weights, set_weights
from dashboard.ui import confirm, endpoint_words, looking, page, problem, receipt
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import Markup, facts, literal, note
from dashboard.ui.tones import Tone
from dashboard.ui.words import money_word


def show(aws: Aws, name: str) -> None:
    """The table, drawn again every few seconds."""
    st.fragment(_show, run_every=3, key="endpoint-variants")(aws, name)


def _show(aws: Aws, name: str) -> None:
    with problem.shown("endpoint-variants"):
        one = state.endpoint(aws, name).value
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="variants-head"):
            page.section("Variants")
            st.space("stretch")
            if one.is_kennels and aws.account.writable:
                st.button(
                    "Change weights and instances",
                    key="change-weights",
                    icon=":material/tune:",
                    disabled=one.status is not EndpointStatus.IN_SERVICE,
                    on_click=confirm.ask,
                    args=(partial(question, aws, name),),
                )
        span = looking.span()
        st.dataframe(
            rows(one, _traffic(aws, one, span), live.lived(one, span.length, state.now())),
            hide_index=True,
            placeholder="–",
            key="table-variants",
            alt="Variants of the endpoint",
            column_config=_columns(span, Nature.of(one.tags, is_embedded=aws.account.is_embedded)),
        )
        if len(one.variants) > 1:
            st.html(note("A request goes to a variant by chance, in proportion to the weights, unless it names one."))


def _traffic(aws: Aws, one: Endpoint, span: Span) -> Mapping[str, Traffic]:
    try:
        return state.traffic(aws, one, span).value
    except KennelError:
        return {}  # the strip above says why


def rows(one: Endpoint, traffic: Mapping[str, Traffic], length: timedelta) -> list[dict[str, Any]]:
    """One row a variant."""
    shares = variant.shares(one.variants)
    made = []
    for each in one.variants:
        found = traffic.get(each.name)
        slow = found.latency("p90") if found else None
        made.append(
            {
                "Variant": each.name,
                "Model": each.model_name,
                "Serves on": each.serverless.words if each.serverless else each.instance_type,
                "Instances": None if each.serverless else f"{each.count} of {each.desired}",
                "Weight": each.weight,
                "Share": shares[each.name] * 100,
                "Requests": live.rate([found], length) if found else None,
                "p90": None if slow is None else slow * 1000,
                "Errors": None if not found or found.error_share is None else found.error_share * 100,
                "Cost": None if each.hourly.amount is None else float(each.hourly.amount),
            }
        )
    return made


def _columns(span: Span, nature: Nature) -> dict[str, Any]:
    column = st.column_config
    return {
        "Variant": column.TextColumn("Variant", width=90),
        "Weight": column.NumberColumn("Weight", width=70),
        "Share": column.NumberColumn("Of the requests", format="%.0f %%", width=104),
        "Requests": column.NumberColumn("Requests/min", format="%.1f", width=96, help=f"In the last {span.word}"),
        "p90": column.NumberColumn("p90", format="%.0f ms", width=76),
        "Errors": column.NumberColumn("Errors", format="%.1f %%", width=70),
        "Cost": column.NumberColumn(
            f"Per hour{money_word(nature)}", format="$%.3f", width=140, help="List price of its instances"
        ),
    }


def question(aws: Aws, name: str) -> Question:
    """Weights and instances as they are, to be changed. Raises the errors of `Aws.call`."""
    one = state.endpoint(aws, name).value
    return Question(f"Share the requests to {literal(name)}", partial(_draw, aws, one))


def _draw(aws: Aws, one: Endpoint) -> Action | None:
    wanted: dict[str, Share] = {}
    for each in one.variants:
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            weight = st.number_input(
                f"Weight of {literal(each.name)}", 0.0, value=each.desired_weight, step=0.1, key=f"weight-{each.name}"
            )
            number = each.desired
            if not each.serverless:
                number = int(
                    st.number_input(
                        f"Instances of {literal(each.name)}",
                        *parts.COUNT,
                        value=min(max(each.desired, parts.COUNT[0]), parts.COUNT[1]),
                        key=f"count-{each.name}",
                    )
                )
        wanted[each.name] = Share(weight, number)
    if len(wanted) > 1:
        st.html(note(shares(wanted)))
    if all(wanted[each.name] == Share(each.desired_weight, each.desired) for each in one.variants):
        st.html(note(f"Nothing is changed yet: {endpoint_words.hourly(one.hourly)} as it is."))
        return None
    try:
        plan = plan_weights(one, wanted, account=aws.account, prices=state.prices())
    except (InvalidInput, Refused) as wrong:
        st.html(note(f"{wrong}", Tone.WAITING if isinstance(wrong, Refused) else Tone.FAILED))
        return None
    return _action(aws, plan, Nature.of(one.tags, is_embedded=aws.account.is_embedded))


def shares(wanted: Mapping[str, Share]) -> str:
    """Who would be asked how often: "Of the requests get: main 90 % · other 10 %."."""
    whole = sum(share.weight for share in wanted.values())
    if not whole:
        return "Nobody would be asked."
    told = " · ".join(f"{name} {percent(share.weight / whole)}" for name, share in wanted.items())
    return f"Of the requests get: {told}."


def _action(aws: Aws, plan: WeightsPlan, nature: Nature) -> Action:
    before, after = (endpoint_words.hourly(quote) for quote in (plan.before, plan.after))
    money = f"{before} → {after}" if before != after else f"{after} as before"
    st.html(
        facts(
            {
                "Changes": ". ".join(plan.changes),
                "Cost": Markup(f"{escape(money)} {receipt.of(nature)}"),
            }
        )
    )
    st.html(note("If auto scaling keeps this variant, it may change the number of instances again."))
    with st.expander("Show as code"):
        st.code(plan.code, language="python")

    def do() -> str:
        set_weights(aws, plan)
        return f"{plan.endpoint} is being changed; it goes on serving"

    return Action(f"Change it to {after}{money_word(nature)}", do)
