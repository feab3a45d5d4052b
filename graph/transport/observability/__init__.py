"""Metrics and the operation log."""
