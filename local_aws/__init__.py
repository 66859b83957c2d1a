"""The embedded AWS: one loopback server that speaks AWS's wire protocols and really does the work behind them."""

ACCOUNT = "123456789012"
DEFAULT_REGION = "us-east-1"
