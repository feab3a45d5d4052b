"""Fixtures, factories and other helpers for tests."""
