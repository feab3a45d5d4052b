"""Lists, totals and groups of the records that match a filter."""
