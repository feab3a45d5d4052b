"""Departments: the tree that agents work in."""

from typing import Annotated, Any, TypeAlias, cast

import strawberry
from strawberry import Info, Maybe

from crm.catalogue import departments as rules
from db import tables
from db.queries.catalogue import agents, departments
from db.queries.customers import customers
from graph.access.permissions import guarded
from graph.catalogue.agents import Agent
from graph.engine.field_declarations import ParentRows, batched, column
from graph.errors.user_errors import UserError, mutation
from graph.types import ids
from graph.types.enums import Permission
from graph.types.inputs import input_data
from graph.types.nodes import Node, is_row_of


@strawberry.type(description="A part of the business that agents work in.")
class Department(Node):
    is_type_of = is_row_of(tables.Department)

    id: strawberry.ID = column("The department's id.", convert=ids.id_encoder("Department"))
    name: str = column("Its name.")

    @batched("The department that it is a part of; null at the top.", parent_columns=("parent_id",))
    async def parent(
        parents: ParentRows, info: Info
    ) -> list[Annotated["Department", strawberry.lazy("graph.catalogue.departments")] | None]:
        return await info.context.load_one(departments.by_ids, parents, "parent_id")

    @batched("Its direct parts, by name.", parent_columns=("id",))
    async def children(
        parents: ParentRows, info: Info
    ) -> list[list[Annotated["Department", strawberry.lazy("graph.catalogue.departments")]]]:
        return await info.context.load_many(departments.children, parents, "id")

    @batched("Who works in it, by name.", parent_columns=("id",))
    async def agents(parents: ParentRows, info: Info) -> list[list[Agent]]:
        return await info.context.load_many(agents.by_department, parents, "id")

    @batched("How many customers belong to it, archived ones left out.", parent_columns=("id",))
    async def customer_count(parents: ParentRows, info: Info) -> list[int]:
        return await info.context.load_counts(
            customers.customer_counts_by, parents, "department_id", info.context.viewer.visibility
        )


@strawberry.type
class Query:
    @guarded(Permission.CUSTOMER_VIEW, "All departments, by name.")
    async def departments(self, info: Info) -> list[Department]:
        return cast(Any, await departments.all_departments(info.context.session))


@strawberry.input(description="What a department is to be. What is left out stays as it is.")
class DepartmentInput:
    name: Maybe[str | None] = strawberry.field(description="Its name; needed on create. Several may share one.")
    parent: Maybe[strawberry.ID | None] = strawberry.field(
        description="The department that it is a part of; null puts it at the top."
    )
    agents: Maybe[list[strawberry.ID] | None] = strawberry.field(
        description="Who works in it; they replace the present members. 1 000 at most."
    )


@strawberry.type(description="What became of a department.")
class DepartmentPayload:
    department: Department | None = strawberry.field(
        default=None, description="As it is now, or was; null when refused."
    )
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


def _payload(department: Any) -> DepartmentPayload:
    return DepartmentPayload(department=department)


_Which: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="Which department.")]
_Input: TypeAlias = Annotated[DepartmentInput, strawberry.argument(description="What the department is to be.")]


@strawberry.type
class Mutation:
    @mutation(Permission.AGENT_MANAGE, "Make a department.", payload=DepartmentPayload)
    async def department_create(self, info: Info, input: _Input) -> DepartmentPayload:
        return await info.context.mutate(lambda unit: rules.create(unit, input_data(input)), _payload)

    @mutation(Permission.AGENT_MANAGE, "Rename or move a department, or change its members.", payload=DepartmentPayload)
    async def department_update(self, info: Info, id: _Which, input: _Input) -> DepartmentPayload:
        return await info.context.mutate(lambda unit: rules.update(unit, id, input_data(input)), _payload)

    @mutation(
        Permission.AGENT_MANAGE,
        "Delete a department that has no customers, no parts and no assignment rule; its members stay agents.",
        payload=DepartmentPayload,
    )
    async def department_delete(self, info: Info, id: _Which) -> DepartmentPayload:
        return await info.context.mutate(lambda unit: rules.delete(unit, id), _payload)
