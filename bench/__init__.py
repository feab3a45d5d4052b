"""Benchmarks that print ratios of two contenders, measured in turn."""
