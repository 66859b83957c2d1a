"""The editor of a variant's auto scaling: fields that say what is set, what was asked for in the address, or what was
typed. Whatever it says is in the address.
"""

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from dashboard.core.errors import InvalidInput
from dashboard.core.serving.scaling import explain
from dashboard.core.serving.scaling.plan import same, told
from dashboard.core.serving.scaling.plan import steps as step_words
from dashboard.core.serving.scaling.policy import (
    COOLDOWN,
    CustomMetric,
    Scheduled,
    Settings,
    StepPolicy,
    TargetTracking,
    Tracked,
    reference,
)
from dashboard.core.serving.scaling.refuse import STATISTICS
from dashboard.core.serving.scaling.scaling import Scaling
from dashboard.core.serving.scaling.variant import Kind, Variant
from dashboard.ui import scaling_address, scaling_schedule
from dashboard.ui.markup import escape, note
from dashboard.ui.tones import Tone

DRAFT, OF, SEEN = "scaling-draft", "scaling-of", "scaling-seen"
"""What the form says, whose it is (a resource id), and what was set when it was last drawn."""
LARGEST = 2**31 - 1
NAMES = {
    Tracked.INVOCATIONS: "Requests per minute",
    Tracked.CONCURRENT: "Requests at once",
    Tracked.PROVISIONED: "Provisioned in use",
    Tracked.CUSTOM: "Own metric",
}
POLICIES = {
    Tracked.INVOCATIONS: "kennel-requests-per-instance",
    Tracked.CONCURRENT: "kennel-requests-at-once",
    Tracked.PROVISIONED: "kennel-provisioned-in-use",
    Tracked.CUSTOM: "kennel-own-metric",
}
USUAL = {Tracked.INVOCATIONS: 100.0, Tracked.CONCURRENT: 4.0, Tracked.PROVISIONED: 0.7, Tracked.CUSTOM: 60.0}
"""Targets that a new policy begins with; Measure recommends better ones."""


def show(scaling: Scaling, latency: float | None) -> Settings:
    """The form; what it says. `latency`: mean seconds of a request, None where unknown."""
    draft = _begin(scaling)
    _presets(scaling)
    draft = _ends(draft, scaling.variant)
    draft = _tracking(draft, scaling.variant, latency)
    _kept(draft)
    draft = replace(draft, scheduled=scaling_schedule.show(draft.scheduled, scaling.variant, _set_scheduled))
    st.session_state[DRAFT] = draft
    _to_address(draft, scaling.settings)
    return draft


def propose(tracked: Tracked, target: float) -> None:
    """Fill in a target, and the metric that it is of; for `on_click`."""
    draft: Settings | None = st.session_state.get(DRAFT)
    if draft is None:
        return
    own, others = _parted(draft)
    new = own.get(tracked) or TargetTracking(POLICIES[tracked], tracked, target, COOLDOWN, COOLDOWN)
    fill(replace(draft, tracking=(replace(new, target=target), *others)))


def fill(settings: Settings) -> None:
    """Make the form say this; in a callback, before the fields are drawn."""
    st.session_state[DRAFT] = settings
    st.session_state["scaling-min"], st.session_state["scaling-max"] = settings.minimum, settings.maximum
    own, _ = _parted(settings)
    st.session_state["scaling-metrics"] = list(own)
    for one in own.values():
        for name, value in _fields(one).items():
            st.session_state[f"scaling-{one.tracked}-{name}"] = value


def _parted(settings: Settings) -> tuple[dict[Tracked, TargetTracking], tuple[TargetTracking, ...]]:
    """The policies that have fields, one a metric, and the others, which are shown and kept: what Kennel cannot write,
    and further ones on metrics of one's own.
    """
    own: dict[Tracked, TargetTracking] = {}
    others = []
    for one in settings.tracking:
        if scaling_address.is_foreign(one) or one.tracked in own:
            others.append(one)
        else:
            own[one.tracked] = one
    return own, tuple(others)


def _fields(policy: TargetTracking) -> dict[str, object]:
    """The values of a policy's fields by their names."""
    found: dict[str, object] = {
        "target": float(policy.target),
        "out": policy.scale_out_cooldown,
        "in": policy.scale_in_cooldown,
        "can-scale-in": policy.can_scale_in,
    }
    if policy.custom is not None:
        metric = policy.custom
        told = ", ".join(f"{name}={value}" for name, value in metric.dimensions)
        found |= {"namespace": metric.namespace, "metric": metric.name, "statistic": metric.statistic}
        found |= {"dimensions": told, "unit": metric.unit}
    return found


def _begin(scaling: Scaling) -> Settings:
    """The draft that goes on, or a new one: of the address, of what is set, or of one instance as it is."""
    draft: Settings | None = st.session_state.get(DRAFT)
    current = scaling.settings
    is_same = st.session_state.get(OF) == scaling.variant.resource_id and "scaling-min" in st.session_state
    seen: Settings | None = st.session_state.get(SEEN)
    st.session_state[SEEN] = current
    if draft is not None and is_same:
        if current is None or same(current, seen) or not same(draft, seen):
            return draft
        fill(current)  # nothing was typed, and somebody, or a scheduled action, has changed what is set
        return current
    try:
        asked = scaling_address.of_query(_query(), current)
    except InvalidInput as wrong:
        st.html(note(f"{wrong.what}, which {wrong.why}: the form shows what is set.", Tone.WAITING))
        asked = None
    draft = asked or current or Settings(max(1, scaling.variant.desired), max(1, scaling.variant.desired))
    st.session_state[OF] = scaling.variant.resource_id
    fill(draft)
    return draft


def _query() -> Mapping[str, list[str]]:
    return {name: st.query_params.get_all(name) for name in scaling_address.NAMES}


def _to_address(draft: Settings, current: Settings | None) -> None:
    kept = {name: value for name, value in st.query_params.items() if name not in scaling_address.NAMES}
    wanted = kept | scaling_address.to_query(draft, current)
    if {name: st.query_params.get_all(name) for name in st.query_params} != {
        name: value if isinstance(value, list) else [value] for name, value in wanted.items()
    }:
        st.query_params.from_dict(wanted)


def _presets(scaling: Scaling) -> None:
    with st.container(horizontal=True, gap="small", key="scaling-presets"):
        if scaling.variant.kind is not Kind.SERVERLESS:
            for target in (10, 20):
                st.button(
                    f"Reference, target {target}",
                    key=f"scaling-reference-{target}",
                    help="1 to 3 instances, 30 s / 30 s, as the write-ups of this workflow set it",
                    on_click=_take,
                    args=(reference(target),),
                )
        draft: Settings = st.session_state[DRAFT]
        if scaling.settings is not None and not same(draft, scaling.settings):
            st.button(
                "Back to what is set", key="scaling-back", type="tertiary", on_click=fill, args=(scaling.settings,)
            )
    if scaling.variant.kind is not Kind.SERVERLESS:
        with st.expander("What the reference settings mean", key="scaling-reference-means"):
            st.html(note(explain.REFERENCE))


def _take(settings: Settings) -> None:
    """Take over ends and tracking; steps, schedules and what Kennel cannot write stay."""
    draft: Settings = st.session_state[DRAFT]
    own, others = _parted(draft)
    # under the name that the policy of its metric has already: AWS takes one of each
    named = [replace(one, name=own[one.tracked].name) if one.tracked in own else one for one in settings.tracking]
    fill(replace(settings, tracking=(*named, *others), steps=draft.steps, scheduled=draft.scheduled))


def _ends(draft: Settings, variant: Variant) -> Settings:
    noun = "provisioned" if variant.kind is Kind.SERVERLESS else "instances"
    left, right = st.columns(2, gap="small")
    with left:
        least = st.number_input(f"Minimum ({noun})", min_value=0, max_value=LARGEST, step=1, key="scaling-min")
    with right:
        most = st.number_input(f"Maximum ({noun})", min_value=0, max_value=LARGEST, step=1, key="scaling-max")
    return replace(draft, minimum=int(least or 0), maximum=int(most or 0))


def _tracking(draft: Settings, variant: Variant, latency: float | None) -> Settings:
    own = [Tracked.PROVISIONED] if variant.kind is Kind.SERVERLESS else [Tracked.INVOCATIONS, Tracked.CONCURRENT]
    offered = [*own, Tracked.CUSTOM]
    offered += [one.tracked for one in draft.tracking if one.tracked not in offered]
    chosen = st.pills(
        "Keep steady",
        offered,
        selection_mode="multi",
        format_func=lambda one: NAMES[one],
        key="scaling-metrics",
        help="Target tracking adds instances while the metric is above its target, and takes them away well below it. "
        "Of several metrics the one that wants most instances decides.",
    )
    old, others = _parted(draft)
    policies = [_policy(tracked, old.get(tracked), variant, latency) for tracked in offered if tracked in chosen]
    if not chosen and not others and not draft.steps:
        st.html(note("Without a metric nothing moves it, apart from scheduled actions."))
    return replace(draft, tracking=(*policies, *others))


def _policy(tracked: Tracked, old: TargetTracking | None, variant: Variant, latency: float | None) -> TargetTracking:
    """The fields of one policy. A new one begins with usual values, a custom one with the processor's use."""
    for name, value in _fields(old or _new(tracked, variant)).items():
        st.session_state.setdefault(f"scaling-{tracked}-{name}", value)
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
                key=f"scaling-{tracked}-target",
            )
        with second:
            out = st.number_input("Cooldown out (s)", min_value=0, step=10, key=f"scaling-{tracked}-out")
        with third:
            back = st.number_input("Cooldown in (s)", min_value=0, step=10, key=f"scaling-{tracked}-in")
        can_scale_in = st.toggle("May scale in", key=f"scaling-{tracked}-can-scale-in")
        name = old.name if old else POLICIES[tracked]
        made = TargetTracking(name, tracked, float(target or 0), int(back or 0), int(out or 0), can_scale_in, custom)
        st.html(note(explain.meaning(made, latency)))
    return made


def _new(tracked: Tracked, variant: Variant) -> TargetTracking:
    custom = None
    if tracked is Tracked.CUSTOM:
        dimensions = (("EndpointName", variant.endpoint), ("VariantName", variant.name))
        custom = CustomMetric("/aws/sagemaker/Endpoints", "CPUUtilization", "Average", dimensions)
    return TargetTracking(POLICIES[tracked], tracked, USUAL[tracked], COOLDOWN, COOLDOWN, True, custom)


def _custom(tracked: Tracked) -> CustomMetric:
    left, right = st.columns(2, gap="small")
    with left:
        namespace = st.text_input("Namespace", key=f"scaling-{tracked}-namespace")
        statistic = st.selectbox("Statistic", STATISTICS, key=f"scaling-{tracked}-statistic")
    with right:
        name = st.text_input("Metric", key=f"scaling-{tracked}-metric")
        unit = st.text_input("Unit", key=f"scaling-{tracked}-unit", placeholder="any", help="As the metric is sent")
    told = st.text_input("Dimensions", key=f"scaling-{tracked}-dimensions", placeholder="EndpointName=dogs")
    parts = [part.strip() for part in (told or "").split(",") if part.strip()]
    pairs = tuple((name.strip(), value.strip()) for name, _, value in (part.partition("=") for part in parts))
    return CustomMetric((namespace or "").strip(), (name or "").strip(), statistic or "", pairs, (unit or "").strip())


def _kept(draft: Settings) -> None:
    """Policies that are shown and can be removed, and are written elsewhere."""
    others: list[tuple[TargetTracking | StepPolicy, str]] = [
        (
            one,
            "tracks what Kennel cannot write, such as metric math: kept as it is" if one.custom is None else told(one),
        )
        for one in _parted(draft)[1]
    ]
    others += [(one, f"step policy: {step_words(one)}") for one in draft.steps]
    for one, said in others:
        with st.container(horizontal=True, vertical_alignment="center", key=f"row-kept-{one.name}"):
            st.html(f'<div class="kn-row"><p><strong>{escape(one.name)}</strong></p>{note(said)}</div>')
            st.button("Remove", key=f"scaling-drop-{one.name}", type="tertiary", on_click=_drop, args=(one.name,))


def _drop(name: str) -> None:
    draft: Settings = st.session_state[DRAFT]
    fill(
        replace(
            draft,
            tracking=tuple(one for one in draft.tracking if one.name != name),
            steps=tuple(one for one in draft.steps if one.name != name),
        )
    )


def _set_scheduled(scheduled: tuple[Scheduled, ...]) -> None:
    draft: Settings = st.session_state[DRAFT]
    st.session_state[DRAFT] = replace(draft, scheduled=scheduled)
