"""What will this cost and how long will it take?"""

import streamlit as st

from dashboard import state
from dashboard.core.runs import plan as planning
from dashboard.ui import empty, launch, page, problem, receipt, train_form

aws = state.connection()
head = st.container()


@st.fragment(run_every=3, key="waiting-data")
def wait() -> None:
    """Until there is data: look again, and open the form by itself."""
    with problem.shown("waiting-data"):
        if state.datasets(aws).value:
            st.rerun()
        drawing = "A small sample dataset is being drawn there now: then this page opens by itself."
        empty.show(
            "datasets",
            "No dataset in this account yet.",
            f"Put photos below s3://{aws.account.bucket}/datasets/NAME/train/BREED/ (and valid/, test/). "
            f"{drawing if state.is_filling(aws) else ''}",
        )


with problem.shown(title="Train"):
    datasets = state.datasets(aws).value
    past_runs = state.runs(aws).value
    if not datasets:
        with head:
            page.title("Train", "there is no data to train on yet")
        wait()
        st.stop()
    if like := st.query_params.pop("like", ""):
        train_form.take_over(state.run(aws, like).value, datasets)
    left, right = st.columns((4, 7), gap="medium")
    with left, st.container(border=True, key="panel-form"):
        page.section("Training")
        filled = train_form.show(datasets, past_runs)
    spec, plan = filled.spec, None
    if filled.fits:
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
        launch.panel(plan, aws.account)
        page.section("Instance types", receipt.label(aws.account))
        rows = planning.candidates(
            state.prices(),
            aws.account.region,
            past_runs=past_runs,
            dataset_uri=spec.dataset_uri,
            max_seconds=spec.max_seconds if filled.fits else train_form.DEFAULT.max_seconds,
        )
        launch.candidates(rows, spec.instance_type, aws.account)
    if plan:
        with st.expander("Show as code", key="train-code"):
            st.code(plan.code, language="python")
