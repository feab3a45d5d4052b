"""Benchmarks: what is measured, side by side, and printed as ratios."""
