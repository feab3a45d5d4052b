"""Departments."""

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

    id: strawberry.ID = column("Id of the department.", convert=ids.id_encoder("Department"))
    name: str = column("Its name.")

    @batched("Parent department; null at the top level.", parent_columns=("parent_id",))
    async def parent(
        parents: ParentRows, info: Info
    ) -> list[Annotated["Department", strawberry.lazy("graph.catalogue.departments")] | None]:
        return await info.context.load_one(departments.by_ids, parents, "parent_id")

    @batched("Direct child departments, sorted by name.", parent_columns=("id",))
    async def children(
        parents: ParentRows, info: Info
    ) -> list[list[Annotated["Department", strawberry.lazy("graph.catalogue.departments")]]]:
        return await info.context.load_many(departments.children, parents, "id")

    @batched("Agents of the department, sorted by name.", parent_columns=("id",))
    async def agents(parents: ParentRows, info: Info) -> list[list[Agent]]:
        return await info.context.load_many(agents.by_department, parents, "id")

    @batched("Number of customers of the record, without archived customers.", parent_columns=("id",))
    async def customer_count(parents: ParentRows, info: Info) -> list[int]:
        return await info.context.load_counts(
            customers.customer_counts_by, parents, "department_id", info.context.viewer.visibility
        )


@strawberry.type
class Query:
    @guarded(Permission.CUSTOMER_VIEW, "All departments, sorted by name.")
    async def departments(self, info: Info) -> list[Department]:
        return cast(Any, await departments.all_departments(info.context.session))


@strawberry.input(description="Values of a department. Absent fields keep their value.")
class DepartmentInput:
    name: Maybe[str | None] = strawberry.field(description="Name; required on create. It need not be unique.")
    parent: Maybe[strawberry.ID | None] = strawberry.field(
        description="Parent department; null moves the department to the top level."
    )
    agents: Maybe[list[strawberry.ID] | None] = strawberry.field(
        description="Members; they replace the current members. At most 1 000."
    )


@strawberry.type(description="Result of a department mutation.")
class DepartmentPayload:
    department: Department | None = strawberry.field(
        default=None,
        description="The record after the mutation, or as it was before its deletion; null if there are errors.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Errors that prevented the change; empty on success."
    )


def _payload(department: Any) -> DepartmentPayload:
    return DepartmentPayload(department=department)


_Which: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="Which department.")]
_Input: TypeAlias = Annotated[DepartmentInput, strawberry.argument(description="Values of the department.")]


@strawberry.type
class Mutation:
    @mutation(
        Permission.AGENT_MANAGE,
        "Creates a department. Requires AGENT_MANAGE. Errors: BLANK, TOO_LONG, NOT_FOUND.",
        payload=DepartmentPayload,
    )
    async def department_create(self, info: Info, input: _Input) -> DepartmentPayload:
        return await info.context.mutate(lambda unit: rules.create(unit, input_data(input)), _payload)

    @mutation(
        Permission.AGENT_MANAGE,
        "Renames or moves a department, or changes its members. Requires AGENT_MANAGE. Errors: NOT_FOUND, "
        "CONFLICT, INVALID.",
        payload=DepartmentPayload,
    )
    async def department_update(self, info: Info, id: _Which, input: _Input) -> DepartmentPayload:
        return await info.context.mutate(lambda unit: rules.update(unit, id, input_data(input)), _payload)

    @mutation(
        Permission.AGENT_MANAGE,
        (
            "Deletes a department without customers, child departments and assignment rules (else IN_USE). Its "
            "members stay agents. Requires AGENT_MANAGE. Errors: NOT_FOUND, IN_USE."
        ),
        payload=DepartmentPayload,
    )
    async def department_delete(self, info: Info, id: _Which) -> DepartmentPayload:
        return await info.context.mutate(lambda unit: rules.delete(unit, id), _payload)
