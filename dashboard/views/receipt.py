"""What is a sum made of? ?receipt= is one receipt, any other address the receipts of a selection."""

import streamlit as st

from dashboard.ui import page

if not st.query_params:
    st.switch_page(page.Place.COSTS)
