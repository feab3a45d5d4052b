"""Workspaces: creating them and changing their settings."""
