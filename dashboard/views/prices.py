"""What does AWS ask for each thing, where is that known from, and how old is it?"""

from dashboard import state
from dashboard.ui import prices, problem

aws = state.connection()

with problem.shown("prices", title="Prices"):
    prices.show(aws, state.now())
