"""The one script of the dashboard: which account, which page. Run by asgi.py, or alone:

    streamlit run dashboard/app.py

Alone there are no security headers and no /healthz; the freeze happens with the first visitor instead of before.
"""

import streamlit as st

from dashboard import state, tab
from dashboard.ui import account, confirm, door, page, pages, problem, say, watching

st.set_page_config(
    page_title="Kennel",
    page_icon="/app/static/favicon.png",
    layout="wide",
    initial_sidebar_state=210,
    menu_items={"About": "Kennel, the operations dashboard of an image classification service on AWS."},
)
st.logo(str(page.STATIC / "logo.svg"), icon_image=str(page.STATIC / "mark.svg"), size="large")
page.style()
say.place()
state.warm_up()

person = door.enter()
role = person.role if person else None
chosen = st.navigation(pages.navigation(role), expanded=True)  # all of them: Streamlit would fold the last
page.follow(chosen.url_path)
st.set_page_config(page_title=f"{chosen.title} · Kennel")

with problem.shown(title=chosen.title):
    opened = pages.opened(chosen, role)
    if door.lets_in(person, opened):
        connected = account.connected(opened)
        tab.touched(st.context.url or opened.url_path)
        watching.elsewhere()
        if connected is not None or opened.place is page.Place.SETTINGS:
            chosen.run()
            confirm.show()
        if connected is not None:
            watching.show(connected)
