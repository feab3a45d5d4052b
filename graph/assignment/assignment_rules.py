"""Assignment rules: what assigns customers who wait, by itself."""

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


@strawberry.type(description="A rule that assigns customers who come to wait for an agent.")
class AssignmentRule(Node):
    is_type_of = is_row_of(tables.AssignmentRule)

    id: strawberry.ID = column("The rule's id.", convert=ids.id_encoder("AssignmentRule"))
    name: str = column("Its name.")
    active: bool = column("False while it is switched off.")
    position: int = column("Its place: the first rule whose filter finds the customer assigns them.")
    filter: FilterJSON | None = column("Whom it assigns; null for everybody.")
    strategy: AssignmentStrategy = column("How it chooses among its agents.")

    @batched("The agents whom it assigns to, in its order.", parent_columns=("id",))
    async def agents(parents: ParentRows, info: Info) -> list[list[Agent]]:
        return await info.context.load_many(rules.agents, parents, "id")

    @batched("The departments whose members it assigns to after the agents, in its order.", parent_columns=("id",))
    async def departments(parents: ParentRows, info: Info) -> list[list[Department]]:
        return await info.context.load_many(rules.departments, parents, "id")


@strawberry.type
class Query:
    @guarded(Permission.CUSTOMER_VIEW, "All assignment rules, in the order in which they are tried.")
    async def assignment_rules(self, info: Info) -> list[AssignmentRule]:
        return cast(Any, await rules.all_rules(info.context.session))


@strawberry.input(description="What an assignment rule is to be. What is left out stays as it is.")
class AssignmentRuleInput:
    name: Maybe[str | None] = strawberry.field(description="Its name; needed on create. Several may share one.")
    active: Maybe[bool | None] = strawberry.field(description="Whether it works: true unless given.")
    position: Maybe[int | None] = strawberry.field(description="Its place among the others; the last unless given.")
    filter: Maybe[CustomerFilter | None] = strawberry.field(description="Whom it assigns; null for everybody.")
    strategy: Maybe[AssignmentStrategy | None] = strawberry.field(
        description="How it chooses among its agents: ROUND_ROBIN unless given."
    )
    agents: Maybe[list[strawberry.ID] | None] = strawberry.field(
        description="The agents whom it assigns to, in this order; they replace the present ones. 1 000 at most."
    )
    departments: Maybe[list[strawberry.ID] | None] = strawberry.field(
        description="Then the members of these departments; they replace the present ones. 1 000 at most."
    )


@strawberry.type(description="What became of an assignment rule.")
class AssignmentRulePayload:
    assignment_rule: AssignmentRule | None = strawberry.field(
        default=None, description="As it is now, or was; null when refused."
    )
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


def _payload(rule: Any) -> AssignmentRulePayload:
    return AssignmentRulePayload(assignment_rule=rule)


_Which: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="Which rule.")]
_Input: TypeAlias = Annotated[AssignmentRuleInput, strawberry.argument(description="What the rule is to be.")]


@strawberry.type
class Mutation:
    @mutation(Permission.RULE_MANAGE, "Make an assignment rule.", payload=AssignmentRulePayload)
    async def assignment_rule_create(self, info: Info, input: _Input) -> AssignmentRulePayload:
        return await info.context.mutate(lambda unit: crm_rules.create(unit, input_data(input)), _payload)

    @mutation(Permission.RULE_MANAGE, "Change an assignment rule.", payload=AssignmentRulePayload)
    async def assignment_rule_update(self, info: Info, id: _Which, input: _Input) -> AssignmentRulePayload:
        return await info.context.mutate(lambda unit: crm_rules.update(unit, id, input_data(input)), _payload)

    @mutation(
        Permission.RULE_MANAGE,
        "Delete an assignment rule; whom it assigned stays assigned.",
        payload=AssignmentRulePayload,
    )
    async def assignment_rule_delete(self, info: Info, id: _Which) -> AssignmentRulePayload:
        return await info.context.mutate(lambda unit: crm_rules.delete(unit, id), _payload)
