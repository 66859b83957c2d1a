"""What is there to learn from, what is wrong with it, is it safe? Data sets, corrections, buckets."""

from dashboard import state
from dashboard.ui import data_page

data_page.full(state.connection())
