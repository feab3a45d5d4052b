"""Ids in other systems."""

import strawberry

from graph.engine.field_declarations import column


@strawberry.type(description="What a record is called in another system; unique there.")
class ExternalId:
    system: str = column("The other system.")
    value: str = column("The id in it.")


@strawberry.input(description="An id in another system.")
class ExternalIdInput:
    system: str = strawberry.field(description="The other system.")
    value: str = strawberry.field(description="The id in it.")
