"""Kennel's dashboard: `python -m dashboard` starts it, `core` is what it knows, `views` is what it shows."""
