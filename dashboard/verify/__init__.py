"""Kennel against a live account: one small run through everything, and what differed from the embedded AWS."""
