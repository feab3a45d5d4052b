"""Customers: types, queries and mutations."""

from graph.customers.mutations import Mutation
from graph.customers.queries import CustomerRef, Query
from graph.customers.types import Customer

__all__ = ["Customer", "CustomerRef", "Mutation", "Query"]
