"""Exporting: customers written to files, column by column, a page at a time."""
