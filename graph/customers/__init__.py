"""Customers: the people, and the questions about them."""

from graph.customers.queries import CustomerRef, Query
from graph.customers.types import Customer

__all__ = ["Customer", "CustomerRef", "Query"]
