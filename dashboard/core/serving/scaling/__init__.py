"""Auto scaling of endpoints: what is set, what may be set, what it would do, and setting it."""
