"""What the dashboard knows about AWS, in plain Python: no Streamlit, no plotly, no torch in here."""
