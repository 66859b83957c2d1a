"""Which models are there, how good are they, may they be served? The registry."""

from dashboard import state
from dashboard.ui import models

models.full(state.connection())
