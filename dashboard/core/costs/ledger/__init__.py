"""What every thing has cost: its receipt from what AWS tells, and all of them together."""
