"""One endpoint, live, by ?endpoint=."""

import streamlit as st

from dashboard import state
from dashboard.ui import endpoint_page, page, problem

aws = state.connection()
name = st.query_params.get("endpoint", "")
if not name:
    st.switch_page(page.Place.ENDPOINTS)
with problem.shown("endpoint", title=name):
    endpoint_page.show(aws, name)
