"""Importing: previews files of customers, maps their columns to fields, and upserts their rows under the usual
rules."""
