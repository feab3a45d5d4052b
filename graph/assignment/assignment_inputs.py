"""Inputs for assigning and releasing customers."""

from enum import IntEnum

import strawberry
from strawberry import Maybe

from db.tables.enums import CustomerStage
from graph.types.enums import describe_values


class ReleaseStage(IntEnum):
    POOL = CustomerStage.POOL.value
    TO_BE_ASSIGNED = CustomerStage.TO_BE_ASSIGNED.value


describe_values(
    ReleaseStage,
    "Stage of a customer after the release from their owner.",
    POOL="Into the pool, where agents can claim the customer.",
    TO_BE_ASSIGNED="Back to the customers that wait for an agent.",
)


@strawberry.input(
    description="Agents that receive customers: evenly, round robin, in this order. Each agent counts once."
)
class AssigneesInput:
    agents: Maybe[list[strawberry.ID] | None] = strawberry.field(description="Agents, in this order; at most 1 000.")
    departments: Maybe[list[strawberry.ID] | None] = strawberry.field(
        description=(
            "Departments: their active members follow the agents. If the workspace setting is QUEUE, the "
            "customer waits in the department's queue. At most 1 000."
        )
    )
