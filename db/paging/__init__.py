"""Keyset pages, sort orders, and pages of nested lists."""
