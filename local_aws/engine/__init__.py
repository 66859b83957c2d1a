"""What really runs: training processes, serving processes, their private /opt/ml, logs and artifacts."""
