"""Is it sized right, and what would make it so? One variant's auto scaling by ?endpoint= and ?variant=."""

import streamlit as st

from dashboard import state
from dashboard.ui import measure, page, problem, replay, scaling, scaling_form, scaling_plan

aws = state.connection()
endpoint, variant = (st.query_params.get(name, "") for name in (scaling.ENDPOINT, scaling.VARIANT))
if not endpoint:
    st.switch_page(page.Place.ENDPOINTS)

with problem.shown("scaling", title="Scaling"):
    now = state.scaling(aws, endpoint, variant).value
    scaling.title(aws, endpoint, now.variant.name)
    scaling.choose(now)
    scaling.live(aws, endpoint, now.variant.name)
    with st.container(key="scaling-editor"):
        left, right = st.columns((5, 8), gap="medium")
    with left:
        with st.container(border=True, key="panel-form"):
            page.section("Settings")
            after = scaling_form.show(now, scaling.latency(aws, now), aws.account.time_scale)
        with st.container(key="scaling-measure"):
            measure.section(aws, endpoint, now.variant.name)
    with right:
        scaling_plan.panel(aws, now, after, state.scaling_around(aws, now.variant))
        if now.variant.kind.has_instances:
            replay.section(aws, endpoint, now.variant.name, now.settings, after)
