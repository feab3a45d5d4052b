"""Exporting: writes customers to files, page by page and column by column."""
