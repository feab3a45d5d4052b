"""Alembic migrations, the runner, and the version check."""
