"""Assignment rules, claims and idle customers."""
