"""Actors, API keys and permissions."""
