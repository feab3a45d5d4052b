"""Postal addresses, stored in columns of their record."""

from collections.abc import Sequence
from typing import Any

import strawberry

from crm.values.addresses import ADDRESS_COLUMNS
from graph.engine.field_declarations import column


@strawberry.type(description="A postal address.")
class Address:
    line1: str | None = column("Street and number.", column_name="address_line1")
    line2: str | None = column("Flat, floor or building.", column_name="address_line2")
    city: str | None = column("City or town.")
    region: str | None = column("State, province or region.")
    postal_code: str | None = column("Postal code.")
    country: str | None = column("Country.")


def address_of(parents: Sequence[Any]) -> list[Any]:
    """The address of each record; None if no part is set."""
    return [row if any(getattr(row, name) is not None for name in ADDRESS_COLUMNS) else None for row in parents]


@strawberry.input(description="Postal address. Absent parts keep their value; null clears a part.")
class AddressInput:
    line1: strawberry.Maybe[str | None] = strawberry.field(description="Street and number.")
    line2: strawberry.Maybe[str | None] = strawberry.field(description="Flat, floor or building.")
    city: strawberry.Maybe[str | None] = strawberry.field(description="City or town.")
    region: strawberry.Maybe[str | None] = strawberry.field(description="State, province or region.")
    postal_code: strawberry.Maybe[str | None] = strawberry.field(description="Postal code.")
    country: strawberry.Maybe[str | None] = strawberry.field(description="Country.")
