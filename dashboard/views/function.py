"""One Lambda function, live, by ?function=."""

import streamlit as st

from dashboard import state
from dashboard.ui import function_page, page, problem

aws = state.connection()
name = st.query_params.get("function", "")
if not name:
    st.switch_page(page.Place.FUNCTIONS)
with problem.shown("function", title=name):
    function_page.show(aws, name)
