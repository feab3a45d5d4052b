"""Assignment rules."""

from typing import Annotated, Any, TypeAlias, cast

import strawberry
from strawberry import Info, Maybe

from crm.assignment import rules as crm_rules
from db import tables
from db.queries.assignment import rules
from graph.access.permissions import guarded
from graph.catalogue.agents import Agent
from graph.catalogue.departments import Department
from graph.engine.field_declarations import ParentRows, batched, column
from graph.errors.user_errors import UserError, mutation
from graph.filtering.record_filters import CustomerFilter
from graph.types import ids
from graph.types.enums import AssignmentStrategy, Permission
from graph.types.inputs import input_data
from graph.types.nodes import Node, is_row_of
from graph.types.scalars import FilterJSON


@strawberry.type(description="A rule that assigns customers when they enter the stage TO_BE_ASSIGNED.")
class AssignmentRule(Node):
    is_type_of = is_row_of(tables.AssignmentRule)

    id: strawberry.ID = column("Id of the rule.", convert=ids.id_encoder("AssignmentRule"))
    name: str = column("Its name.")
    active: bool = column("False while the rule is switched off.")
    position: int = column(
        "Position. Rules apply in this order; the first rule whose filter matches a customer assigns them."
    )
    filter: FilterJSON | None = column("Filter of the customers that the rule assigns; null for all customers.")
    strategy: AssignmentStrategy = column("How the rule chooses an agent.")

    @batched("Agents that receive customers, in order.", parent_columns=("id",))
    async def agents(parents: ParentRows, info: Info) -> list[list[Agent]]:
        return await info.context.load_many(rules.agents, parents, "id")

    @batched("Departments whose members follow the agents, in order.", parent_columns=("id",))
    async def departments(parents: ParentRows, info: Info) -> list[list[Department]]:
        return await info.context.load_many(rules.departments, parents, "id")


@strawberry.type
class Query:
    @guarded(Permission.CUSTOMER_VIEW, "All assignment rules, in the order of evaluation.")
    async def assignment_rules(self, info: Info) -> list[AssignmentRule]:
        return cast(Any, await rules.all_rules(info.context.session))


@strawberry.input(description="Values of an assignment rule. Absent fields keep their value.")
class AssignmentRuleInput:
    name: Maybe[str | None] = strawberry.field(description="Name; required on create. It need not be unique.")
    active: Maybe[bool | None] = strawberry.field(description="Whether the rule is active. Default: true.")
    position: Maybe[int | None] = strawberry.field(description="Position among the others. Default: last.")
    filter: Maybe[CustomerFilter | None] = strawberry.field(
        description="Filter of the customers that the rule assigns; null for all customers."
    )
    strategy: Maybe[AssignmentStrategy | None] = strawberry.field(
        description="How the rule chooses an agent. Default: ROUND_ROBIN."
    )
    agents: Maybe[list[strawberry.ID] | None] = strawberry.field(
        description="Agents that receive customers, in this order; they replace the current list. At most 1 000."
    )
    departments: Maybe[list[strawberry.ID] | None] = strawberry.field(
        description="Departments whose members follow the agents; they replace the current list. At most 1 000."
    )


@strawberry.type(description="Result of an assignment rule mutation.")
class AssignmentRulePayload:
    assignment_rule: AssignmentRule | None = strawberry.field(
        default=None,
        description="The record after the mutation, or as it was before its deletion; null if there are errors.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Errors that prevented the change; empty on success."
    )


def _payload(rule: Any) -> AssignmentRulePayload:
    return AssignmentRulePayload(assignment_rule=rule)


_Which: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="Which rule.")]
_Input: TypeAlias = Annotated[AssignmentRuleInput, strawberry.argument(description="Values of the rule.")]


@strawberry.type
class Mutation:
    @mutation(
        Permission.RULE_MANAGE,
        "Creates an assignment rule. Requires RULE_MANAGE. Errors: BLANK, NOT_FOUND, AGENT_INACTIVE, "
        "INVALID, LIMIT_EXCEEDED.",
        payload=AssignmentRulePayload,
    )
    async def assignment_rule_create(self, info: Info, input: _Input) -> AssignmentRulePayload:
        return await info.context.mutate(lambda unit: crm_rules.create(unit, input_data(input)), _payload)

    @mutation(
        Permission.RULE_MANAGE,
        "Changes an assignment rule. Requires RULE_MANAGE. Errors: NOT_FOUND, CONFLICT, AGENT_INACTIVE, INVALID.",
        payload=AssignmentRulePayload,
    )
    async def assignment_rule_update(self, info: Info, id: _Which, input: _Input) -> AssignmentRulePayload:
        return await info.context.mutate(lambda unit: crm_rules.update(unit, id, input_data(input)), _payload)

    @mutation(
        Permission.RULE_MANAGE,
        (
            "Deletes an assignment rule. Customers that it assigned stay assigned. Requires RULE_MANAGE. Errors: "
            "NOT_FOUND."
        ),
        payload=AssignmentRulePayload,
    )
    async def assignment_rule_delete(self, info: Info, id: _Which) -> AssignmentRulePayload:
        return await info.context.mutate(lambda unit: crm_rules.delete(unit, id), _payload)
