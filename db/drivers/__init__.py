"""The two database drivers and modules that only one of them needs."""
