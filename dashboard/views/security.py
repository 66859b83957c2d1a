"""Which role is the worst, and what fixes it?"""

from dashboard import state
from dashboard.ui import problem, security

aws = state.connection()
with problem.shown("security", title="Security"):
    security.show(aws)
