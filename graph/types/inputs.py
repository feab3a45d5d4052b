"""Inputs as data for the rules: absent fields are missing, null is None. Rules know nothing of GraphQL."""

import dataclasses
from typing import Any

from strawberry import UNSET, Some


def input_data(value: Any) -> Any:
    """The input as a mapping by Python names, recursively."""
    if isinstance(value, list):
        return [input_data(one) for one in value]
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    found: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        held = getattr(value, field.name)
        if held is None or held is UNSET:
            continue
        found[field.name] = input_data(held.value if isinstance(held, Some) else held)
    return found
