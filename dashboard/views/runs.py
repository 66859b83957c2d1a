"""What happened? All runs as a table."""

import streamlit as st

from dashboard import state
from dashboard.ui import page, run_list

aws = state.connection()
for place, name in ((page.Place.RUN, "run"), (page.Place.COMPARE, "compare")):
    if name in st.query_params:
        st.switch_page(place, query_params={name: st.query_params[name]})
run_list.full(aws)
