"""Kennel over a long time: a day of use under kill -9, and many sessions at once. `python -m tests.soak` runs both."""
