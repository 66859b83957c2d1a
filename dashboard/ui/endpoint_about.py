"""What an endpoint is made of, where its model comes from, and the way to its receipt."""

import streamlit as st

from dashboard import state
from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.costs.receipt import Nature
from dashboard.core.format import ago
from dashboard.core.serving.model import Endpoint
from dashboard.ui import endpoint_words, receipt
from dashboard.ui.markup import facts
from dashboard.ui.page import Place


def show(aws: Aws, one: Endpoint) -> None:
    """The facts, as SageMaker has them, and the links."""
    now = state.now()
    nature = Nature.of(one.tags, is_embedded=aws.account.is_embedded)
    price = receipt.marked(f"{receipt.amount(one.hourly)}/h", nature)
    with st.container(border=True, key="panel-endpoint-about"):
        st.html(
            facts(
                {
                    "ARN": one.arn,
                    "Made": ago(one.created, now),
                    "Changed": ago(one.modified, now),
                    "Configuration": one.config_name,
                    **{f"Model of {each.name}": each.model_name or "unknown" for each in one.variants},
                    "Serves on": one.machine or "unknown: its configuration is gone",
                    "Price": price if one.hourly.is_known else one.hourly.why_unknown,
                    "Wanted": endpoint_words.kept(one, now) or "until it is deleted",
                    **({"Registered version": package} if (package := one.tags.get(tags.PACKAGE)) else {}),
                }
            )
        )
        with st.container(horizontal=True, gap="small"):
            if one.run:
                st.page_link(
                    Place.RUN,
                    label=f"Run {one.run}",
                    icon=":material/monitoring:",
                    query_params={"run": one.run},
                )
            key = f"endpoint:{one.name}@{int(one.created.timestamp())}"
            st.page_link(Place.RECEIPT, label="Receipt", icon=":material/receipt_long:", query_params={"receipt": key})
