"""What the scaling editor's form says, kept while the page is open: begun from the address or from what is set, and
filled in by buttons. The fields are in scaling_form.
"""

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from dashboard.core.errors import InvalidInput
from dashboard.core.serving.scaling.plan import same
from dashboard.core.serving.scaling.policy import COOLDOWN, Scheduled, Settings, TargetTracking, Tracked
from dashboard.core.serving.scaling.scaling import Scaling
from dashboard.ui import scaling_address
from dashboard.ui.markup import note
from dashboard.ui.tones import Tone

DRAFT, OF, SEEN, FILLED = "scaling-draft", "scaling-of", "scaling-seen", "scaling-filled"
"""What the form says, whose it is (a resource id), what was set when it was last drawn, and how often it was filled."""
POLICIES = {
    Tracked.INVOCATIONS: "kennel-requests-per-instance",
    Tracked.CONCURRENT: "kennel-requests-at-once",
    Tracked.PROVISIONED: "kennel-provisioned-in-use",
    Tracked.CUSTOM: "kennel-own-metric",
}
ROOM = 2
"""More instances than the minimum that a maximum gets where a target is to move it and could not."""


def begin(scaling: Scaling) -> Settings:
    """The draft that goes on, or a new one: of the address, of what is set, or of one instance as it is."""
    draft: Settings | None = st.session_state.get(DRAFT)
    current = scaling.settings
    is_same = st.session_state.get(OF) == scaling.variant.resource_id and key("min") in st.session_state
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
        st.html(note(f"{wrong.what}; {wrong.why}: the form shows what is set.", Tone.WAITING))
        asked = None
    draft = asked or current or Settings(max(1, scaling.variant.desired), max(1, scaling.variant.desired))
    st.session_state[OF] = scaling.variant.resource_id
    fill(draft)
    return draft


def keep(draft: Settings, current: Settings | None) -> Settings:
    """Remember what the form says now, in the address too, as long as it is not what is set."""
    st.session_state[DRAFT] = draft
    _to_address(draft, current)
    return draft


def propose(tracked: Tracked, target: float) -> None:
    """Fill in a target, and the metric that it is of; for `on_click`."""
    draft: Settings | None = st.session_state.get(DRAFT)
    if draft is None:
        return
    own, others = parted(draft)
    new = own.get(tracked) or TargetTracking(POLICIES[tracked], tracked, target, COOLDOWN, COOLDOWN)
    most = max(draft.maximum, draft.minimum + ROOM) if draft.maximum == draft.minimum else draft.maximum
    fill(replace(draft, maximum=most, tracking=(replace(new, target=target), *others)))


def fill(settings: Settings) -> None:
    """Make the form say this; in a callback, before the fields are drawn.

    The fields are new ones: a browser that has not yet heard of it goes on sending what the old ones said, with a click
    on something else for instance, and that would be taken for what was typed since.
    """
    st.session_state[FILLED] = st.session_state.get(FILLED, 0) + 1
    st.session_state[DRAFT] = settings
    own, _ = parted(settings)
    said: dict[str, object] = {"min": settings.minimum, "max": settings.maximum, "metrics": list(own)}
    for one in own.values():
        said |= {f"{one.tracked}-{name}": value for name, value in fields(one).items()}
    for name, value in said.items():
        st.session_state[key(name)] = value


def key(name: str) -> str:
    """A field's key: "scaling-max-2" since the form was filled a second time."""
    return f"scaling-{name}-{st.session_state.get(FILLED, 0)}"


def take(settings: Settings) -> None:
    """Take over ends and tracking; steps, schedules and what Kennel cannot write stay."""
    draft: Settings = st.session_state[DRAFT]
    own, others = parted(draft)
    # under the name that the policy of its metric has already: AWS takes one of each
    named = [replace(one, name=own[one.tracked].name) if one.tracked in own else one for one in settings.tracking]
    fill(replace(settings, tracking=(*named, *others), steps=draft.steps, scheduled=draft.scheduled))


def drop(name: str) -> None:
    draft: Settings = st.session_state[DRAFT]
    fill(
        replace(
            draft,
            tracking=tuple(one for one in draft.tracking if one.name != name),
            steps=tuple(one for one in draft.steps if one.name != name),
        )
    )


def schedule(scheduled: tuple[Scheduled, ...]) -> None:
    draft: Settings = st.session_state[DRAFT]
    st.session_state[DRAFT] = replace(draft, scheduled=scheduled)


def parted(settings: Settings) -> tuple[dict[Tracked, TargetTracking], tuple[TargetTracking, ...]]:
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


def fields(policy: TargetTracking) -> dict[str, object]:
    """The values of a policy's fields by their names."""
    found: dict[str, object] = {
        "target": float(policy.target),
        "out": policy.scale_out_cooldown,
        "in": policy.scale_in_cooldown,
        "can-scale-in": policy.can_scale_in,
    }
    if policy.custom is not None:
        metric = policy.custom
        told = "\n".join(f"{name}={value}" for name, value in metric.dimensions)
        found |= {"namespace": metric.namespace, "metric": metric.name, "statistic": metric.statistic}
        found |= {"dimensions": told, "unit": metric.unit}
    return found


def _query() -> Mapping[str, list[str]]:
    return {name: st.query_params.get_all(name) for name in scaling_address.NAMES}


def _to_address(draft: Settings, current: Settings | None) -> None:
    kept = {name: value for name, value in st.query_params.items() if name not in scaling_address.NAMES}
    wanted = kept | scaling_address.to_query(draft, current)
    if {name: st.query_params.get_all(name) for name in st.query_params} != {
        name: value if isinstance(value, list) else [value] for name, value in wanted.items()
    }:
        st.query_params.from_dict(wanted)
