"""The one script of the dashboard: which account, which page. Run by asgi.py, or alone:

    streamlit run dashboard/app.py

Alone there are no security headers and no /healthz; the freeze happens with the first visitor instead of before.
"""

import streamlit as st

from dashboard import state
from dashboard.ui import account, confirm, page, problem, watching

st.set_page_config(
    page_title="Kennel",
    page_icon=str(page.STATIC / "favicon.png"),
    layout="wide",
    initial_sidebar_state=210,
    menu_items={"About": "Kennel, the operations dashboard of an image classification service on AWS."},
)
st.logo(str(page.STATIC / "logo.svg"), icon_image=str(page.STATIC / "mark.svg"), size="large")
page.style()
state.warm_up()

chosen = st.navigation(
    [
        st.Page(page.Place.OVERVIEW, title="Overview", icon=":material/space_dashboard:", default=True),
        st.Page(page.Place.TRAIN, title="Train", icon=":material/model_training:"),
        st.Page(page.Place.RUNS, title="Runs", icon=":material/monitoring:"),
        st.Page(page.Place.RUN, title="Run", visibility="hidden"),
        st.Page(page.Place.COMPARE, title="Compare", visibility="hidden"),
        st.Page(page.Place.MODELS, title="Models", icon=":material/inventory_2:"),
        st.Page(page.Place.ENDPOINTS, title="Endpoints", icon=":material/dns:"),
        st.Page(page.Place.ENDPOINT, title="Endpoint", visibility="hidden"),
        st.Page(page.Place.SCALING, title="Scaling", visibility="hidden"),
        st.Page(page.Place.FUNCTIONS, title="Lambda", icon=":material/function:"),
        st.Page(page.Place.FUNCTION, title="Function", visibility="hidden"),
        st.Page(page.Place.CLASSIFY, title="Classify", icon=":material/pets:"),
        st.Page(page.Place.SECURITY, title="Security", icon=":material/shield:"),
        st.Page(page.Place.ROLE, title="Role", visibility="hidden"),
        st.Page(page.Place.COSTS, title="Spend", icon=":material/payments:"),
        st.Page(page.Place.CHOICES, title="Choices", icon=":material/balance:"),
        st.Page(page.Place.WASTE, title="Waste", icon=":material/delete_sweep:"),
        st.Page(page.Place.PRICES, title="Prices", icon=":material/sell:"),
        st.Page(page.Place.RECEIPT, title="Receipt", visibility="hidden"),
    ]  # not in named groups: Streamlit's are no lists to a screen reader; kennel.css writes "Costs" above its pages
)
page.follow(chosen.url_path)
st.set_page_config(page_title=f"{chosen.title} · Kennel")

with problem.shown(title=chosen.title):
    with account.named():
        connected = state.connection()
    account.show(connected.account)
    watching.elsewhere()
    chosen.run()
    confirm.show()
    watching.show(connected)
