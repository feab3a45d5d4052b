"""The parts of a postal address, which customers and companies store in the same columns."""

from typing import Final

ADDRESS_PARTS: Final = (
    ("line1", "address_line1", "line1"),
    ("line2", "address_line2", "line2"),
    ("city", "city", "city"),
    ("region", "region", "region"),
    ("postal_code", "postal_code", "postalCode"),
    ("country", "country", "country"),
)
"""The input key, the column and the API name of each part."""

ADDRESS_COLUMNS: Final = tuple(column for _, column, _ in ADDRESS_PARTS)
