"""Metrics, their rendering for Prometheus, and the operation log."""
