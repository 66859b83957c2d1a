"""What a page of money says of a selection: its sums over time, its change, its forecast."""
