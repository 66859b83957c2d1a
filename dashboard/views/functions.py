"""Warm enough, cheap enough? All Lambda functions."""

import streamlit as st

from dashboard import state
from dashboard.ui import function_list, page

aws = state.connection()
if name := st.query_params.get("function"):
    st.switch_page(page.Place.FUNCTION, query_params={"function": name})
function_list.full(aws)
