"""Limits of a month, kept in AWS Budgets: read, held against the ledger, set."""
