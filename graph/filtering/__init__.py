"""List arguments: filters, sorts and search fields. Resolvers get them as JSON."""
