"""Notebook instances of SageMaker: listed, made small and with few rights, started, opened, stopped and deleted."""
