"""Accounts, sessions, API keys and permissions."""
