"""The account's IAM roles: how it stands, which role is the worst, and what mends it."""

from dashboard import state
from dashboard.ui import problem, security

aws = state.connection()
with problem.shown("security", title="Security"):
    security.show(aws)
