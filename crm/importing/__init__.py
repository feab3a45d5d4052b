"""Importing: files of customers looked at, mapped to fields, and brought in by the rules of a single upsert."""
