"""The two database drivers and what belongs to one of them."""
