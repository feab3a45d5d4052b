"""Duplicate customers: finding, merging and unmerging them."""
