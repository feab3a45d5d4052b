"""The operations GraphiQL opens with: what a newcomer should try first.

Operations, not code of the page, so that they can be tested against the schema and changed without a build.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StarterTab:
    """One tab: its title is the operation's name."""

    query: str
    variables: Mapping[str, object] = field(default_factory=dict)

    def as_tab(self) -> dict[str, str]:
        """The tab in GraphiQL's terms; its variables are the text of an editor."""
        tab = {"query": self.query}
        return tab | {"variables": json.dumps(self.variables, indent=2)} if self.variables else tab


# Its values stand in the document, because GraphiQL does not show the first tab's variables when it opens.
SIGN_IN = StarterTab("""\
# Nobody is signed in yet. Fill in your e-mail address
# and password, and run this: Ctrl-Enter or the button.
# The token then goes with every request of this page.
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
# Ctrl-Enter runs it, Ctrl-Space offers more fields.
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
# One customer by e-mail address: put one from the
# first tab under Variables below. Null is nobody.
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

FINDING = StarterTab("""\
# Any question: conditions on fields, tags, orders, dates …
# The totals are of all that are found, not of the page.
query Finding {
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
# What a change of many would do: nothing is written yet.
# Without dryRun it is done, and jobUndo can put it back.
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
# The newest companies, and who looks after them.
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
# Who works here, and in which department.
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
# Who you are, what you may do,
# and how the workspace is set up.
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

SIGNED_IN_TABS = (CUSTOMERS, FINDING, DRY_RUN, CUSTOMER, COMPANIES, TEAM, WORKSPACE)
SIGNED_OUT_TABS = (SIGN_IN, *SIGNED_IN_TABS)
