"""Is it serving well, is it sized right? All endpoints."""

import streamlit as st

from dashboard import state
from dashboard.ui import endpoint_list, page

aws = state.connection()
if name := st.query_params.get("endpoint"):
    st.switch_page(page.Place.ENDPOINT, query_params={"endpoint": name})
endpoint_list.full(aws)
