"""What will this cost and how long will it take?"""

import streamlit as st

from dashboard import state
from dashboard.core.runs import plan as planning
from dashboard.ui import empty, launch, page, problem, receipt, train_form

aws = state.connection()
head = st.container()
with problem.shown(title="Train"):
    datasets = state.datasets(aws).value
    past_runs = state.runs(aws).value
    if not datasets:
        with head:
            page.title("Train", "there is no data to train on yet")
        empty.show(
            "datasets",
            "No dataset in this account yet.",
            f"Put photos below s3://{aws.account.bucket}/datasets/NAME/train/BREED/ (and valid/, test/). "
            "On its first start, make run draws a small sample dataset there; it takes a moment.",
        )
        st.stop()
    if like := st.query_params.pop("like", ""):
        train_form.take_over(state.run(aws, like).value, datasets)
    left, right = st.columns((4, 7), gap="medium")
    with left, st.container(border=True, key="panel-form"):
        page.section("Training")
        spec = train_form.show(datasets)
    plan = None
    if spec:
        plan = planning.plan(
            spec,
            account=aws.account,
            prices=state.prices(),
            past_runs=past_runs,
            now=state.now(),
            token=launch.token(),
        )
    with head:
        page.title("Train", launch.sentence(plan, aws.account))
    with left:
        launch.button(aws, plan)
    with right:
        if plan:
            with st.container(border=True, key="panel-quote"):
                page.section("What it costs")
                launch.quote(plan, aws.account)
        page.section("Instance types", receipt.label(aws.account))
        rows = planning.candidates(
            state.prices(),
            aws.account.region,
            past_runs=past_runs,
            dataset_uri=spec.dataset_uri if spec else "",
            max_seconds=spec.max_seconds if spec else 3600,
        )
        launch.candidates(rows, st.session_state[train_form.INSTANCE], aws.account)
    if plan:
        with st.expander("Show as code", key="train-code"):
            st.code(plan.code, language="python")
