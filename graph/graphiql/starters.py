"""The operations in the tabs with which GraphiQL opens.

They are separate from the page's code, so that tests check them against the schema and changes need no build.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StarterTab:
    """One tab. GraphiQL shows the operation's name as its title."""

    query: str
    variables: Mapping[str, object] = field(default_factory=dict)

    def as_tab(self) -> dict[str, str]:
        """The tab in GraphiQL's format, which has the variables as text."""
        tab = {"query": self.query}
        return tab | {"variables": json.dumps(self.variables, indent=2)} if self.variables else tab


# The values are in the document, because GraphiQL does not show the variables of the first tab when it opens.
SIGN_IN = StarterTab("""\
# You are not signed in. Enter your e-mail address and
# password, then run this with Ctrl-Enter or the button.
# Every request of this page then carries the token.
mutation SignIn {
  signIn(email: "you@example.com", password: "") {
    token
    expiresAt
    errors { code message }
  }
}
""")

CUSTOMERS = StarterTab("""\
# A page of customers with company, owner and tags.
# Ctrl-Enter runs it, Ctrl-Space suggests more fields.
query Customers {
  customers(first: 10) {
    totalCount
    nodes {
      id
      name
      email
      stage
      company { name }
      owner { name }
      tags { name color }
    }
    pageInfo { hasNextPage endCursor }
  }
}
""")

CUSTOMER = StarterTab(
    """\
# One customer by e-mail address. Enter an address from
# the first tab under Variables below. The result is
# null if no customer has that address.
query Customer($email: String!) {
  customer(by: { email: $email }) {
    id
    name
    phones
    relationshipStatus
    stage
    value
    lastInteractionAt
    company { name domain }
    owner { name email }
    tags { name }
    customFields { field { label } text }
    notes(first: 3) { nodes { body } }
  }
}
""",
    {"email": "linh@example.com"},
)

FILTERING = StarterTab("""\
# A filter on fields, tags, orders, dates and more.
# The totals cover all matching customers, not the page.
query Filtering {
  customers(
    filter: {
      owner: { isNull: false }
      tags: { any: {} }
      not: { createdAt: { last: "P7D" } }
    }
    sort: [{ value: DESC }]
    first: 5
  ) {
    totalCount
    aggregate { value { sum avg } }
    groups(by: [{ field: RELATIONSHIP_STATUS }]) {
      keys { label }
      aggregate { count }
    }
    nodes { name value tags { name } }
  }
}
""")

DRY_RUN = StarterTab("""\
# A preview of a bulk update: dryRun writes nothing.
# Without dryRun the job runs, and jobUndo can undo it.
mutation DryRun {
  customersUpdate(
    target: { match: { filter: { value: { gte: "5000000" } } } }
    input: { tags: { add: [{ name: "spring fair" }] } }
    options: { dryRun: true }
  ) {
    job {
      id
      status
      matched
      counts { outcome count }
      rows(first: 3) { nodes { outcome changed { field before after } } }
    }
    errors { code message }
  }
}
""")

COMPANIES = StarterTab("""\
# The newest companies and their owners.
query Companies {
  companies(first: 10) {
    totalCount
    nodes {
      name
      domain
      customerCount
      owner { name }
    }
  }
}
""")

TEAM = StarterTab("""\
# The agents and departments of the workspace.
query Team {
  agents(first: 10) {
    nodes { name email role active customerCount }
  }
  departments {
    name
    agents { name }
  }
}
""")

WORKSPACE = StarterTab("""\
# Your account and permissions,
# and the settings of the workspace.
query Workspace {
  viewer {
    agent { name email role }
    permissions
  }
  workspace {
    name
    timezone
    defaultCountry
    bulkDelete
    followUpStages
    sources
  }
}
""")

SIGNED_IN_TABS = (CUSTOMERS, FILTERING, DRY_RUN, CUSTOMER, COMPANIES, TEAM, WORKSPACE)
SIGNED_OUT_TABS = (SIGN_IN, *SIGNED_IN_TABS)
