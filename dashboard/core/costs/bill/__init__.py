"""What AWS itself billed, asked for on request, and held against the ledger."""
