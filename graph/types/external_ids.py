"""Ids in other systems."""

import strawberry

from graph.engine.field_declarations import column


@strawberry.type(description="Id of a record in another system; unique there.")
class ExternalId:
    system: str = column("Name of the external system.")
    value: str = column("Id in that system.")


@strawberry.input(description="Id in another system.")
class ExternalIdInput:
    system: str = strawberry.field(description="Name of the external system.")
    value: str = strawberry.field(description="Id in that system.")
