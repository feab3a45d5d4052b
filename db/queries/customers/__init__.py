"""Customers and the rows that belong to them."""
