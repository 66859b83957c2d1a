"""One IAM role by ?role=: what is wrong with it, what would do instead, and the way there and back."""

import streamlit as st

from dashboard import state
from dashboard.ui import page, problem, role_page

aws = state.connection()
name = st.query_params.get("role", "")
if not name:
    st.switch_page(page.Place.SECURITY)
with problem.shown("role", title=name):
    role_page.show(aws, name)
