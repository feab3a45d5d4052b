"""The documents of each measurement, and the handwritten endpoint with the same answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.data import BenchData

LIST_PAGE = """
query Page($status: RelationshipStatus!, $first: Int!, $after: String) {
  customers(filter: { relationshipStatus: { eq: $status } }, first: $first, after: $after) {
    nodes {
      id name email phone value stage relationshipStatus subscriptionStatus createdAt
      company { id name }
      owner { id name email }
      tags { id name color }
    }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
ONE_CUSTOMER = """
query One($id: ID!) {
  customer(by: { id: $id }) { id name email phone stage createdAt }
}
"""
WIDE_ROWS = """
query Wide($first: Int!) {
  customers(first: $first) {
    nodes { id name email phone value stage relationshipStatus subscriptionStatus createdAt }
  }
}
"""
FILTERED_LIST = """
query Found($tags: [ID!]!, $value: Decimal!, $points: Decimal!, $first: Int!) {
  customers(
    filter: {
      or: [{ tags: { includesAll: $tags } }, { value: { gte: $value } }]
      customFields: [{ key: "points", is: { number: { gte: $points } } }]
    }
    sort: [{ value: DESC }]
    first: $first
  ) {
    totalCount
    nodes { id name email phone value stage relationshipStatus subscriptionStatus createdAt }
  }
}
"""


@dataclass(frozen=True, slots=True)
class Work:
    """`reach` is the allowed CPU time, as a multiple of the handwritten server's."""

    name: str
    what: str
    document: str
    given: Mapping[str, Any]
    reach: float

    def variables(self, made: BenchData) -> dict[str, Any]:
        known = {"id": made.customer, "tags": [made.tag]}
        return {name: known.get(name, value) for name, value in self.given.items()}


WORKS = (
    Work(
        "P1",
        "a page of 50 by status, with company, owner and tags",
        LIST_PAGE,
        {"status": "CUSTOMER", "first": 50},
        1.4,
    ),
    Work("P2", "one customer, 6 fields", ONE_CUSTOMER, {"id": None}, 1.5),
    Work("P3", "250 customers, 9 fields", WIDE_ROWS, {"first": 250}, 1.3),
    Work(
        "P4",
        "50 of those tagged or valuable, with points, by value, and their number",
        FILTERED_LIST,
        {"tags": None, "value": "5000000", "points": "5000", "first": 50},
        1.5,
    ),
)
