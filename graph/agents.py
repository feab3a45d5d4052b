"""Agents: the people who look after customers."""

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Info

from crm import access
from db import tables
from db.queries import agents, customers, departments
from graph import ids
from graph.engine.fields import Rows, batched, column
from graph.enums import Permission, Role
from graph.nodes import Id, Node, Record, read_from
from graph.paging import After, Before, Connection, First, Last, alone, window
from graph.permissions import guarded

if TYPE_CHECKING:
    from graph.departments import Department


@strawberry.type(description="A person who works with customers.")
class Agent(Record, Node):
    is_type_of = read_from(tables.Agent)

    id: strawberry.ID = column("The agent's id.", convert=ids.wire("Agent"))
    name: str = column("The name that colleagues see.")
    email: str = column("The address for signing in; unique on the server.")
    active: bool = column("False once deactivated: then he cannot sign in and gets no customers.")
    role: Role = column("The role that his permissions start from.")
    max_customers: int | None = column("How many customers he takes at most; null means the workspace's limit.")

    @batched("What he may do: his role's permissions, with what was granted and revoked.", needs=("id", "role"))
    async def permissions(parents: Rows, info: Info) -> list[list[Permission]]:
        exceptions = await info.context.many(agents.permissions_by_agent, parents, "id")
        pairs = zip(parents, exceptions, strict=True)
        return [sorted(access.permissions_of(Role(parent.role), own)) for parent, own in pairs]

    @batched("Where he works, his first department first.", needs=("id",))
    async def departments(
        parents: Rows, info: Info
    ) -> list[list[Annotated["Department", strawberry.lazy("graph.departments")]]]:
        return await info.context.many(departments.by_agent, parents, "id")

    @batched("How many customers he owns, archived ones left out.", needs=("id",))
    async def customer_count(parents: Rows, info: Info) -> list[int]:
        return await info.context.counts(customers.counts_by, parents, "owner_id", info.context.viewer.sight)


@strawberry.type
class Query:
    @guarded(Permission.CUSTOMER_VIEW, "An agent by his id; null when there is none.")
    async def agent(self, info: Info, id: Id) -> Agent | None:
        return await info.context.found(agents.by_ids, "Agent", id)

    @guarded(Permission.CUSTOMER_VIEW, "The workspace's agents, newest first.")
    async def agents(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Agent]:
        page = await agents.page(info.context.reading, window(first, after, last, before))
        return alone(page, lambda at_most: agents.count(info.context.reading))
