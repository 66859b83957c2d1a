"""classify"""
import streamlit as st
from dashboard.ui import page, markup
page.title("Classify", "3 running, 1 failed since yesterday")
st.html(markup.bars([("Beagle",.93),("Basset",.04),("Boxer",.02)],"x"))
