"""Whom to assign customers to, and where to release them."""

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
    "Where a customer goes who is taken from their owner.",
    POOL="Into the pool, free to claim.",
    TO_BE_ASSIGNED="Back among those who wait for an agent.",
)


@strawberry.input(description="Whom to assign customers to: evenly, by turns, in this order. Nobody is taken twice.")
class AssigneesInput:
    agents: Maybe[list[strawberry.ID] | None] = strawberry.field(description="These agents first; 1 000 at most.")
    departments: Maybe[list[strawberry.ID] | None] = strawberry.field(
        description="Then the active members of these, or their queues where the workspace says so; 1 000 at most."
    )
