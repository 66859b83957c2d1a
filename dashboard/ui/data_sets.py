"""The data sets of the account as a table; a click on a name opens one below."""

from collections.abc import Sequence

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.data.datasets import Dataset
from dashboard.ui import address, chart, data_words, empty, setup_first, table

OPEN, SHOWN, CHOSEN = "datasets-open", "datasets-shown", "dataset"


def none(aws: Aws) -> None:
    """Where there is no data yet: what a data set is, and how one comes here; before that, what makes the bucket."""
    if setup_first.is_needed(aws):
        setup_first.show(aws, "data")
        return
    how = (
        "A data set has one folder of photos for each class below train/ (and valid/, test/). Add a folder or a zip "
        "from this computer, the 133-breed dogImages, or a zip that lies in S3."
    )
    if state.is_filling(aws):
        how = f"A small sample is being drawn right now: it appears here by itself. {how}"
    elif not aws.account.writable:
        how += " This account is connected to read only: switch that first."
    empty.show("data", "No data set in this account yet.", how)


def table_of(datasets: Sequence[Dataset]) -> Dataset:
    """Draw the table; the data set that is open: the address names it, else the first."""
    names = [one.name for one in datasets]
    chosen = address.known(CHOSEN, "the data set", names)
    st.session_state[SHOWN] = names
    rows = data_words.rows(datasets)
    looks = [(one[0], row["State"][0]) for one, row in zip(map(data_words.state_of, datasets), rows, strict=True)]
    st.dataframe(
        rows,
        hide_index=True,
        key="datasets-table",
        alt="The data sets of this account",
        column_config={
            "Data set": table.opening("Data set", OPEN, _open, 190),
            "State": table.states("State", looks, 150),
            "Size": st.column_config.TextColumn("Size", alignment="right"),
            **dict.fromkeys(("Photos", "Train", "Valid", "Test"), st.column_config.NumberColumn(format="localized")),
        },
    )
    with st.container(horizontal=True, gap="small"):
        chart.download(lambda: table.plain(rows), "kennel-data-sets.csv", "download-datasets", is_quiet=True)
    return next((one for one in datasets if one.name == chosen), datasets[0])


def _open() -> None:
    if name := table.opened(OPEN, st.session_state.get(SHOWN, ())):
        st.query_params[CHOSEN] = name
