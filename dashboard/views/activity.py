"""Who did what, and how is it taken back?"""

import streamlit as st

from dashboard import activity_readings, state
from dashboard.ui import activity, activity_deed, activity_words, page, problem

aws = state.connection()

with problem.shown("activity", title="Activity"):
    now = state.now()
    deeds = activity_readings.deeds(activity.since(now))
    page.title("Activity", activity_words.sentence(deeds, now))
    if deeds:
        activity.figures(deeds, now)
    shown = activity.filtered(deeds)
    activity.listed(shown, deeds, now)
    if chosen := st.query_params.get(activity.DEED):
        activity_deed.show(aws, chosen)
    activity.foot()
    activity.watch(deeds)
