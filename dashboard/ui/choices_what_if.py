"""What if the same work were done on other instances, in other regions, on spot? Measured, or how it was estimated."""

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.choices.outcomes import Outcome, Work
from dashboard.core.costs.choices.what_if import Question, regions_of, what_if
from dashboard.core.costs.receipt import Nature
from dashboard.ui import chart, choices_tables, choices_versus, figures_choice_bars, markup, page, pages, receipt
from dashboard.ui.page import Place

WORK, COUNT, REGIONS = "work", "instances", "regions"
DRAWN = 14


def show(aws: Aws, nature: Nature, works: Mapping[Work, Sequence[Outcome]], deadline: float | None) -> None:
    """The question's inputs, its answer in a sentence, the cheapest options drawn, and all of them as a table."""
    page.section("What if", receipt.of(nature))
    if not works:
        st.html(markup.note("No completed training tells how long this work takes."))
        return
    home = aws.account.region
    with st.container(horizontal=True, vertical_alignment="bottom", key="what-if-controls"):
        named = choices_tables.work_names(works)
        word = st.selectbox("The work of", list(named), key=WORK, bind="query-params", width=430)
        # A float, because a bound whole number fails on an address that says inf.
        number = st.number_input(
            "Instances", min_value=1.0, max_value=20.0, value=1.0, step=1.0, format="%.0f", key=COUNT,
            bind="query-params", width=120, help="EC2 trainings run on one instance",
        )  # fmt: skip
        elsewhere = sorted({home, *regions_of(state.prices())})
        regions = st.multiselect(
            "Regions", elsewhere, default=[home], key=REGIONS, bind="query-params", width=330, placeholder=home
        )
    work = named.get(word or "", next(iter(works)))
    spot = state.spot_prices(aws)
    asked = Question(home, tuple(regions) or (home,), round(number), spot.value or {}, spot.why)
    found = what_if(work, works[work], state.prices(), asked)
    finding = choices_tables.what_if_sentence(found, deadline, home)
    spans = choices_tables.option_spans(found, deadline, several=len(regions) > 1)[:DRAWN]
    is_dark = st.context.theme.type == "dark"
    figure = figures_choice_bars.spans(spans, nature.word, is_dark=is_dark) if spans else None
    chart.panel("what-if", finding, figure, "No option has a known cost.", alone=True)
    best = choices_tables.best_option(found, deadline)
    query = choices_tables.again(best, works[work], home)
    if best is not None and query:
        with st.container(key="what-if-train"):
            pages.link(Place.TRAIN, f"Train on {best.way.word}", ":material/model_training:", query)
    st.html(markup.note(choices_tables.WHAT_IF_NOTE))
    rows = choices_tables.option_rows(found, deadline)
    with st.expander(f"All {len(rows)} options, and how each was made", key="what-if-all"):
        st.dataframe(
            rows,
            key="what-if-table",
            hide_index=True,
            placeholder="unknown",
            height=430,
            alt="Every option of the what-if with its basis, time, cost and how they were made",
            column_config={
                "Cost from": st.column_config.NumberColumn("From", format="$%.4f"),
                "Cost to": st.column_config.NumberColumn("To", format="$%.4f"),
                "How": st.column_config.TextColumn("How", width="large"),
            },
        )
        choices_versus.download("what-if", choices_tables.option_files(found, deadline), nature)
