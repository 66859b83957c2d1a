"""The editor of a variant's auto scaling: fields that say what is set, what an address asked for, or what was typed.

What they say is kept by scaling_draft.
"""

from dataclasses import replace

import streamlit as st

from dashboard.core.serving.scaling import explain
from dashboard.core.serving.scaling.plan import same, told
from dashboard.core.serving.scaling.plan import steps as step_words
from dashboard.core.serving.scaling.policy import (
    COOLDOWN,
    CustomMetric,
    Settings,
    StepPolicy,
    TargetTracking,
    Tracked,
    reference,
)
from dashboard.core.serving.scaling.refuse import STATISTICS
from dashboard.core.serving.scaling.scaling import Scaling
from dashboard.core.serving.scaling.variant import Kind, Variant
from dashboard.ui import scaling_draft, scaling_schedule
from dashboard.ui.markup import escape, note

LARGEST = 2**31 - 1
NAMES = {
    Tracked.INVOCATIONS: "Requests per minute",
    Tracked.CONCURRENT: "Requests at once",
    Tracked.PROVISIONED: "Provisioned in use",
    Tracked.CUSTOM: "Own metric",
}
USUAL = {Tracked.INVOCATIONS: 100.0, Tracked.CONCURRENT: 4.0, Tracked.PROVISIONED: 0.7, Tracked.CUSTOM: 60.0}
"""Targets that a new policy begins with; Measure recommends better ones."""


def show(scaling: Scaling, latency: float | None, scale: float) -> Settings:
    """The form; what it says. `latency`: mean seconds of a request, None where unknown; scale: of time, 1 on AWS."""
    draft = scaling_draft.begin(scaling)
    _presets(scaling)
    draft = _ends(draft, scaling.variant)
    draft = _tracking(draft, scaling.variant, latency, scale)
    _kept(draft)
    draft = replace(draft, scheduled=scaling_schedule.show(draft.scheduled, scaling.variant, scaling_draft.schedule))
    return scaling_draft.keep(draft, scaling.settings)


def _presets(scaling: Scaling) -> None:
    with st.container(horizontal=True, gap="small", key="scaling-presets"):
        if scaling.variant.kind is not Kind.SERVERLESS:
            for target in (10, 20):
                st.button(
                    f"Reference, target {target}",
                    key=f"scaling-reference-{target}",
                    help="1 to 3 instances, 30 s / 30 s, as the write-ups of this workflow set it",
                    on_click=scaling_draft.take,
                    args=(reference(target),),
                )
        draft: Settings = st.session_state[scaling_draft.DRAFT]
        if scaling.settings is not None and not same(draft, scaling.settings):
            st.button(
                "Back to what is set",
                key="scaling-back",
                type="tertiary",
                on_click=scaling_draft.fill,
                args=(scaling.settings,),
            )
    if scaling.variant.kind is not Kind.SERVERLESS:
        with st.expander("What the reference settings mean", key="scaling-reference-means"):
            st.html(note(explain.REFERENCE))


def _ends(draft: Settings, variant: Variant) -> Settings:
    noun = "provisioned" if variant.kind is Kind.SERVERLESS else "instances"
    left, right = st.columns(2, gap="small")
    with left:
        least = st.number_input(
            f"Minimum ({noun})", min_value=0, max_value=LARGEST, step=1, key=scaling_draft.key("min")
        )
    with right:
        most = st.number_input(
            f"Maximum ({noun})", min_value=0, max_value=LARGEST, step=1, key=scaling_draft.key("max")
        )
    return replace(draft, minimum=int(least or 0), maximum=int(most or 0))


def _tracking(draft: Settings, variant: Variant, latency: float | None, scale: float) -> Settings:
    own = [Tracked.PROVISIONED] if variant.kind is Kind.SERVERLESS else [Tracked.INVOCATIONS, Tracked.CONCURRENT]
    offered = [*own, Tracked.CUSTOM]
    offered += [one.tracked for one in draft.tracking if one.tracked not in offered]
    chosen = st.pills(
        "Keep steady",
        offered,
        selection_mode="multi",
        format_func=lambda one: NAMES[one],
        key=scaling_draft.key("metrics"),
        help="Target tracking adds instances while the metric is above its target, and takes them away well below it. "
        "Of several metrics the one that wants most instances decides.",
    )
    old, others = scaling_draft.parted(draft)
    policies = [_policy(tracked, old.get(tracked), variant, latency, scale) for tracked in offered if tracked in chosen]
    if not chosen and not others and not draft.steps:
        st.html(note("Without a metric nothing moves it, apart from scheduled actions."))
    return replace(draft, tracking=(*policies, *others))


def _policy(
    tracked: Tracked, old: TargetTracking | None, variant: Variant, latency: float | None, scale: float
) -> TargetTracking:
    """The fields of one policy. A new one begins with usual values, a custom one with the processor's use."""
    for name, value in scaling_draft.fields(old or _new(tracked, variant)).items():
        st.session_state.setdefault(scaling_draft.key(f"{tracked}-{name}"), value)
    with st.container(border=True, gap="xsmall", key=f"panel-policy-{tracked}"):
        st.html(f'<h3 class="kn-group">{NAMES[tracked]}</h3>')
        custom = _custom(tracked) if tracked is Tracked.CUSTOM else None
        first, second, third = st.columns((4, 3, 3), gap="small")
        with first:
            target = st.number_input(
                f"Target ({tracked.unit})" if tracked is Tracked.PROVISIONED else "Target",
                min_value=0.0,
                step=0.05 if tracked is Tracked.PROVISIONED else 1.0,
                format="%g",
                key=scaling_draft.key(f"{tracked}-target"),
            )
        with second:
            out = st.number_input("Cooldown out (s)", min_value=0, step=10, key=scaling_draft.key(f"{tracked}-out"))
        with third:
            back = st.number_input("Cooldown in (s)", min_value=0, step=10, key=scaling_draft.key(f"{tracked}-in"))
        can_scale_in = st.toggle("May scale in", key=scaling_draft.key(f"{tracked}-can-scale-in"))
        name = old.name if old else scaling_draft.POLICIES[tracked]
        made = TargetTracking(name, tracked, float(target or 0), int(back or 0), int(out or 0), can_scale_in, custom)
        st.html(note(explain.meaning(made, latency)))
        if here := explain.shorter(made, scale):
            st.html(note(here))
    return made


def _new(tracked: Tracked, variant: Variant) -> TargetTracking:
    custom = None
    if tracked is Tracked.CUSTOM:
        dimensions = (("EndpointName", variant.endpoint), ("VariantName", variant.name))
        custom = CustomMetric("/aws/sagemaker/Endpoints", "CPUUtilization", "Average", dimensions)
    return TargetTracking(scaling_draft.POLICIES[tracked], tracked, USUAL[tracked], COOLDOWN, COOLDOWN, True, custom)


def _custom(tracked: Tracked) -> CustomMetric:
    left, right = st.columns(2, gap="small")
    with left:
        namespace = st.text_input("Namespace", key=scaling_draft.key(f"{tracked}-namespace"))
        statistic = st.selectbox("Statistic", STATISTICS, key=scaling_draft.key(f"{tracked}-statistic"))
    with right:
        name = st.text_input("Metric", key=scaling_draft.key(f"{tracked}-metric"))
        unit = st.text_input(
            "Unit", key=scaling_draft.key(f"{tracked}-unit"), placeholder="any", help="As the metric is sent"
        )
    told = st.text_area(
        "Dimensions, one a line",
        key=scaling_draft.key(f"{tracked}-dimensions"),
        placeholder="EndpointName=dogs",
        height="content",
    )
    parts = [part.strip() for part in (told or "").splitlines() if part.strip()]
    pairs = tuple((name.strip(), value.strip()) for name, _, value in (part.partition("=") for part in parts))
    return CustomMetric((namespace or "").strip(), (name or "").strip(), statistic or "", pairs, (unit or "").strip())


def _kept(draft: Settings) -> None:
    """Policies that are shown and can be removed, and are written elsewhere."""
    others: list[tuple[TargetTracking | StepPolicy, str]] = [
        (
            one,
            "tracks what Kennel cannot write, such as metric math: kept as it is" if one.custom is None else told(one),
        )
        for one in scaling_draft.parted(draft)[1]
    ]
    others += [(one, f"step policy: {step_words(one)}") for one in draft.steps]
    for one, said in others:
        with st.container(horizontal=True, vertical_alignment="center", key=f"row-kept-{one.name}"):
            st.html(f'<div class="kn-row"><p><strong>{escape(one.name)}</strong></p>{note(said)}</div>')
            st.button(
                "Remove", key=f"scaling-drop-{one.name}", type="tertiary", on_click=scaling_draft.drop, args=(one.name,)
            )
