"""Who works in a notebook, what does it cost, and does it stop by itself? All notebook instances."""

from dashboard import state
from dashboard.ui import notebook_list

notebook_list.full(state.connection())
