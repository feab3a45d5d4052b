"""How lists are asked for: filters, sorts and search fields. Resolvers receive them as plain data."""
