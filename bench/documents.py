"""What is asked in each measurement, and of which hand-written endpoint the answer is the same."""

from dataclasses import dataclass
from typing import Any

PAGE = """
query Page($first: Int!) {
  customers(first: $first) {
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
ONE = """
query One($id: ID!) {
  customer(by: { id: $id }) { id name email phone stage createdAt }
}
"""
WIDE = """
query Wide($first: Int!) {
  customers(first: $first) {
    nodes { id name email phone value stage relationshipStatus subscriptionStatus createdAt }
  }
}
"""


@dataclass(frozen=True, slots=True)
class Work:
    """`reach` is the CPU time allowed, as a multiple of the hand-written server's."""

    name: str
    what: str
    document: str
    reach: float

    def variables(self, customer: str) -> dict[str, Any]:
        return {"id": customer} if self.name == "P2" else {"first": 250 if self.name == "P3" else 50}


WORKS = (
    Work("P1", "a page of 50 with company, owner and tags", PAGE, 1.4),
    Work("P2", "one customer, 6 fields", ONE, 1.5),
    Work("P3", "250 customers, 9 fields", WIDE, 1.3),
)
