"""Departments: the tree that agents work in."""

from typing import Annotated, Any, cast

import strawberry
from strawberry import Info

from db import tables
from db.queries import agents, customers, departments
from graph import ids
from graph.agents import Agent
from graph.engine.fields import Rows, batched, column
from graph.enums import Permission
from graph.nodes import Node, read_from
from graph.permissions import guarded


@strawberry.type(description="A part of the business that agents work in.")
class Department(Node):
    is_type_of = read_from(tables.Department)

    id: strawberry.ID = column("The department's id.", convert=ids.wire("Department"))
    name: str = column("Its name.")

    @batched("The department that it is a part of; null at the top.", needs=("parent_id",))
    async def parent(
        parents: Rows, info: Info
    ) -> list[Annotated["Department", strawberry.lazy("graph.departments")] | None]:
        return await info.context.one(departments.by_ids, parents, "parent_id")

    @batched("Its direct parts, by name.", needs=("id",))
    async def children(
        parents: Rows, info: Info
    ) -> list[list[Annotated["Department", strawberry.lazy("graph.departments")]]]:
        return await info.context.many(departments.children, parents, "id")

    @batched("Who works in it, by name.", needs=("id",))
    async def agents(parents: Rows, info: Info) -> list[list[Agent]]:
        return await info.context.many(agents.by_department, parents, "id")

    @batched("How many customers belong to it, archived ones left out.", needs=("id",))
    async def customer_count(parents: Rows, info: Info) -> list[int]:
        return await info.context.counts(customers.counts_by, parents, "department_id", info.context.viewer.sight)


@strawberry.type
class Query:
    @guarded(Permission.CUSTOMER_VIEW, "All departments, by name.")
    async def departments(self, info: Info) -> list[Department]:
        return cast(Any, await departments.every(info.context.reading))
