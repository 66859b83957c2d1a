"""Another model for an endpoint: the dialog that plans it, and how far the one that goes on has come."""

import secrets
from collections.abc import Iterable
from functools import partial
from html import escape

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.receipt import Nature
from dashboard.core.errors import InvalidInput, KennelError, Refused
from dashboard.core.format import duration, money
from dashboard.core.runs.instances import SERVING
from dashboard.core.runs.window import Window
from dashboard.core.serving import parts, rollout, sources
from dashboard.core.serving.model import Endpoint, EndpointStatus
from dashboard.core.serving.rollout import Guard, Rollout, Shift
from dashboard.core.serving.sources import Offered
from dashboard.core.serving.span import Span
from dashboard.core.serving.update import Change, Kind, UpdatePlan, check_status, plan_update, update
from dashboard.core.serving.variant import Variant
from dashboard.ui import calls, endpoint_deploy, endpoint_words, receipt
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import Markup, facts, literal, note
from dashboard.ui.tones import Tone
from dashboard.ui.words import money_word

WAITS = {60: "1 min", 300: "5 min", 600: "10 min", 1800: "30 min", 3600: "1 h", 0: "not at all"}


def progress(one: Endpoint) -> None:
    """What is being done to it, while something is."""
    if not one.status.is_changing or one.status.is_coming or one.status.is_going:
        return
    st.html(note(told(one), Tone.WAITING if one.status is EndpointStatus.ROLLING_BACK else Tone.RUNNING))
    for line in steps([*one.variants, *(one.pending.variants if one.pending else ())]):
        st.html(note(line))


def told(one: Endpoint) -> str:
    """One sentence: what goes on and what serves meanwhile."""
    if one.pending is None:
        return "Instances are being added or taken away; those that are there go on serving."
    if one.status is EndpointStatus.ROLLING_BACK:
        return f"Going back to {one.config_name}: what {one.pending.config} brought is being taken away."
    there = sum(each.count for each in one.pending.variants)
    wanted = sum(each.desired for each in one.pending.variants)
    return (
        f"Going over to {one.pending.config}: {there} of {wanted} new instances are there; {one.config_name} serves on."
    )


def steps(variants: Iterable[Variant]) -> list[str]:
    """What AWS says of the variants, each once."""
    return list(dict.fromkeys(f"{each.name}: {step}" for each in variants for step in each.steps))


def question(aws: Aws, name: str) -> Question:
    """What is to change, and how requests go over. Raises Refused while it changes, and the errors of `Aws.call`."""
    one = state.endpoint(aws, name).value
    check_status(one)
    found = sources.offered(aws, state.runs(aws, Window.ALL).value)
    return Question(f"Update {literal(name)}", partial(_draw, aws, one, found, secrets.token_hex(8)))


def _draw(aws: Aws, one: Endpoint, found: Offered, token: str) -> Action | None:
    kinds = [Kind.REPLACE] if one.is_serverless else [kind for kind in Kind if kind is not Kind.REMOVE]
    kinds += [Kind.REMOVE] if len(one.variants) > 1 else []
    kind = st.segmented_control("What changes", kinds, default=Kind.REPLACE, required=True, key="update-kind")
    change = _change(one, found, Kind(kind or Kind.REPLACE))
    if change is None:
        return None
    has_rollout = change.kind is Kind.REPLACE and not one.is_serverless
    asked = _rollout(aws, one) if has_rollout else Rollout()
    try:
        plan = plan_update(aws, one, change, asked, prices=state.prices(), token=token)
    except (InvalidInput, Refused) as wrong:
        st.html(note(f"{wrong}", Tone.FAILED))
        return None
    return _action(aws, plan, asked, Nature.of(one.tags, is_embedded=aws.account.is_embedded))


def _change(one: Endpoint, found: Offered, kind: Kind) -> Change | None:
    names = [each.name for each in one.variants]
    if kind is Kind.REMOVE:
        return Change(kind, st.selectbox("Variant that goes", names, key="update-variant") or names[0])
    model = endpoint_deploy.choose(found, "update")
    if model is None:
        return None
    if kind is Kind.REPLACE:
        chosen = st.selectbox("Variant", names, key="update-variant") if len(names) > 1 else names[0]
        return Change(kind, chosen or names[0], model)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = st.text_input("Name of the variant", "other", key="update-name", live=True, max_chars=63)
        weight = st.number_input("Weight", 0.0, value=0.1, step=0.1, key="update-weight", width=110)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        instance = st.selectbox("Instance type", SERVING, key="update-instance")
        number = st.number_input("Instances", *parts.COUNT, value=1, key="update-count", width=120)
    whole = sum(each.desired_weight for each in one.variants) + weight
    st.html(note(f"It gets {weight / whole * 100:.0f} % of the requests." if whole else "Nobody would be asked."))
    return Change(kind, name or "", model, instance, int(number), weight)


def _rollout(aws: Aws, one: Endpoint) -> Rollout:
    """How requests go over, and what takes it back."""
    shift = Shift(
        st.segmented_control(
            "Requests go over",
            list(Shift),
            format_func=lambda shift: Shift(shift).word,
            default=Shift.AT_ONCE,
            required=True,
            key="update-shift",
            help="New instances come up beside the old ones; those end when all requests have gone over (blue/green).",
        )
        or Shift.AT_ONCE
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        percent, wait = 50, 0
        if shift is not Shift.AT_ONCE:
            low, high = rollout.CANARY_PERCENT if shift is Shift.CANARY else rollout.LINEAR_PERCENT
            first = low if shift is Shift.LINEAR else 10
            percent = int(st.number_input("Step, % of the capacity", low, high, value=first, key=f"update-{shift}"))
            wait = st.selectbox("Watch after each step", list(WAITS), format_func=WAITS.__getitem__, key="update-wait")
        keep = st.selectbox(
            "Watch at the end, with the old ones kept", list(WAITS), format_func=WAITS.__getitem__, key="update-keep"
        )
    return Rollout(shift, percent, wait, keep, _guard(aws, one))


def _guard(aws: Aws, one: Endpoint) -> Guard:
    """What takes it back. An alarm that is in ALARM already would take it back at once: the latency of now is told."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        is_on = st.toggle("Go back by itself", value=True, key="update-guard", help="By alarms that Kennel makes")
        if not is_on:
            return Guard(None, None)
        errors = st.number_input("at 5xx errors a minute", 1, value=5, key="update-errors", width=170)
        latency = st.number_input(
            "or a p90 in the model, ms", 0, value=0, step=50, key="update-latency", width=190, help="0: not watched"
        )
    slow = _slow_now(aws, one)
    if slow is not None:
        st.html(note(f"The p90 in the model was {endpoint_words.milliseconds(slow)} in the last {Span.QUARTER.word}."))
    return Guard(int(errors), latency / 1000 if latency else None)


def _slow_now(aws: Aws, one: Endpoint) -> float | None:
    """Seconds; None where nobody asked, or without the right to read metrics."""
    try:
        known = state.traffic(aws, one, Span.QUARTER).value.values()
    except KennelError:
        return None
    return max((each.whole["model-p90"] for each in known if "model-p90" in each.whole), default=None)


def _action(aws: Aws, plan: UpdatePlan, asked: Rollout, nature: Nature) -> Action:
    """`nature`: of the endpoint's money; what a sample endpoint costs after an update is still the sample's."""
    before, after = endpoint_words.hourly(plan.before), endpoint_words.hourly(plan.after)
    cost = f"{before} → {after}" if before != after else f"{after} as before"
    rows = {"What": plan.words, "Cost": Markup(f"{escape(cost)} {receipt.of(nature)}")}
    if plan.extra is not None:
        said = f"{money(plan.extra, plan.after.currency)} at most for {duration(asked.overlap)} of both fleets"
        rows["Once"] = Markup(f"{escape(said)}, and the time in which the new one starts {receipt.word_of(nature)}")
    st.html(facts(rows))
    st.html(calls.listed(plan.calls))
    for warning in plan.warnings:
        st.html(receipt.warning(warning, aws.account))
    with st.expander("Show as code"):
        st.code(plan.code, language="python")

    def do() -> str:
        update(aws, plan)
        return f"{plan.endpoint} is being updated; it goes on serving"

    once = f"{money(plan.extra, plan.after.currency)} and then " if plan.extra else ""
    return Action(f"Update for {once}{after}{money_word(nature)}", do)
