"""Checks variables against the limits, before the schema coerces them."""

from collections.abc import Mapping
from typing import Any

from graph.errors.top_level import BadUserInput, limit_error
from graph.limits.limits import Limits


def check_variables(variables: Mapping[str, Any], limits: Limits) -> None:
    """Raises BadUserInput for a list that is too long, values that are nested too deeply, or a string with NUL.

    Databases cannot store NUL.
    """
    level: list[Any] = [variables]
    for _ in range(limits.value_depth + 1):
        inner: list[Any] = []
        for value in level:
            if value.__class__ is str:
                if "\0" in value:
                    message = "A string in the variables contains the character NUL. Remove it."
                    raise BadUserInput(message, reason="INVALID")
            elif value.__class__ is dict or value.__class__ is list:
                inner += _inner_values(value, limits)
        if not inner:
            return
        level = inner
    message = f"The variables are nested more than {limits.value_depth} levels deep."
    raise limit_error(BadUserInput, message, name="valueDepth", limit=limits.value_depth)


def _inner_values(value: dict[str, Any] | list[Any], limits: Limits) -> Any:
    if isinstance(value, dict):
        return (*value, *value.values())
    if len(value) > limits.list_items:
        message = f"A list in the variables has {len(value)} items; at most {limits.list_items} are allowed."
        raise limit_error(BadUserInput, message, name="listItems", limit=limits.list_items)
    return value
