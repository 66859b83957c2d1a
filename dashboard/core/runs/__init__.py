"""Training runs: plan → confirm → launch, then watch and stop."""
